// SPDX-License-Identifier: Apache-2.0
// Loading a configuration, and asking it.
#include "enrolld/conf/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/load.h"
#include "enrolld/doc/yaml.h"

#define DEFAULT_PATH "/etc/enrolld/enrolld.yaml"
#define REPORT_SIZE_MAX 65536

void origin_write(const struct conf *conf, const struct origin *origin, struct strbuf *out)
{
	switch (origin->kind) {
	case ORIGIN_DEFAULT: strbuf_add_text(out, "default"); break;
	case ORIGIN_FILE: strbuf_printf(out, "%s:%d:%d", conf->path, origin->line, origin->column); break;
	case ORIGIN_ENVIRONMENT: strbuf_add_text(out, origin->variable); break;
	case ORIGIN_CREDENTIAL: strbuf_add_text(out, "credential"); break;
	}
}

void load_error(struct load *load, const struct origin *at, struct slice name, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (load->error_count++ >= CONF_ERRORS_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (at) {
		origin_write(load->conf, at, &load->errors);
		strbuf_add_text(&load->errors, ": ");
	} else if (load->conf->path) {
		strbuf_printf(&load->errors, "%s: ", load->conf->path);
	}
	// A variable says which setting it is.
	if (name.len > 0 && (!at || at->kind != ORIGIN_ENVIRONMENT)) {
		strbuf_add_slice(&load->errors, name);
		strbuf_add_text(&load->errors, ": ");
	}
	strbuf_printf(&load->errors, "%s\n", text);
}

void load_unknown(struct load *load, const struct origin *at, const struct name *name, bool as_variable)
{
	const char *nearest = name_nearest(&load->conf->tables, name, load->conf->arena);
	struct slice full = name_join(name, load->conf->arena);
	struct strbuf variable = STRBUF_INIT(512);
	struct name dotted;

	if (nearest && as_variable)
		name_to_variable(nearest, &variable);
	if (name_split(full.ptr, &dotted) && dotted.count > name->count && name_find(&load->conf->tables, &dotted, NAME_EXACT).row)
		load_error(load, at, full, "unknown setting; write nested maps instead of a name with dots");
	else if (!nearest)
		load_error(load, at, full, "unknown setting");
	else
		load_error(load, at, full, "unknown setting, did you mean %s?", as_variable ? variable.data : nearest);
	strbuf_free(&variable);
}

void load_assign(struct load *load, const struct assignment *assignment)
{
	if (load->count == load->size) {
		load->size = load->size ? load->size * 2 : 64;
		load->assignments = reallocarray(load->assignments, load->size, sizeof(*load->assignments));
		if (!load->assignments)
			PANIC("out of memory");
	}
	load->assignments[load->count++] = *assignment;
}

const char *environment_get(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; environment && *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

// Fills the fault and the report from the errors noted.
static enum reason give_report(const struct load *load, struct strbuf *report, struct fault *f)
{
	const char *errors = load->errors.data;
	size_t first = (size_t)(strchr(errors, '\n') - errors);
	int shown = first < 250 ? (int)first : 250;

	if (report) {
		strbuf_add(report, errors, load->errors.len);
		if (load->error_count > CONF_ERRORS_MAX)
			strbuf_printf(report, "... and %zu more\n", load->error_count - CONF_ERRORS_MAX);
	}
	if (load->error_count == 1)
		return fault_set(f, REASON_SETTING_INVALID, "%.*s", shown, errors);
	return fault_set(f, REASON_SETTING_INVALID, "%.*s (and %zu more)", shown, errors, load->error_count - 1);
}

static const char *choose_path(const char *path, char *const *environment)
{
	const char *named = environment_get(environment, "ENROLLD_CONFIG");

	if (path)
		return path[0] ? path : NULL;
	if (named && named[0])
		return named;
	return access(DEFAULT_PATH, F_OK) == 0 ? DEFAULT_PATH : NULL;
}

enum reason conf_load(const struct conf_tables *tables, const char *path, char *const *environment, struct strbuf *report,
		      struct conf **conf, struct fault *f)
{
	struct arena *arena = arena_create(16384);
	struct conf *made = ARENA_NEW(arena, struct conf);
	struct load load = {.conf = made, .errors = STRBUF_INIT(REPORT_SIZE_MAX)};
	const struct node *root = NULL;
	enum reason r = REASON_OK;

	path = choose_path(path, environment);
	*made = (struct conf){.arena = arena, .tables = *tables, .path = path ? arena_text(arena, path) : NULL};
	if (path && (r = yaml_parse_file(path, REASON_SETTING_INVALID, arena, &root, f))) {
		if (report)
			strbuf_printf(report, "%s\n", f->detail);
		goto out;
	}
	if (root)
		load_file(&load, root);
	load_environment(&load, environment);
	load_apply(&load, environment);
	if (load.error_count > 0)
		r = give_report(&load, report, f);
out:
	free(load.assignments);
	strbuf_free(&load.errors);
	if (r)
		arena_destroy(arena);
	else
		*conf = made;
	return r;
}

void conf_destroy(struct conf *conf)
{
	if (conf)
		arena_destroy(conf->arena);
}

const struct section *section_of(const struct conf *conf, const struct setting_table *table)
{
	for (size_t i = 0; i < conf->tables.count; i++)
		if (conf->tables.items[i] == table)
			return &conf->sections[i];
	PANIC("settings of %s are not loaded", table->module);
}

const char *section_instance(const struct section *section, size_t index)
{
	return section->table->per_name ? *(const char **)(void *)(section->values + index * section->table->struct_size) : NULL;
}

const void *conf_get(const struct conf *conf, const struct setting_table *table)
{
	if (table->per_name)
		PANIC("settings of %s are per name", table->module);
	return section_of(conf, table)->values;
}

const void *conf_get_named(const struct conf *conf, const struct setting_table *table, size_t *count)
{
	const struct section *section = section_of(conf, table);

	*count = section->count;
	return section->values;
}

const char *conf_path(const struct conf *conf)
{
	return conf->path;
}
