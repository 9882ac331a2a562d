// SPDX-License-Identifier: Apache-2.0
// Settings rows at work: texts into a module's struct, with all checks.
#include "enrolld/model/settings.h"

#include <inttypes.h>

#define ENTRIES_MAX 256 // of one list or map

static void *member_of(void *conf, const struct setting *row)
{
	return (char *)conf + row->offset;
}

static struct slice trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

// How much of a value an error shows.
static int shown(struct slice text)
{
	return text.len < 60 ? (int)text.len : 60;
}

static const char *format_number(const struct setting *row, int64_t n, char out[static SETTING_NUMBER_SIZE])
{
	struct strbuf b = STRBUF_INIT(SETTING_NUMBER_SIZE - 1);

	switch (row->type) {
	case SETTING_DURATION: return setting_format_duration(n, out);
	case SETTING_SIZE: return setting_format_size(n, out);
	default:
		strbuf_printf(&b, "%" PRId64, n);
		memcpy(out, b.data, b.len + 1);
		strbuf_free(&b);
		return out;
	}
}

static enum reason check_count(const struct setting *row, size_t n, const char *what, struct fault *f)
{
	if ((row->min == 0 && row->max == 0) || ((int64_t)n >= row->min && (int64_t)n <= row->max))
		return REASON_OK;
	return fault_set(f, REASON_SETTING_INVALID, "%zu %s, must be %" PRId64 " to %" PRId64, n, what, row->min, row->max);
}

static enum reason set_number(const struct setting *row, struct slice text, void *member, struct fault *f)
{
	char value[SETTING_NUMBER_SIZE], min[SETTING_NUMBER_SIZE], max[SETTING_NUMBER_SIZE];
	int64_t n = 0;

	if (row->type == SETTING_INT && !setting_parse_int(text, &n))
		return fault_set(f, REASON_SETTING_INVALID, "\"%.*s\" is not an integer", shown(text), text.ptr);
	if (row->type == SETTING_DURATION && !setting_parse_duration(text, &n))
		return fault_set(f, REASON_SETTING_INVALID,
				 "\"%.*s\" is not a duration: a whole number with ms, s, m, h or d, as in 10s", shown(text),
				 text.ptr);
	if (row->type == SETTING_SIZE && !setting_parse_size(text, &n))
		return fault_set(f, REASON_SETTING_INVALID,
				 "\"%.*s\" is not a size: a whole number of bytes, or with KiB, MiB or GiB, as in 64KiB",
				 shown(text), text.ptr);
	if ((row->min != 0 || row->max != 0) && (n < row->min || n > row->max))
		return fault_set(f, REASON_SETTING_INVALID, "%s is out of range, must be %s to %s%s%s",
				 format_number(row, n, value), format_number(row, row->min, min), format_number(row, row->max, max),
				 row->unit ? " " : "", row->unit ? row->unit : "");
	*(int64_t *)member = n;
	return REASON_OK;
}

static enum reason set_text(const struct setting *row, struct slice text, struct arena *arena, void *member, struct fault *f)
{
	enum reason r;

	if (text.len == 0) {
		bool may_be_empty = row->empty_ok || (row->fallback && row->fallback[0] == '\0');

		if (!may_be_empty && (row->required || row->fallback))
			return fault_set(f, REASON_SETTING_INVALID, "must not be empty");
		*(const char **)member = may_be_empty ? "" : NULL;
		return REASON_OK;
	}
	if (memchr(text.ptr, '\0', text.len))
		return fault_set(f, REASON_SETTING_INVALID, "holds a NUL character");
	if ((r = check_count(row, text.len, "bytes", f)))
		return r;
	*(const char **)member = arena_copy(arena, text).ptr;
	return REASON_OK;
}

static const struct setting_choice *find_choice(const struct setting *row, struct slice text)
{
	for (const struct setting_choice *c = row->choices; c && c->name; c++)
		if (slice_equal_text(text, c->name))
			return c;
	return NULL;
}

static enum reason no_choice(const struct setting *row, struct slice text, struct fault *f)
{
	struct strbuf names = STRBUF_INIT(200);
	enum reason r;

	for (const struct setting_choice *c = row->choices; c && c->name; c++)
		strbuf_printf(&names, "%s%s", c == row->choices ? "" : c[1].name ? ", " : " or ", c->name);
	r = fault_set(f, REASON_SETTING_INVALID, "\"%.*s\" is none of %s", shown(text), text.ptr, names.data ? names.data : "");
	strbuf_free(&names);
	return r;
}

enum reason setting_set_list(const struct setting *row, const struct slice *items, size_t count, struct arena *arena, void *conf,
			     struct fault *f)
{
	const char **copies;
	enum reason r;

	if (row->type != SETTING_LIST)
		return fault_set(f, REASON_SETTING_INVALID, "must be of type %s, not a list", setting_type_name(row->type));
	if (count > ENTRIES_MAX)
		return fault_set(f, REASON_SETTING_INVALID, "%zu entries, at most %d", count, ENTRIES_MAX);
	if ((r = check_count(row, count, count == 1 ? "entry" : "entries", f)))
		return r;
	if (row->required && count == 0)
		return fault_set(f, REASON_SETTING_INVALID, "must not be empty");
	for (size_t i = 0; i < count; i++) {
		if (items[i].len == 0)
			return fault_set(f, REASON_SETTING_INVALID, "entry %zu is empty", i + 1);
		if (row->choices && !find_choice(row, items[i]))
			return no_choice(row, items[i], f);
	}
	copies = ARENA_ARRAY(arena, count, const char *);
	for (size_t i = 0; i < count; i++)
		copies[i] = arena_copy(arena, items[i]).ptr;
	*(struct setting_list *)member_of(conf, row) = (struct setting_list){copies, count};
	return REASON_OK;
}

enum reason setting_set_map(const struct setting *row, const struct slice *names, const struct slice *values, size_t count,
			    struct arena *arena, void *conf, struct fault *f)
{
	struct setting_pair *pairs;
	enum reason r;

	if (row->type != SETTING_MAP)
		return fault_set(f, REASON_SETTING_INVALID, "must be of type %s, not a map", setting_type_name(row->type));
	if (count > ENTRIES_MAX)
		return fault_set(f, REASON_SETTING_INVALID, "%zu entries, at most %d", count, ENTRIES_MAX);
	if ((r = check_count(row, count, count == 1 ? "entry" : "entries", f)))
		return r;
	for (size_t i = 0; i < count; i++) {
		if (names[i].len == 0)
			return fault_set(f, REASON_SETTING_INVALID, "entry %zu has no name", i + 1);
		for (size_t j = 0; j < i; j++)
			if (slice_equal(names[i], names[j]))
				return fault_set(f, REASON_SETTING_INVALID, "%.*s is given twice", shown(names[i]), names[i].ptr);
	}
	pairs = ARENA_ARRAY(arena, count, struct setting_pair);
	for (size_t i = 0; i < count; i++)
		pairs[i] = (struct setting_pair){arena_copy(arena, names[i]).ptr,
						 values[i].ptr ? arena_copy(arena, values[i]).ptr : ""};
	*(struct setting_map *)member_of(conf, row) = (struct setting_map){pairs, count};
	return REASON_OK;
}

// "a, b" to a list; "a=1, b=2" to a map.
static enum reason set_entries(const struct setting *row, struct slice text, struct arena *arena, void *conf, struct fault *f)
{
	struct slice names[ENTRIES_MAX], values[ENTRIES_MAX];
	size_t count = 0;

	text = trim(text);
	for (bool more = text.len > 0; more; count++) {
		const char *comma = memchr(text.ptr, ',', text.len), *equals;
		struct slice entry = {text.ptr, comma ? (size_t)(comma - text.ptr) : text.len};

		if (count == ENTRIES_MAX)
			return fault_set(f, REASON_SETTING_INVALID, "more than %d entries", ENTRIES_MAX);
		text = (struct slice){text.ptr + entry.len, text.len - entry.len};
		more = comma != NULL;
		if (more)
			text = (struct slice){text.ptr + 1, text.len - 1};
		names[count] = trim(entry);
		if (row->type == SETTING_LIST)
			continue;
		equals = memchr(entry.ptr, '=', entry.len);
		if (!equals)
			return fault_set(f, REASON_SETTING_INVALID, "entry %zu is not name=value", count + 1);
		names[count] = trim((struct slice){entry.ptr, (size_t)(equals - entry.ptr)});
		values[count] = trim((struct slice){equals + 1, (size_t)(entry.ptr + entry.len - equals - 1)});
	}
	if (row->type == SETTING_LIST)
		return setting_set_list(row, names, count, arena, conf, f);
	return setting_set_map(row, names, values, count, arena, conf, f);
}

enum reason setting_set(const struct setting *row, struct slice text, struct arena *arena, void *conf, struct fault *f)
{
	void *member = member_of(conf, row);
	const struct setting_choice *choice;

	switch (row->type) {
	case SETTING_BOOL:
		if (!slice_equal_text(text, "true") && !slice_equal_text(text, "false"))
			return fault_set(f, REASON_SETTING_INVALID, "\"%.*s\" is neither true nor false", shown(text), text.ptr);
		*(bool *)member = slice_equal_text(text, "true");
		return REASON_OK;
	case SETTING_INT:
	case SETTING_DURATION:
	case SETTING_SIZE: return set_number(row, text, member, f);
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_SECRET: return set_text(row, text, arena, member, f);
	case SETTING_CHOICE:
		choice = find_choice(row, text);
		if (!choice)
			return no_choice(row, text, f);
		*(int *)member = choice->value;
		return REASON_OK;
	case SETTING_LIST:
	case SETTING_MAP: return set_entries(row, text, arena, conf, f);
	}
	PANIC("setting type %d", (int)row->type);
}

void settings_defaults(const struct setting_table *table, struct arena *arena, void *conf)
{
	struct fault f = {0};
	const char *name = table->per_name ? *(const char *const *)conf : NULL;

	memset(conf, 0, table->struct_size);
	if (table->per_name)
		*(const char **)conf = name;
	for (size_t i = 0; i < table->count; i++) {
		const struct setting *row = &table->rows[i];

		if (row->fallback && setting_set(row, slice_of(row->fallback), arena, conf, &f))
			PANIC("default of %s: %s", row->name, f.detail);
	}
}

const char *setting_map_get(const struct setting_map *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (strcmp(map->pairs[i].name, name) == 0)
			return map->pairs[i].value;
	return NULL;
}
