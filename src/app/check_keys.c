// SPDX-License-Identifier: Apache-2.0
// enrolld check: the key ring.
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/check.h"
#include "enrolld/base/clock.h"
#include "enrolld/conf/process.h"
#include "enrolld/crypto/keys.h"

#define DAY_MS INT64_C(86400000)
#define OLD_DAYS 365

static const char *remedy_of(struct checkup *c, const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return errno == ENOENT ? "enrolld keys new; or copy the file that the other workers have"
				       : check_text(c, "let the worker's user read %s, or name another file with keys.file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return check_text(c, "chown %u %s", (unsigned)geteuid(), path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return check_text(c, "chmod %s %s; whoever could read it may have: enrolld keys rotate",
				  st.st_uid == geteuid() ? "600" : "640", path);
	return "restore the file from its copy";
}

void check_keys(struct checkup *c, const struct conf *conf)
{
	const struct process_conf *process = conf_get(conf, &process_settings);
	struct keyring *ring = NULL;
	struct key_info keys[KEYS_MAX];
	struct fault f;
	c->subject = "key ring";
	if (keyring_load(process->keys_file, &ring, &f) != REASON_OK) {
		check_add(c, CHECK_FAIL, "keys.file", remedy_of(c, process->keys_file), "%s", f.detail);
		return;
	}
	size_t count = keyring_list(ring, keys, KEYS_MAX);
	long long days = (clock_wall_ms() - keys[count - 1].created_ms) / DAY_MS;
	if (days > OLD_DAYS)
		check_add(c, CHECK_WARN, "keys.file", "enrolld keys rotate, then restart the workers one by one",
			  "%s: epoch %u is in use for %lld days", process->keys_file, keyring_active(ring), days);
	else
		check_add(c, CHECK_OK, "keys.file", "", "%s: %zu epoch%s, new values under epoch %u, %lld days old",
			  process->keys_file, count, count == 1 ? "" : "s", keyring_active(ring), days);
	keyring_destroy(ring);
}
