// SPDX-License-Identifier: Apache-2.0
// What a reload would change.
#include "conf/load.h"

struct diff {
	struct arena *arena; // of names
	void (*each)(void *ctx, const char *name, bool reloadable);
	void *ctx;
	size_t count;
};

static void report(struct diff *d, struct slice name, bool reloadable)
{
	d->count++;
	if (d->each)
		d->each(d->ctx, name.ptr, reloadable);
}

static const char *struct_of(const struct section *s, size_t index)
{
	return s->values + index * s->table->struct_size;
}

static void diff_structs(struct diff *d, const struct setting_table *table, const char *instance, const char *before,
			 const char *after)
{
	for (size_t i = 0; i < table->count; i++)
		if (!setting_equal(&table->rows[i], before, after))
			report(d, name_full(table->rows[i].name, instance, d->arena), table->rows[i].reloadable);
}

static const char *find(const struct section *s, const char *instance)
{
	for (size_t i = 0; i < s->count; i++)
		if (!instance || strcmp(section_instance(s, i), instance) == 0)
			return struct_of(s, i);
	return NULL;
}

// "topics.x", the part of the rows' names up to the instance.
static void report_section(struct diff *d, const struct setting_table *table, const char *instance)
{
	struct name name = name_of_row(table->rows[0].name);

	for (size_t i = 0; i < name.count; i++)
		if (slice_equal_text(name.segment[i], "*")) {
			name.segment[i] = slice_of(instance);
			name.count = i + 1;
		}
	report(d, name_join(&name, d->arena), false);
}

size_t conf_diff(const struct conf *before, const struct conf *after, void (*each)(void *ctx, const char *name, bool reloadable),
		 void *ctx)
{
	struct diff d = {.arena = arena_create(4096), .each = each, .ctx = ctx};

	for (size_t t = 0; t < after->tables.count; t++) {
		const struct section *new = &after->sections[t], *old = section_of(before, new->table);

		for (size_t i = 0; i < old->count; i++) {
			const char *instance = section_instance(old, i), *other = find(new, instance);

			if (other)
				diff_structs(&d, new->table, instance, struct_of(old, i), other);
			else
				report_section(&d, new->table, instance);
		}
		for (size_t i = 0; i < new->count; i++)
			if (!find(old, section_instance(new, i)))
				report_section(&d, new->table, section_instance(new, i));
	}
	arena_destroy(d.arena);
	return d.count;
}
