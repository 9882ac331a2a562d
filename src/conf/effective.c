// SPDX-License-Identifier: Apache-2.0
// The values in force, each with its source and without its secrets.
#include "conf/load.h"
#include "enrolld/doc/json.h"

// One line of text or one object: a row, or an entry of a map.
struct item {
	struct slice name;
	const struct setting *row;
	const void *values;
	const struct setting_pair *pair; // of a MAP
	const struct origin *origin;
};

static void write_text(const struct conf *conf, const struct item *item, struct strbuf *out)
{
	strbuf_printf(out, "%.*s", (int)item->name.len, item->name.ptr);
	if (item->pair)
		strbuf_printf(out, ".%s: %s", item->pair->name,
			      setting_is_secret_name(item->pair->name) ? "***" : item->pair->value);
	else {
		strbuf_add_text(out, ": ");
		setting_write(item->row, item->values, out);
	}
	strbuf_add_text(out, "  # ");
	origin_write(conf, item->origin, out);
	strbuf_add_char(out, '\n');
}

static void json_value(const struct item *item, struct json_writer *w)
{
	const void *member = (const char *)item->values + item->row->offset;
	const struct setting_list *list = member;
	struct strbuf text = STRBUF_INIT(65536);

	if (item->pair) {
		json_text(w, slice_of(setting_is_secret_name(item->pair->name) ? "***" : item->pair->value));
		return;
	}
	switch (item->row->type) {
	case SETTING_BOOL: json_bool(w, *(const bool *)member); break;
	case SETTING_INT: json_int(w, *(const int64_t *)member); break;
	case SETTING_MAP: // without entries, else they come one by one
		json_open_map(w);
		json_close_map(w);
		break;
	case SETTING_LIST:
		json_open_list(w);
		for (size_t i = 0; i < list->count; i++)
			json_text(w, slice_of(list->items[i]));
		json_close_list(w);
		break;
	default:
		setting_write(item->row, item->values, &text);
		json_text(w, text.len ? strbuf_slice(&text) : SLICE_ABSENT);
		strbuf_free(&text);
		break;
	}
}

static void write_json(const struct conf *conf, const struct item *item, struct json_writer *w)
{
	struct strbuf text = STRBUF_INIT(65536);

	json_open_map(w);
	strbuf_add_slice(&text, item->name);
	if (item->pair)
		strbuf_printf(&text, ".%s", item->pair->name);
	json_member_text(w, "name", strbuf_slice(&text));
	json_key(w, "value");
	json_value(item, w);
	strbuf_reset(&text);
	origin_write(conf, item->origin, &text);
	json_member_text(w, "source", strbuf_slice(&text));
	json_close_map(w);
	strbuf_free(&text);
}

static void write_item(const struct conf *conf, const struct item *item, struct json_writer *w, struct strbuf *out)
{
	if (w)
		write_json(conf, item, w);
	else
		write_text(conf, item, out);
}

static void write_row(const struct conf *conf, const struct section *s, size_t index, size_t row, struct json_writer *w,
		      struct strbuf *out)
{
	const struct origin *origin = &s->origins[index * s->table->count + row];
	struct arena *names = arena_create(1024);
	struct item item = {.row = &s->table->rows[row], .values = s->values + index * s->table->struct_size, .origin = origin};
	const struct setting_map *map = (const void *)((const char *)item.values + item.row->offset);

	item.name = name_full(item.row->name, section_instance(s, index), names);
	if (item.row->type == SETTING_MAP && map->count > 0) {
		for (size_t i = 0; i < map->count; i++) {
			item.pair = &map->pairs[i];
			item.origin = origin->entries ? &origin->entries[i] : origin;
			write_item(conf, &item, w, out);
		}
	} else {
		write_item(conf, &item, w, out);
	}
	arena_destroy(names);
}

void conf_print_effective(const struct conf *conf, enum conf_format format, struct strbuf *out)
{
	struct json_writer writer = {0}, *w = format == CONF_FORMAT_JSON ? &writer : NULL;

	if (w) {
		json_begin(w, out);
		json_open_list(w);
	}
	for (size_t t = 0; t < conf->tables.count; t++)
		for (size_t i = 0; i < conf->sections[t].count; i++)
			for (size_t row = 0; row < conf->sections[t].table->count; row++)
				write_row(conf, &conf->sections[t], i, row, w, out);
	if (w) {
		json_close_list(w);
		strbuf_add_char(out, '\n');
	}
}
