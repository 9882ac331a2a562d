// SPDX-License-Identifier: Apache-2.0
// Names of settings as paths, and the rows they mean.
#include "conf/name.h"

#include "enrolld/doc/yaml.h"

#define CANDIDATES_MAX 1024

bool name_split(const char *text, struct name *name)
{
	*name = (struct name){0};
	for (const char *p = text; p;) {
		const char *dot = strchr(p, '.');

		if (name->count == NAME_DEPTH_MAX)
			return false;
		name->segment[name->count++] = dot ? (struct slice){p, (size_t)(dot - p)} : slice_of(p);
		p = dot ? dot + 1 : NULL;
	}
	return true;
}

struct name name_of_row(const char *row)
{
	struct name name;

	if (!name_split(row, &name))
		PANIC("%s: more than %d segments", row, NAME_DEPTH_MAX);
	return name;
}

static bool is_star(struct slice segment)
{
	return slice_equal_text(segment, "*");
}

enum name_match name_match(const char *row, const struct name *name)
{
	struct name pattern = name_of_row(row);

	for (size_t i = 0; i < pattern.count && i < name->count; i++)
		if (!is_star(pattern.segment[i]) && !slice_equal(pattern.segment[i], name->segment[i]))
			return NAME_NONE;
	if (pattern.count == name->count)
		return NAME_EXACT;
	return pattern.count > name->count ? NAME_BEFORE : NAME_BEYOND;
}

struct row_ref name_find(const struct conf_tables *tables, const struct name *name, enum name_match how)
{
	struct row_ref found = {0};
	size_t depth = 0;

	for (size_t t = 0; t < tables->count; t++) {
		for (size_t i = 0; i < tables->items[t]->count; i++) {
			const struct setting *row = &tables->items[t]->rows[i];
			size_t segments = name_of_row(row->name).count;

			if (name_match(row->name, name) == how && segments > depth) {
				found = (struct row_ref){tables->items[t], row};
				depth = segments;
			}
		}
	}
	return found;
}

struct row_ref name_find_secret_file(const struct conf_tables *tables, const struct name *name)
{
	static const char suffix[] = "_file";
	size_t len = sizeof(suffix) - 1;
	struct name base = *name;
	struct slice *last = &base.segment[base.count - 1];
	struct row_ref found;

	if (last->len <= len || memcmp(last->ptr + last->len - len, suffix, len) != 0)
		return (struct row_ref){0};
	last->len -= len;
	found = name_find(tables, &base, NAME_EXACT);
	return found.row && found.row->type == SETTING_SECRET ? found : (struct row_ref){0};
}

struct slice name_instance(const struct setting_table *table, const struct name *name)
{
	struct name pattern = name_of_row(table->rows[0].name);

	for (size_t i = 0; table->per_name && i < pattern.count && i < name->count; i++)
		if (is_star(pattern.segment[i]))
			return name->segment[i];
	return SLICE_ABSENT;
}

struct slice name_join(const struct name *name, struct arena *arena)
{
	size_t len = 0, at = 0;
	char *text;

	for (size_t i = 0; i < name->count; i++)
		len += name->segment[i].len + 1;
	text = arena_alloc(arena, len + 1);
	for (size_t i = 0; i < name->count; i++) {
		if (i > 0)
			text[at++] = '.';
		for (size_t k = 0; k < name->segment[i].len; k++) {
			unsigned char c = (unsigned char)name->segment[i].ptr[k];

			text[at++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
		}
	}
	return (struct slice){text, at};
}

struct slice name_full(const char *row, const char *instance, struct arena *arena)
{
	struct name name = name_of_row(row);

	for (size_t i = 0; i < name.count && instance; i++)
		if (is_star(name.segment[i]))
			name.segment[i] = slice_of(instance);
	return name_join(&name, arena);
}

// The row's name cut to the length of the given one, with that one's segment for "*".
static const char *candidate(const char *row, const struct name *name, struct arena *arena)
{
	struct name cut = name_of_row(row);

	if (cut.count > name->count)
		cut.count = name->count;
	for (size_t i = 0; i < cut.count; i++)
		if (is_star(cut.segment[i]))
			cut.segment[i] = name->segment[i];
	return name_join(&cut, arena).ptr;
}

// Somebody may have left out the section.
static const char *same_last_segment(const struct conf_tables *tables, struct slice last)
{
	for (size_t t = 0; t < tables->count; t++) {
		for (size_t i = 0; i < tables->items[t]->count; i++) {
			struct name row = name_of_row(tables->items[t]->rows[i].name);

			if (slice_equal(row.segment[row.count - 1], last))
				return tables->items[t]->rows[i].name;
		}
	}
	return NULL;
}

// Does the row lie below everything but the last segment of the name?
static bool is_sibling(const char *row, const struct name *name)
{
	struct name above = *name;

	above.count--;
	return above.count > 0 && name_match(row, &above) == NAME_BEFORE;
}

static size_t collect_candidates(const struct conf_tables *tables, const struct name *name, bool siblings, const char **names,
				 struct arena *arena)
{
	size_t count = 0;

	for (size_t t = 0; t < tables->count; t++)
		for (size_t i = 0; i < tables->items[t]->count && count < CANDIDATES_MAX; i++)
			if (!siblings || is_sibling(tables->items[t]->rows[i].name, name))
				names[count++] = candidate(tables->items[t]->rows[i].name, name, arena);
	return count;
}

// Among those in the same section only the last segments are compared: what they share says nothing.
const char *name_nearest(const struct conf_tables *tables, const struct name *name, struct arena *arena)
{
	const char **names = ARENA_ARRAY(arena, CANDIDATES_MAX, const char *),
		   **lasts = ARENA_ARRAY(arena, CANDIDATES_MAX, const char *);
	size_t count = collect_candidates(tables, name, true, names, arena);
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		lasts[i] = strrchr(names[i], '.') + 1;
	nearest = doc_nearest(name->segment[name->count - 1], lasts, count);
	for (size_t i = 0; i < count && nearest; i++)
		if (lasts[i] == nearest)
			return names[i];
	if (count == 0) {
		count = collect_candidates(tables, name, false, names, arena);
		nearest = doc_nearest(name_join(name, arena), names, count);
	}
	return nearest ? nearest : same_last_segment(tables, name->segment[name->count - 1]);
}

void name_to_variable(const char *row, struct strbuf *out)
{
	strbuf_add_text(out, "ENROLLD__");
	for (const char *p = row; *p; p++) {
		if (*p == '.')
			strbuf_add_text(out, "__");
		else if (*p == '*')
			strbuf_add_text(out, "NAME");
		else
			strbuf_add_char(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
	}
}
