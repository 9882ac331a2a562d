// SPDX-License-Identifier: Apache-2.0
// Reading and replacing the key file: permissions, lock, and durability.
#include "crypto/keys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrolld/base/clock.h"

#define LOCK_WAIT_MS 5000
#define LOCK_POLL_MS 50

// Where a file is replaced: its folder, locked, and the names in it.
struct place {
	int folder;
	char path[PATH_MAX]; // of the file, for messages
	const char *name;    // its last part
	char draft[NAME_MAX + 1];
};

static enum reason unwritable(struct fault *f, const char *path, const char *what)
{
	return fault_set(f, REASON_FILE_UNREADABLE, "%s: cannot %s: %s", path, what, strerrordesc_np(errno));
}

static enum reason check_access(const char *path, const struct stat *st, struct fault *f)
{
	if (!S_ISREG(st->st_mode))
		return fault_set(f, REASON_KEYS_INVALID, "%s is not a file", path);
	bool ours = st->st_uid == geteuid();
	if (!ours && st->st_uid != 0)
		return fault_set(f, REASON_KEYS_INVALID, "%s belongs to another user", path);
	mode_t forbidden = ours ? S_IRWXG | S_IRWXO : S_IWGRP | S_IXGRP | S_IRWXO;
	if (st->st_mode & forbidden)
		return fault_set(f, REASON_KEYS_INVALID, "%s is open to others (mode %04o); chmod 0%o", path, st->st_mode & 07777,
				 ours ? 0600U : 0640U);
	return REASON_OK;
}

// Reads all of it into out, which holds KEYS_TEXT_SIZE bytes.
static enum reason read_whole(int fd, const char *path, char *out, size_t *ret_len, struct fault *f)
{
	size_t len = 0;
	for (;;) {
		ssize_t got = read(fd, out + len, KEYS_TEXT_SIZE - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set(f, REASON_KEYS_INVALID, "%s: cannot read: %s", path, strerrordesc_np(errno));
		len += (size_t)got;
		if (got == 0)
			break;
		if (len == KEYS_TEXT_SIZE)
			return fault_set(f, REASON_KEYS_INVALID, "%s is too large for a key file", path);
	}
	*ret_len = len;
	return REASON_OK;
}

static enum reason read_keys(const char *path, struct key_table *table, struct stat *st, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO must not hold us up
	if (fd < 0)
		return fault_set(f, REASON_KEYS_INVALID, "%s: cannot open: %s", path, strerrordesc_np(errno));
	enum reason reason;
	char *text = sodium_malloc(KEYS_TEXT_SIZE);
	size_t len = 0;
	if (!text)
		reason = fault_set(f, REASON_NO_MEMORY, "no memory for the key file");
	else if (fstat(fd, st) != 0)
		reason = unwritable(f, path, "ask for its owner");
	else if ((reason = check_access(path, st, f)) == REASON_OK && (reason = read_whole(fd, path, text, &len, f)) == REASON_OK &&
		 (reason = keys_text_parse((struct slice){text, len}, table, f)) != REASON_OK)
		reason = fault_prefix(f, "%s", path);
	sodium_free(text);
	(void)close(fd);
	return reason;
}

enum reason keys_file_read(const char *path, struct key_table *table, struct fault *f)
{
	struct stat st;
	return read_keys(path, table, &st, f);
}

// The lock is on the folder: the file itself is replaced, so a lock on it would guard a file that is gone.
static enum reason lock_folder(struct place *place, struct fault *f)
{
	for (int64_t waited = 0; flock(place->folder, LOCK_EX | LOCK_NB) != 0; waited += LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return unwritable(f, place->path, "lock its folder");
		if (waited >= LOCK_WAIT_MS)
			return fault_set(f, REASON_FILE_UNREADABLE, "%s: another process is changing the keys", place->path);
		clock_sleep_ms(LOCK_POLL_MS);
	}
	return REASON_OK;
}

static enum reason place_open(struct place *place, const char *path, struct fault *f)
{
	if (strlen(path) >= sizeof(place->path))
		return fault_set(f, REASON_FILE_UNREADABLE, "the path of the key file is too long");
	(void)snprintf(place->path, sizeof(place->path), "%s", path);
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(place->path, '/');
	place->name = slash ? slash + 1 : place->path;
	if (slash)
		(void)snprintf(folder, sizeof(folder), "%.*s", slash == place->path ? 1 : (int)(slash - place->path), place->path);
	int draft_len = snprintf(place->draft, sizeof(place->draft), ".%s.new", place->name);
	if (!*place->name || draft_len >= (int)sizeof(place->draft))
		return fault_set(f, REASON_FILE_UNREADABLE, "%s does not name a key file", path);
	place->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->folder < 0)
		return unwritable(f, path, "open its folder");
	enum reason reason = lock_folder(place, f);
	if (reason != REASON_OK)
		(void)close(place->folder);
	return reason;
}

static void place_close(struct place *place)
{
	(void)close(place->folder); // unlocks
}

static bool write_whole(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		len -= (size_t)put;
	}
	return true;
}

// Writes the draft and brings it to disk. like: whose owner and mode it gets; NULL: ours and 0600.
static enum reason write_draft(const struct place *place, const struct key_table *table, const struct stat *like, struct fault *f)
{
	(void)unlinkat(place->folder, place->draft, 0); // left by a crash
	int fd = openat(place->folder, place->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return unwritable(f, place->path, "make a file in its folder");
	enum reason reason = REASON_OK;
	char *text = sodium_malloc(KEYS_TEXT_SIZE);
	if (!text)
		reason = fault_set(f, REASON_NO_MEMORY, "no memory for the key file");
	else if (like && (fchown(fd, like->st_uid, like->st_gid) != 0 || fchmod(fd, like->st_mode & 0777) != 0))
		reason = unwritable(f, place->path, "keep its owner and mode");
	else if (!write_whole(fd, text, keys_text_write(table, text)) || fsync(fd) != 0)
		reason = unwritable(f, place->path, "write");
	sodium_free(text);
	if (close(fd) != 0 && reason == REASON_OK)
		reason = unwritable(f, place->path, "write");
	if (reason != REASON_OK)
		(void)unlinkat(place->folder, place->draft, 0);
	return reason;
}

enum reason keys_file_make(const char *path, const struct key_table *table, struct fault *f)
{
	struct place place;
	enum reason reason = place_open(&place, path, f);
	if (reason != REASON_OK)
		return reason;
	reason = write_draft(&place, table, NULL, f);
	if (reason == REASON_OK) {
		// A link, unlike a rename, never replaces a file that is there.
		if (linkat(place.folder, place.draft, place.folder, place.name, 0) != 0)
			reason = unwritable(f, path, "make it");
		(void)unlinkat(place.folder, place.draft, 0);
		if (reason == REASON_OK && fsync(place.folder) != 0)
			reason = unwritable(f, path, "write its folder");
	}
	place_close(&place);
	return reason;
}

enum reason keys_file_change(const char *path, enum reason (*change)(struct key_table *table, uint16_t *epoch, struct fault *f),
			     uint16_t *epoch, struct fault *f)
{
	// A link to the file stays a link.
	char real[PATH_MAX];
	if (!realpath(path, real))
		return fault_set(f, REASON_KEYS_INVALID, "%s: cannot open: %s", path, strerrordesc_np(errno));
	struct key_table *table = key_table_create(f);
	if (!table)
		return REASON_NO_MEMORY;
	struct place place;
	struct stat st;
	enum reason reason = place_open(&place, real, f);
	if (reason != REASON_OK)
		goto out;
	if ((reason = read_keys(real, table, &st, f)) == REASON_OK && (reason = change(table, epoch, f)) == REASON_OK &&
	    (reason = write_draft(&place, table, &st, f)) == REASON_OK) {
		if (renameat(place.folder, place.draft, place.folder, place.name) != 0) {
			reason = unwritable(f, path, "replace it");
			(void)unlinkat(place.folder, place.draft, 0);
		} else if (fsync(place.folder) != 0) {
			reason = unwritable(f, path, "write its folder");
		}
	}
	place_close(&place);
out:
	key_table_destroy(table);
	return reason;
}
