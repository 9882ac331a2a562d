// SPDX-License-Identifier: Apache-2.0
// Settings rows in the other direction: a module's struct to text, without its secrets.
#include <inttypes.h>

#include "enrolld/model/settings.h"

static const void *member_of(const void *conf, const struct setting *row)
{
	return (const char *)conf + row->offset;
}

static const char *text_of(const void *conf, const struct setting *row)
{
	return *(const char *const *)member_of(conf, row);
}

static int64_t number_of(const void *conf, const struct setting *row)
{
	return *(const int64_t *)member_of(conf, row);
}

bool setting_is_secret_name(const char *name)
{
	static const char *const words[] = {"password", "secret", "key", "token", "credential", "jaas", "oauthbearer.config"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

static void write_list(const struct setting_list *list, struct strbuf *out)
{
	for (size_t i = 0; i < list->count; i++)
		strbuf_printf(out, "%s%s", i ? ", " : "", list->items[i]);
}

static void write_map(const struct setting_map *map, struct strbuf *out)
{
	for (size_t i = 0; i < map->count; i++)
		strbuf_printf(out, "%s%s=%s", i ? ", " : "", map->pairs[i].name,
			      setting_is_secret_name(map->pairs[i].name) ? "***" : map->pairs[i].value);
}

void setting_write(const struct setting *row, const void *conf, struct strbuf *out)
{
	char number[SETTING_NUMBER_SIZE];

	switch (row->type) {
	case SETTING_BOOL: strbuf_add_text(out, *(const bool *)member_of(conf, row) ? "true" : "false"); break;
	case SETTING_INT: strbuf_printf(out, "%" PRId64, number_of(conf, row)); break;
	case SETTING_DURATION: strbuf_add_text(out, setting_format_duration(number_of(conf, row), number)); break;
	case SETTING_SIZE: strbuf_add_text(out, setting_format_size(number_of(conf, row), number)); break;
	case SETTING_TEXT:
	case SETTING_PATH: strbuf_add_slice(out, slice_of(text_of(conf, row))); break;
	case SETTING_SECRET: strbuf_add_text(out, text_of(conf, row) ? "***" : ""); break;
	case SETTING_CHOICE:
		for (const struct setting_choice *c = row->choices; c && c->name; c++)
			if (c->value == *(const int *)member_of(conf, row)) {
				strbuf_add_text(out, c->name);
				break;
			}
		break;
	case SETTING_LIST: write_list(member_of(conf, row), out); break;
	case SETTING_MAP: write_map(member_of(conf, row), out); break;
	}
}

static bool texts_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool lists_equal(const struct setting_list *a, const struct setting_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!texts_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

// In any order: what is passed through has none.
static bool maps_equal(const struct setting_map *a, const struct setting_map *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!texts_equal(a->pairs[i].value, setting_map_get(b, a->pairs[i].name)))
			return false;
	return true;
}

bool setting_equal(const struct setting *row, const void *conf_a, const void *conf_b)
{
	const void *a = member_of(conf_a, row), *b = member_of(conf_b, row);

	switch (row->type) {
	case SETTING_BOOL: return *(const bool *)a == *(const bool *)b;
	case SETTING_INT:
	case SETTING_DURATION:
	case SETTING_SIZE: return *(const int64_t *)a == *(const int64_t *)b;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_SECRET: return texts_equal(text_of(conf_a, row), text_of(conf_b, row));
	case SETTING_CHOICE: return *(const int *)a == *(const int *)b;
	case SETTING_LIST: return lists_equal(a, b);
	case SETTING_MAP: return maps_equal(a, b);
	}
	return false;
}

const char *setting_type_name(enum setting_type type)
{
	static const char *const names[] = {
		[SETTING_BOOL] = "boolean", [SETTING_INT] = "integer",  [SETTING_DURATION] = "duration", [SETTING_SIZE] = "size",
		[SETTING_TEXT] = "text",    [SETTING_PATH] = "path",    [SETTING_CHOICE] = "choice",     [SETTING_LIST] = "list",
		[SETTING_MAP] = "map",      [SETTING_SECRET] = "secret"};

	return names[type];
}
