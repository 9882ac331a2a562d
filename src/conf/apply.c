// SPDX-License-Identifier: Apache-2.0
// Assignments to values, then what no assignment shows: credentials, missing settings, the modules' own checks.
#include <unistd.h>

#include "conf/load.h"

static char *struct_of(const struct section *s, size_t index)
{
	return s->values + index * s->table->struct_size;
}

static struct origin *origin_of(const struct section *s, size_t index, const struct setting *row)
{
	return &s->origins[index * s->table->count + (size_t)(row - s->table->rows)];
}

static struct slice full_name(const struct load *load, const struct section *s, size_t index, const struct setting *row)
{
	return name_full(row->name, section_instance(s, index), load->conf->arena);
}

// The names of a table's sections, in the order in which they first appear.
static size_t collect_instances(const struct load *load, const struct setting_table *table, struct slice *names)
{
	size_t count = 0;

	for (size_t i = 0; i < load->count; i++) {
		const struct assignment *a = &load->assignments[i];
		bool known = a->ref.table != table;

		for (size_t k = 0; k < count && !known; k++)
			known = slice_equal(names[k], a->instance);
		if (!known)
			names[count++] = a->instance;
	}
	return count;
}

static void build_section(const struct load *load, const struct setting_table *table, struct section *s)
{
	struct arena *arena = load->conf->arena;
	struct slice *names = ARENA_ARRAY(arena, load->count, struct slice);

	*s = (struct section){.table = table, .count = table->per_name ? collect_instances(load, table, names) : 1};
	s->values = arena_alloc_array(arena, s->count, table->struct_size);
	s->origins = ARENA_ARRAY(arena, s->count * table->count, struct origin);
	for (size_t i = 0; i < s->count; i++) {
		if (table->per_name)
			*(const char **)(void *)struct_of(s, i) = arena_copy(arena, names[i]).ptr;
		settings_defaults(table, arena, struct_of(s, i));
	}
}

static size_t instance_index(const struct section *s, struct slice instance)
{
	for (size_t i = 0; s->table->per_name && i < s->count; i++)
		if (slice_equal_text(instance, section_instance(s, i)))
			return i;
	return 0;
}

// One entry more, or another value for it.
static enum reason set_entry(struct load *load, const struct assignment *a, void *values, struct origin *origin, struct fault *f)
{
	const struct setting_map *map = (const void *)((const char *)values + a->ref.row->offset);
	struct slice *names = ARENA_ARRAY(load->conf->arena, map->count + 1, struct slice);
	struct slice *texts = ARENA_ARRAY(load->conf->arena, map->count + 1, struct slice);
	struct origin *origins = ARENA_ARRAY(load->conf->arena, map->count + 1, struct origin);
	size_t count = map->count, at = count;
	enum reason r;

	for (size_t i = 0; i < count; i++) {
		names[i] = slice_of(map->pairs[i].name);
		texts[i] = slice_of(map->pairs[i].value);
		origins[i] = origin->entries ? origin->entries[i] : *origin;
		if (slice_equal(names[i], a->names[0]))
			at = i;
	}
	names[at] = a->names[0];
	texts[at] = a->values[0];
	origins[at] = a->origin;
	r = setting_set_map(a->ref.row, names, texts, at == count ? count + 1 : count, load->conf->arena, values, f);
	origin->entries = r ? NULL : origins;
	return r;
}

static enum reason set_value(struct load *load, const struct assignment *a, void *values, struct origin *origin, struct fault *f)
{
	struct arena *arena = load->conf->arena;
	const struct setting *row = a->ref.row;
	struct slice text = a->text;

	switch (a->kind) {
	case ASSIGN_LIST: return setting_set_list(row, a->values, a->count, arena, values, f);
	case ASSIGN_MAP:
		origin->entries = a->entry_origins;
		return setting_set_map(row, a->names, a->values, a->count, arena, values, f);
	case ASSIGN_ENTRY: return set_entry(load, a, values, origin, f);
	case ASSIGN_SECRET:
		if (secret_file_read(arena_copy(arena, text).ptr, arena, &text, f))
			return fault_prefix(f, "%.*s", text.len < 200 ? (int)text.len : 200, text.ptr);
		return setting_set(row, text, arena, values, f);
	default: origin->entries = NULL; return setting_set(row, text, arena, values, f);
	}
}

static void apply(struct load *load, const struct assignment *a)
{
	const struct section *s = section_of(load->conf, a->ref.table);
	size_t index = instance_index(s, a->instance);
	struct origin *origin, before;
	struct fault f = {0};

	if (a->kind == ASSIGN_NOTHING)
		return;
	origin = origin_of(s, index, a->ref.row);
	before = *origin;
	if (a->ref.row->type == SETTING_SECRET && before.kind == a->origin.kind) {
		load_error(load, &a->origin, full_name(load, s, index, a->ref.row), "given as a text and as a file");
		return;
	}
	if (a->kind == ASSIGN_FAILED) {
		before.failed = true;
	} else if (set_value(load, a, struct_of(s, index), origin, &f)) {
		load_error(load, &a->origin, full_name(load, s, index, a->ref.row), "%s", f.detail);
		before.failed = true;
	}
	*origin = (struct origin){.kind = a->origin.kind,
				  .line = a->origin.line,
				  .column = a->origin.column,
				  .variable = a->origin.variable,
				  .failed = before.failed,
				  .entries = origin->entries};
}

// systemd's LoadCredential=, named like the setting.
static void take_credential(struct load *load, const struct section *s, size_t index, const struct setting *row,
			    const char *directory)
{
	struct slice name = full_name(load, s, index, row);
	struct origin *origin = origin_of(s, index, row);
	struct slice path, text;
	struct fault f = {0};

	if (row->type != SETTING_SECRET || origin->kind != ORIGIN_DEFAULT || memchr(name.ptr, '/', name.len))
		return;
	path = arena_printf(load->conf->arena, "%s/%.*s", directory, (int)name.len, name.ptr);
	if (access(path.ptr, F_OK) != 0)
		return;
	origin->kind = ORIGIN_CREDENTIAL;
	if (secret_file_read(path.ptr, load->conf->arena, &text, &f) ||
	    setting_set(row, text, load->conf->arena, struct_of(s, index), &f)) {
		load_error(load, origin, name, "%s", f.detail);
		origin->failed = true;
	}
}

static void require(struct load *load, const struct section *s, size_t index, const struct setting *row)
{
	struct origin *origin = origin_of(s, index, row);
	struct strbuf variable = STRBUF_INIT(512);

	if (!row->required || origin->kind != ORIGIN_DEFAULT)
		return;
	name_to_variable(row->name, &variable);
	load_error(load, NULL, full_name(load, s, index, row), "must be set, here or by %s%s", variable.data,
		   row->type == SETTING_SECRET ? "_FILE" : "");
	strbuf_free(&variable);
	origin->failed = true;
}

// Where the setting that the detail begins with was set; NULL if it says none.
static const struct origin *origin_of_detail(const struct load *load, const struct section *s, size_t index, const char *detail)
{
	for (size_t i = 0; i < s->table->count; i++) {
		struct slice name = full_name(load, s, index, &s->table->rows[i]);
		const struct origin *origin = origin_of(s, index, &s->table->rows[i]);

		if (strncmp(detail, name.ptr, name.len) == 0 && detail[name.len] == ':')
			return origin->kind == ORIGIN_DEFAULT ? NULL : origin;
	}
	return NULL;
}

static void finish(struct load *load, const struct section *s, size_t index, const char *credentials)
{
	struct fault f = {0};
	bool failed = false;

	for (size_t i = 0; i < s->table->count; i++) {
		if (credentials && credentials[0])
			take_credential(load, s, index, &s->table->rows[i], credentials);
		require(load, s, index, &s->table->rows[i]);
		failed = failed || origin_of(s, index, &s->table->rows[i])->failed;
	}
	if (!failed && s->table->check && s->table->check(struct_of(s, index), &f))
		load_error(load, origin_of_detail(load, s, index, f.detail), SLICE_ABSENT, "%s", f.detail);
}

void load_apply(struct load *load, char *const *environment)
{
	const char *credentials = environment_get(environment, "CREDENTIALS_DIRECTORY");
	struct conf *conf = load->conf;

	conf->sections = ARENA_ARRAY(conf->arena, conf->tables.count, struct section);
	for (size_t t = 0; t < conf->tables.count; t++)
		build_section(load, conf->tables.items[t], &conf->sections[t]);
	for (size_t i = 0; i < load->count; i++)
		apply(load, &load->assignments[i]);
	for (size_t t = 0; t < conf->tables.count; t++)
		for (size_t i = 0; i < conf->sections[t].count; i++)
			finish(load, &conf->sections[t], i, credentials);
}
