// SPDX-License-Identifier: Apache-2.0
// Changed dialects are files of a folder of their own, beside links to what the original one refers to.
#include "frontends.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "require.h"

#define FRONTENDS_MAX 64
#define LINES_MAX 4096
#define CHANGE_SIZE 4

static struct frontend frontends[FRONTENDS_MAX];
static size_t frontend_count;
static struct dialect_options options;
static char place[] = "/tmp/enrolld-fuzz-XXXXXX";
static struct arena *arena; // of the process

static struct slice read_file(const char *path)
{
	static char bytes[1 << 20];
	FILE *file = fopen(path, "r");
	require(file != NULL);
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	require(fclose(file) == 0 && size > 0 && size < sizeof(bytes));
	return arena_copy(arena, (struct slice){bytes, size});
}

// Names of a folder in their order, so that the same input means the same dialect everywhere.
static int list(const char *folder, struct dirent ***entries)
{
	int count = scandir(folder, entries, NULL, alphasort);
	require(count >= 0);
	return count;
}

// The original's files but for dialect.yaml, as links.
static void link_folder(const char *from, const char *to)
{
	struct dirent **entries;
	int count = list(from, &entries);
	require(mkdir(to, 0700) == 0);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		if (name[0] != '.' && strcmp(name, "dialect.yaml") != 0)
			require(symlink(arena_printf(arena, "%s/%s", from, name).ptr, arena_printf(arena, "%s/%s", to, name).ptr) ==
				0);
		free(entries[i]);
	}
	free(entries);
}

static void remove_folder(const char *path)
{
	struct dirent **entries;
	int count = list(path, &entries);
	for (int i = 0; i < count; i++) {
		const char *inner = arena_printf(arena, "%s/%s", path, entries[i]->d_name).ptr;
		struct stat st;
		if (strcmp(entries[i]->d_name, ".") == 0 || strcmp(entries[i]->d_name, "..") == 0)
			(void)0;
		else if (lstat(inner, &st) == 0 && S_ISDIR(st.st_mode))
			remove_folder(inner);
		else
			(void)unlink(inner);
		free(entries[i]);
	}
	free(entries);
	(void)rmdir(path);
}

static void clean(void)
{
	remove_folder(place);
}

static void add(const char *folder, const char *name)
{
	struct frontend *frontend = &frontends[frontend_count++];
	struct fault f;
	require(frontend_count <= FRONTENDS_MAX);
	frontend->name = arena_text(arena, name);
	frontend->folder = folder;
	frontend->file = read_file(arena_printf(arena, "%s/%s/dialect.yaml", folder, name).ptr);
	require(dialect_load(folder, &frontend->name, 1, &options, NULL, &frontend->set, &f) == REASON_OK);
	link_folder(arena_printf(arena, "%s/%s", folder, name).ptr, arena_printf(arena, "%s/dialects/%s", place, name).ptr);
}

// A shop whose keys are a deployment's has one here, so that requests come further than to its door.
static void add_keys(void)
{
	struct setting_pair *pair = ARENA_NEW(arena, struct setting_pair);
	struct dialect_conf *conf = ARENA_NEW(arena, struct dialect_conf);
	*pair = (struct setting_pair){"keys_file", arena_printf(arena, "%s/keys.yaml", place).ptr};
	*conf = (struct dialect_conf){.name = "bagisto", .values = {pair, 1}};
	FILE *file = fopen(pair->value, "w");
	require(file && fputs("- {key: k, name: web, hourly: 5}\n", file) >= 0 && fclose(file) == 0);
	options.confs = conf;
	options.conf_count = 1;
}

void frontends_load(const struct keyring *keys)
{
	static const char *const folders[] = {ENROLLD_SCHEMAS_DIR "/dialects", TESTS_DATA_DIR "/dialects"};
	struct dirent **entries;
	arena = arena_create(65536);
	options.keys = keys;
	require(mkdtemp(place) != NULL && atexit(clean) == 0);
	add_keys();
	require(mkdir(arena_printf(arena, "%s/dialects", place).ptr, 0700) == 0);
	require(symlink(ENROLLD_SCHEMAS_DIR "/wordlists", arena_printf(arena, "%s/wordlists", place).ptr) == 0);
	require(symlink(ENROLLD_SCHEMAS_DIR "/phones", arena_printf(arena, "%s/phones", place).ptr) == 0);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		int count = list(folders[i], &entries);
		for (int e = 0; e < count; e++) {
			if (access(arena_printf(arena, "%s/%s/dialect.yaml", folders[i], entries[e]->d_name).ptr, R_OK) == 0)
				add(folders[i], entries[e]->d_name);
			free(entries[e]);
		}
		free(entries);
	}
	require(frontend_count > 0);
}

const struct frontend *frontends_find(struct slice name)
{
	unsigned sum = 0;
	for (size_t i = 0; i < frontend_count; i++)
		if (slice_equal_text(name, frontends[i].name))
			return &frontends[i];
	for (size_t i = 0; i < name.len; i++)
		sum = sum * 31 + (uint8_t)name.ptr[i];
	return &frontends[sum % frontend_count];
}

struct lines {
	struct slice line[LINES_MAX]; // each with its line break
	size_t count;
};

static void split(struct slice text, struct lines *lines)
{
	lines->count = 0;
	while (text.len > 0 && lines->count < LINES_MAX / 2) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t size = end ? (size_t)(end - text.ptr) + 1 : text.len;
		lines->line[lines->count++] = (struct slice){text.ptr, size};
		text = (struct slice){text.ptr + size, text.len - size};
	}
	require(text.len == 0);
}

static void insert(struct lines *lines, size_t at, struct slice line)
{
	memmove(&lines->line[at + 1], &lines->line[at], (lines->count - at) * sizeof(*lines->line));
	lines->line[at] = line;
	lines->count++;
}

static void take_out(struct lines *lines, size_t at)
{
	memmove(&lines->line[at], &lines->line[at + 1], (lines->count - at - 1) * sizeof(*lines->line));
	lines->count--;
}

static struct slice value_of(struct slice line)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	size_t head = colon ? (size_t)(colon - line.ptr) : 0;
	return (struct slice){line.ptr + head, line.len - head};
}

// What a person might do by mistake, and what a broken disk does.
static void change(struct lines *lines, const uint8_t *how, struct arena *own)
{
	size_t at = how[1] * lines->count / 256, other = how[2] * lines->count / 256, column;
	struct slice line = lines->line[at], value = value_of(lines->line[other]);
	if (line.len == 0)
		return;
	switch (how[0] % 8) {
	case 0: take_out(lines, at); break;
	case 1: insert(lines, at, lines->line[other]); break;
	case 2: // another line's value
		column = line.len - value_of(line).len;
		lines->line[at] = arena_printf(own, "%.*s%.*s", (int)column, line.ptr, (int)value.len, value.ptr);
		break;
	case 3: // one level deeper or, where it can be, less deep
		lines->line[at] = how[3] % 2 && line.ptr[0] == ' ' && line.len > 2
					  ? (struct slice){line.ptr + 2, line.len - 2}
					  : arena_printf(own, "  %.*s", (int)line.len, line.ptr);
		break;
	case 4:
		lines->line[at] = lines->line[other];
		lines->line[other] = line;
		break;
	case 5: // the file breaks off within the line
		lines->count = at + 1;
		lines->line[at].len = how[3] % line.len;
		break;
	case 6: // a byte more
		column = how[2] * line.len / 256;
		lines->line[at] = arena_printf(own, "%.*s%c%.*s", (int)column, line.ptr, how[3], (int)(line.len - column),
					       line.ptr + column);
		break;
	default: // another byte
		line = arena_copy(own, line);
		((char *)(uintptr_t)line.ptr)[how[2] * line.len / 256] = (char)how[3];
		lines->line[at] = line;
	}
}

struct dialect_set *frontends_changed(const struct frontend *frontend, struct slice changes)
{
	static struct lines lines;
	char path[sizeof(place) + 128];
	struct strbuf report = STRBUF_INIT(65536);
	struct arena *own = arena_create(4096);
	struct dialect_set *set = NULL;
	struct fault f;
	split(frontend->file, &lines);
	for (; changes.len >= CHANGE_SIZE && lines.count > 0;
	     changes = (struct slice){changes.ptr + CHANGE_SIZE, changes.len - CHANGE_SIZE})
		change(&lines, (const uint8_t *)changes.ptr, own);
	(void)snprintf(path, sizeof(path), "%s/dialects/%s/dialect.yaml", place, frontend->name);
	FILE *file = fopen(path, "w");
	require(file != NULL);
	for (size_t i = 0; i < lines.count; i++)
		require(fwrite(lines.line[i].ptr, 1, lines.line[i].len, file) == lines.line[i].len);
	require(fclose(file) == 0);
	(void)snprintf(path, sizeof(path), "%s/dialects", place);
	if (dialect_load(path, &frontend->name, 1, &options, &report, &set, &f) != REASON_OK)
		require(report.len > 0 && f.detail[0]);
	strbuf_free(&report);
	arena_destroy(own);
	return set;
}
