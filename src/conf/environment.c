// SPDX-License-Identifier: Apache-2.0
// Environment variables that begin with ENROLLD__ to assignments.
#include <stdlib.h>

#include "conf/load.h"

#define PREFIX "ENROLLD__"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// "KAFKA__BOOTSTRAP_SERVERS" to segments in small letters; false if there are too many or one is empty.
static bool split(struct slice variable, struct arena *arena, struct name *name)
{
	char *text = arena_alloc(arena, variable.len + 1);
	size_t start = 0;

	for (size_t i = 0; i < variable.len; i++)
		text[i] = lower(variable.ptr[i]);
	for (size_t i = 0; i <= variable.len; i++) {
		bool end = i == variable.len;

		if (!end && !(text[i] == '_' && i + 1 < variable.len && text[i + 1] == '_'))
			continue;
		if (i == start || name->count == NAME_DEPTH_MAX)
			return false;
		name->segment[name->count++] = (struct slice){text + start, i - start};
		start = end ? i : i + 2;
		i = end ? i : i + 1;
	}
	return true;
}

// Shells allow no dots in names: '_' stands for what the table says, unless a dot was written.
static struct slice restore(struct slice text, char underscore, struct arena *arena)
{
	struct slice copy = arena_copy(arena, text);
	char *p = arena_text(arena, copy.ptr);

	if (underscore == '\0' || memchr(text.ptr, '.', text.len))
		return copy;
	for (size_t i = 0; i < text.len; i++)
		if (p[i] == '_')
			p[i] = underscore;
	return (struct slice){p, text.len};
}

static char fold(char c)
{
	return c == '.' || c == '-' ? '_' : lower(c);
}

static bool folds_to(struct slice name, struct slice variable)
{
	if (name.len != variable.len)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (fold(name.ptr[i]) != fold(variable.ptr[i]))
			return false;
	return true;
}

// The section of the table that a variable means: one that is named so already, or a new one.
static struct slice resolve_instance(const struct load *load, const struct setting_table *table, struct slice segment)
{
	if (slice_is_absent(segment))
		return segment;
	for (size_t i = 0; i < load->count; i++)
		if (load->assignments[i].ref.table == table && slice_equal(load->assignments[i].instance, segment))
			return segment;
	for (size_t i = 0; i < load->count; i++)
		if (load->assignments[i].ref.table == table && folds_to(load->assignments[i].instance, segment))
			return load->assignments[i].instance;
	return restore(segment, table->underscore, load->conf->arena);
}

static void take_variable(struct load *load, const char *variable, struct slice name_part, struct slice value)
{
	struct arena *arena = load->conf->arena;
	struct origin at = {.kind = ORIGIN_ENVIRONMENT, .variable = variable};
	struct assignment a = {.kind = ASSIGN_TEXT, .text = value, .origin = at};
	struct name name = {0};
	struct slice *entry;

	if (!split(name_part, arena, &name)) {
		load_error(load, &at, SLICE_ABSENT, "not the name of a setting");
		return;
	}
	a.ref = name_find(&load->conf->tables, &name, NAME_EXACT);
	if (!a.ref.row) {
		a.ref = name_find_secret_file(&load->conf->tables, &name);
		a.kind = ASSIGN_SECRET;
	}
	if (!a.ref.row) {
		a.ref = name_find(&load->conf->tables, &name, NAME_BEYOND);
		a.kind = ASSIGN_ENTRY;
		if (!a.ref.row || a.ref.row->type != SETTING_MAP || name_of_row(a.ref.row->name).count + 1 != name.count) {
			load_unknown(load, &at, &name, true);
			return;
		}
		entry = ARENA_ARRAY(arena, 2, struct slice);
		entry[0] = restore(name.segment[name.count - 1], a.ref.row->underscore, arena);
		entry[1] = value;
		a.names = &entry[0];
		a.values = &entry[1];
		a.count = 1;
	}
	if (value.len == 0)
		return; // as good as not set
	a.instance = resolve_instance(load, a.ref.table, name_instance(a.ref.table, &name));
	load_assign(load, &a);
}

static int compare_variables(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void load_environment(struct load *load, char *const *environment)
{
	size_t count = 0, ours = 0;
	char **sorted;

	while (environment && environment[count])
		count++;
	sorted = ARENA_ARRAY(load->conf->arena, count, char *);
	for (size_t i = 0; i < count; i++)
		if (strncmp(environment[i], PREFIX, sizeof(PREFIX) - 1) == 0 && strchr(environment[i], '='))
			sorted[ours++] = environment[i];
	// The order of environ is no order.
	qsort(sorted, ours, sizeof(*sorted), compare_variables);
	for (size_t i = 0; i < ours; i++) {
		size_t len = (size_t)(strchr(sorted[i], '=') - sorted[i]);
		struct slice variable = arena_copy(load->conf->arena, (struct slice){sorted[i], len});
		struct slice value = arena_copy(load->conf->arena, slice_of(sorted[i] + len + 1));

		take_variable(load, variable.ptr, (struct slice){variable.ptr + sizeof(PREFIX) - 1, len - (sizeof(PREFIX) - 1)},
			      value);
	}
}
