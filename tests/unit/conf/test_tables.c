// SPDX-License-Identifier: Apache-2.0
// The settings of all modules: rows that name, bound, describe and default their settings properly.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf/name.h"
#include "enrolld/doc/json.h"
#include "enrolld/doc/yaml.h"

static void for_each_row(void (*check)(const struct setting_table *table, const struct setting *row))
{
	const struct conf_tables *tables = conf_tables();

	for (size_t t = 0; t < tables->count; t++)
		for (size_t i = 0; i < tables->items[t]->count; i++)
			check(tables->items[t], &tables->items[t]->rows[i]);
}

static void check_name(const struct setting_table *table, const struct setting *row)
{
	size_t stars = 0;

	if (strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_.*") != strlen(row->name) || strstr(row->name, "__") ||
	    strstr(row->name, "..") || !strchr(row->name, '.'))
		fail_msg("%s", row->name);
	for (const char *p = row->name; *p; p++)
		stars += *p == '*';
	if (stars != table->per_name || (stars && !strstr(row->name, ".*.")))
		fail_msg("%s: stars", row->name);
}

static void check_row(const struct setting_table *table, const struct setting *row)
{
	size_t doc = row->doc ? strlen(row->doc) : 0;

	if (doc < 5 || row->doc[doc - 1] != '.')
		fail_msg("%s: the doc is not a sentence", row->name);
	if (row->min > row->max || row->offset >= table->struct_size)
		fail_msg("%s: min, max or offset", row->name);
	if (row->required && row->fallback)
		fail_msg("%s: required, so the default is of no use", row->name);
	if ((row->type == SETTING_CHOICE) != (row->choices != NULL) && row->type != SETTING_LIST)
		fail_msg("%s: choices", row->name);
	if (row->type != SETTING_SECRET && row->type != SETTING_BOOL && strstr(row->name, "password"))
		fail_msg("%s: is it no secret?", row->name);
	if (row->type == SETTING_INT && (row->min || row->max) && !row->unit)
		fail_msg("%s: an integer needs a unit", row->name);
}

static void test_names(void **state)
{
	(void)state;
	for_each_row(check_name);
}

static void test_rows(void **state)
{
	(void)state;
	for_each_row(check_row);
}

static void test_no_name_twice(void **state)
{
	const struct conf_tables *tables = conf_tables();

	(void)state;
	for (size_t t = 0; t < tables->count; t++) {
		for (size_t i = 0; i < tables->items[t]->count; i++) {
			struct name name = name_of_row(tables->items[t]->rows[i].name);
			struct row_ref found = name_find(tables, &name, NAME_EXACT);

			if (found.row != &tables->items[t]->rows[i])
				fail_msg("%s: also %s", tables->items[t]->rows[i].name, found.row->name);
			if (name_find_secret_file(tables, &name).row)
				fail_msg("%s: means the file of a secret", tables->items[t]->rows[i].name);
		}
	}
}

static void test_defaults_are_acceptable(void **state)
{
	const struct conf_tables *tables = conf_tables();
	struct arena *arena = arena_create(4096);

	(void)state;
	for (size_t t = 0; t < tables->count; t++)
		settings_defaults(tables->items[t], arena, arena_alloc(arena, tables->items[t]->struct_size));
	arena_destroy(arena);
}

static void test_references_parse(void **state)
{
	struct strbuf out = STRBUF_INIT(1 << 20);
	struct arena *arena = arena_create(4096);
	const struct node *root = NULL;
	struct fault f = {0};

	(void)state;
	conf_print_reference(conf_tables(), CONF_FORMAT_JSON, &out);
	assert_int_equal(json_parse(strbuf_slice(&out), (struct json_limits){1 << 20, 32, 100000, false}, arena, &root, &f),
			 REASON_OK);
	assert_int_equal(node_count(root), conf_tables()->count);
	strbuf_reset(&out);
	conf_print_reference(conf_tables(), CONF_FORMAT_YAML, &out);
	if (yaml_parse("reference", strbuf_slice(&out), REASON_SETTING_INVALID, arena, &root, &f))
		fail_msg("%s", f.detail);
	arena_destroy(arena);
	strbuf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_name_twice),
		cmocka_unit_test(test_defaults_are_acceptable),
		cmocka_unit_test(test_references_parse),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
