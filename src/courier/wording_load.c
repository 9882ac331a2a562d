// SPDX-License-Identifier: Apache-2.0
// Reads schemas/messages: folders, layouts, catalogues, and checks them against each other.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "courier/wording_private.h"
#include "enrolld/doc/yaml.h"

#define FILE_BYTES_MAX ((size_t)64 << 10)

static const char *const value_names[] = {"brand", "code", "link", "language", "direction"};
static const char *const phrase_value_names[] = {"brand", "name", "code", "link", "hours", "minutes"};

static enum reason read_whole(FILE *file, const char *path, struct arena *arena, struct slice *bytes, struct fault *f)
{
	char *data = arena_alloc(arena, FILE_BYTES_MAX + 1);
	size_t n = fread(data, 1, FILE_BYTES_MAX + 1, file);
	if (ferror(file))
		return fault_set(f, REASON_FILE_UNREADABLE, "%s: cannot be read", path);
	if (n > FILE_BYTES_MAX)
		return fault_set(f, REASON_DIALECT_INVALID, "%s: larger than %zu bytes", path, FILE_BYTES_MAX);
	*bytes = (struct slice){data, n};
	return REASON_OK;
}

// *found is false if there is no such file.
static enum reason load_layout(const char *path, enum template_escape escape, struct arena *arena, const struct template **t,
			       bool *found, struct fault *f)
{
	FILE *file = fopen(path, "re");
	*found = file != NULL;
	if (!file && errno == ENOENT)
		return REASON_OK;
	if (!file)
		return fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", path, strerrordesc_np(errno));
	struct slice source;
	enum reason reason = read_whole(file, path, arena, &source, f);
	(void)fclose(file);
	if (reason != REASON_OK)
		return reason;
	return template_compile_text(source, escape, path, arena, t, f);
}

static enum reason load_phrases(const struct node *phrases, const char *path, struct arena *arena, struct catalogue *c,
				struct fault *f)
{
	if (!node_is(phrases, NODE_MAP) || node_count(phrases) == 0)
		return fault_set(f, REASON_DIALECT_INVALID, "%s: \"phrases\" must be a map of texts", path);
	if (node_count(phrases) > PHRASES_MAX)
		return fault_set(f, REASON_DIALECT_INVALID, "%s: more than %d phrases", path, PHRASES_MAX);
	c->phrase_count = node_count(phrases);
	c->subject = c->phrase_count;
	for (size_t i = 0; i < c->phrase_count; i++) {
		struct slice key = phrases->list.keys[i];
		const struct node *text = phrases->list.items[i];
		if (!node_is(text, NODE_TEXT))
			return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: a phrase must be a text", path, text->line);
		struct phrase *p = &c->phrases[i];
		p->name = arena_printf(arena, "t.%.*s", (int)key.len, key.ptr).ptr;
		if (slice_equal_text(key, "subject"))
			c->subject = i;
		struct slice where = arena_printf(arena, "%s, phrase %.*s", path, (int)key.len, key.ptr);
		enum reason reason = template_compile_text(text->text, TEMPLATE_PLAIN, where.ptr, arena, &p->text, f);
		if (reason == REASON_OK)
			reason = template_check_names(p->text, phrase_value_names, ARRAY_LEN(phrase_value_names), f);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

static enum reason load_catalogue(const char *path, struct arena *arena, struct catalogue *c, struct fault *f)
{
	const struct node *root;
	enum reason reason = yaml_parse_file(path, REASON_DIALECT_INVALID, arena, &root, f);
	if (reason != REASON_OK)
		return reason;
	if (!node_is(root, NODE_MAP))
		return fault_set(f, REASON_DIALECT_INVALID, "%s: must be a map", path);
	static const char *const keys[] = {"language", "direction", "phrases"};
	for (size_t i = 0; i < node_count(root); i++) {
		struct slice key = root->list.keys[i];
		if (!slice_equal_text(key, keys[0]) && !slice_equal_text(key, keys[1]) && !slice_equal_text(key, keys[2]))
			return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: unknown key \"%.*s\"", path, root->list.items[i]->line,
					 (int)key.len, key.ptr);
	}
	c->language = node_text(node_member(root, "language"));
	c->direction = node_text(node_member(root, "direction"));
	if (c->language.len == 0 || c->language.len > 35)
		return fault_set(f, REASON_DIALECT_INVALID, "%s: \"language\" must be a BCP 47 tag", path);
	if (!slice_equal_text(c->direction, "ltr") && !slice_equal_text(c->direction, "rtl"))
		return fault_set(f, REASON_DIALECT_INVALID, "%s: \"direction\" must be ltr or rtl", path);
	return load_phrases(node_member(root, "phrases"), path, arena, c, f);
}

// The layouts may use the values and the phrases that this catalogue has.
static enum reason check_layouts(const struct wording *w, const struct catalogue *c, const char *path, struct fault *f)
{
	const char *names[ARRAY_LEN(value_names) + PHRASES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(value_names); i++)
		names[n++] = value_names[i];
	for (size_t i = 0; i < c->phrase_count; i++)
		names[n++] = c->phrases[i].name;
	enum reason reason = template_check_names(w->text, names, n, f);
	if (reason == REASON_OK && w->html)
		reason = template_check_names(w->html, names, n, f);
	return reason == REASON_OK ? REASON_OK : fault_prefix(f, "%s", path);
}

static bool is_kind_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return len > 0 && name[len] == '\0';
}

static bool is_catalogue_name(const char *name)
{
	size_t len = strlen(name);
	return len > 5 && name[0] != '.' && strcmp(name + len - 5, ".yaml") == 0;
}

static int by_language(const void *a, const void *b)
{
	return slice_compare(((const struct catalogue *)a)->language, ((const struct catalogue *)b)->language);
}

static enum reason load_catalogues(const char *dir, struct arena *arena, struct wording *w, struct fault *f)
{
	DIR *folder = opendir(dir);
	if (!folder)
		return fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", dir, strerrordesc_np(errno));
	w->catalogues = ARENA_ARRAY(arena, LANGUAGES_MAX, struct catalogue);
	enum reason reason = REASON_OK;
	for (struct dirent *entry; reason == REASON_OK && (entry = readdir(folder));) {
		if (!is_catalogue_name(entry->d_name))
			continue;
		if (w->catalogue_count == LANGUAGES_MAX) {
			reason = fault_set(f, REASON_DIALECT_INVALID, "%s: more than %d languages", dir, LANGUAGES_MAX);
			break;
		}
		struct catalogue *c = &w->catalogues[w->catalogue_count++];
		struct slice path = arena_printf(arena, "%s/%s", dir, entry->d_name);
		reason = load_catalogue(path.ptr, arena, c, f);
		if (reason == REASON_OK)
			reason = check_layouts(w, c, path.ptr, f);
	}
	(void)closedir(folder);
	if (reason == REASON_OK && w->catalogue_count == 0)
		reason = fault_set(f, REASON_DIALECT_INVALID, "%s: no catalogue, e.g. en.yaml", dir);
	// Folders have no order of their own.
	qsort(w->catalogues, w->catalogue_count, sizeof(*w->catalogues), by_language);
	return reason;
}

static enum reason load_kind(const char *dir, const char *kind, struct arena *arena, struct wording *w, struct fault *f)
{
	struct slice folder = arena_printf(arena, "%s/%s", dir, kind);
	w->kind = slice_of(arena_text(arena, kind));
	bool found;
	struct slice path = arena_printf(arena, "%s/layout.html", folder.ptr);
	enum reason reason = load_layout(path.ptr, TEMPLATE_HTML, arena, &w->html, &found, f);
	if (reason != REASON_OK)
		return reason;
	path = arena_printf(arena, "%s/layout.txt", folder.ptr);
	reason = load_layout(path.ptr, TEMPLATE_PLAIN, arena, &w->text, &found, f);
	if (reason == REASON_OK && !found)
		reason = fault_set(f, REASON_DIALECT_INVALID, "%s: there is no such file", path.ptr);
	return reason == REASON_OK ? load_catalogues(folder.ptr, arena, w, f) : reason;
}

static enum reason load_kinds(DIR *folder, const char *dir, struct wordings *w, struct fault *f)
{
	enum reason reason = REASON_OK;
	for (struct dirent *entry; reason == REASON_OK && (entry = readdir(folder));) {
		struct stat info;
		if (!is_kind_name(entry->d_name) || fstatat(dirfd(folder), entry->d_name, &info, 0) != 0 || !S_ISDIR(info.st_mode))
			continue;
		if (w->count == KINDS_MAX)
			return fault_set(f, REASON_DIALECT_INVALID, "%s: more than %d kinds of messages", dir, KINDS_MAX);
		reason = load_kind(dir, entry->d_name, w->arena, &w->items[w->count++], f);
	}
	if (reason == REASON_OK && w->count == 0)
		reason = fault_set(f, REASON_DIALECT_INVALID, "%s: no messages there", dir);
	return reason;
}

enum reason wordings_load(const char *dir, struct wordings **ret_wordings, struct fault *f)
{
	DIR *folder = opendir(dir);
	if (!folder)
		return fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", dir, strerrordesc_np(errno));
	struct wordings *w = calloc(1, sizeof(*w));
	if (!w)
		PANIC("wordings: out of memory");
	w->arena = arena_create((size_t)64 << 10);
	enum reason reason = load_kinds(folder, dir, w, f);
	(void)closedir(folder);
	if (reason != REASON_OK) {
		wordings_free(w);
		return reason;
	}
	*ret_wordings = w;
	return REASON_OK;
}

void wordings_free(struct wordings *w)
{
	if (!w)
		return;
	arena_destroy(w->arena);
	free(w);
}
