// SPDX-License-Identifier: Apache-2.0
// The reference of all settings, printed from their rows.
#include "conf/name.h"
#include "enrolld/doc/json.h"

static void write_bound(const struct setting *row, int64_t n, struct strbuf *out)
{
	char text[SETTING_NUMBER_SIZE];

	switch (row->type) {
	case SETTING_DURATION: strbuf_add_text(out, setting_format_duration(n, text)); break;
	case SETTING_SIZE: strbuf_add_text(out, setting_format_size(n, text)); break;
	default: strbuf_printf(out, "%lld", (long long)n); break;
	}
}

// "duration, 1s to 10m", "transactional or idempotent", "list of texts".
static void write_type(const struct setting *row, struct strbuf *out)
{
	if (row->type == SETTING_LIST)
		strbuf_add_text(out, "list of ");
	if (row->choices) {
		for (const struct setting_choice *c = row->choices; c->name; c++)
			strbuf_printf(out, "%s%s", c == row->choices ? "" : c[1].name ? ", " : " or ", c->name);
	} else {
		strbuf_add_text(out, row->type == SETTING_LIST ? "texts" : setting_type_name(row->type));
	}
	if (row->min != 0 || row->max != 0) {
		strbuf_add_text(out, ", ");
		write_bound(row, row->min, out);
		strbuf_add_text(out, " to ");
		write_bound(row, row->max, out);
	}
	switch (row->type) {
	case SETTING_INT:
		if (row->unit)
			strbuf_printf(out, " %s", row->unit);
		break;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_SECRET: strbuf_add_text(out, row->min != 0 || row->max != 0 ? " bytes" : ""); break;
	case SETTING_LIST:
	case SETTING_MAP: strbuf_add_text(out, row->min != 0 || row->max != 0 ? " entries" : ""); break;
	default: break;
	}
}

static const char *fallback_of(const struct setting *row)
{
	if (row->required)
		return "required";
	if (row->fallback)
		return row->fallback[0] ? row->fallback : "empty";
	switch (row->type) {
	case SETTING_BOOL: return "false";
	case SETTING_INT:
	case SETTING_DURATION:
	case SETTING_SIZE: return "0";
	case SETTING_LIST:
	case SETTING_MAP: return "empty";
	default: return "not set";
	}
}

// What an administrator calls a table: the first parts of its names, "log, keys, data, admin".
static void write_heading(const struct setting_table *table, struct strbuf *out)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->rows[i].name;
		int len = (int)strcspn(name, ".");
		bool said = false;

		for (size_t k = 0; k < i && !said; k++)
			said = strncmp(table->rows[k].name, name, (size_t)len + 1) == 0;
		if (!said)
			strbuf_printf(out, "%s%.*s", i ? ", " : "", len, name);
	}
}

static void print_text(const struct setting_table *table, struct strbuf *out)
{
	strbuf_add_text(out, "# ");
	write_heading(table, out);
	strbuf_printf(out, ": %s\n\n", table->doc ? table->doc : "");
	for (size_t i = 0; i < table->count; i++) {
		const struct setting *row = &table->rows[i];

		strbuf_printf(out, "%s\n    ", row->name);
		write_type(row, out);
		strbuf_printf(out, "; %s%s%s\n    %s\n", row->required ? "" : "default: ", fallback_of(row),
			      row->reloadable ? "; reloadable" : "", row->doc ? row->doc : "");
		for (const struct setting_choice *c = row->choices; c && c->name; c++)
			if (c->doc)
				strbuf_printf(out, "      %s: %s\n", c->name, c->doc);
		strbuf_add_text(out, "    ");
		name_to_variable(row->name, out);
		strbuf_printf(out, "%s\n\n",
			      row->type == SETTING_SECRET ? ", also with _FILE"
			      : row->type == SETTING_MAP  ? "__ENTRY"
							  : "");
	}
}

// In a table's cell a bar would end it.
static void add_cell(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			strbuf_add_char(out, '\\');
		strbuf_add_char(out, *text);
	}
}

static void print_markdown(const struct setting_table *table, struct strbuf *out)
{
	strbuf_add_text(out, "## ");
	write_heading(table, out);
	strbuf_printf(out, "\n\n%s\n\n| setting | type | default | reload | meaning |\n|---|---|---|---|---|\n",
		      table->doc ? table->doc : "");
	for (size_t i = 0; i < table->count; i++) {
		const struct setting *row = &table->rows[i];
		bool word = row->required || !row->fallback || !row->fallback[0];

		strbuf_printf(out, "| `%s` | ", row->name);
		write_type(row, out);
		strbuf_add_text(out, word ? " | " : " | `");
		add_cell(out, fallback_of(row));
		strbuf_printf(out, "%s | %s | ", word ? "" : "`", row->reloadable ? "yes" : "no");
		add_cell(out, row->doc ? row->doc : "");
		for (const struct setting_choice *c = row->choices; c && c->name; c++)
			if (c->doc) {
				strbuf_printf(out, " `%s`: ", c->name);
				add_cell(out, c->doc);
			}
		strbuf_add_text(out, " |\n");
	}
	strbuf_add_char(out, '\n');
}

static void json_bound(struct json_writer *w, const char *key, const struct setting *row, int64_t n)
{
	if (row->min == 0 && row->max == 0)
		return;
	json_member_int(w, key, n);
}

static void json_row(struct json_writer *w, const struct setting *row)
{
	struct strbuf variable = STRBUF_INIT(512);

	name_to_variable(row->name, &variable);
	json_open_map(w);
	json_member_text(w, "name", slice_of(row->name));
	json_member_text(w, "type", slice_of(setting_type_name(row->type)));
	json_member_text(w, "unit",
			 row->type == SETTING_DURATION ? SLICE_LIT("ms")
			 : row->type == SETTING_SIZE   ? SLICE_LIT("bytes")
						       : slice_of(row->unit));
	json_bound(w, "min", row, row->min);
	json_bound(w, "max", row, row->max);
	json_member_text(w, "default", slice_of(row->fallback));
	if (row->choices) {
		json_key(w, "choices");
		json_open_list(w);
		for (const struct setting_choice *c = row->choices; c->name; c++) {
			json_open_map(w);
			json_member_text(w, "name", slice_of(c->name));
			json_member_text(w, "doc", slice_of(c->doc));
			json_close_map(w);
		}
		json_close_list(w);
	}
	json_key(w, "required");
	json_bool(w, row->required);
	json_key(w, "reloadable");
	json_bool(w, row->reloadable);
	json_key(w, "secret");
	json_bool(w, row->type == SETTING_SECRET);
	json_member_text(w, "environment", strbuf_slice(&variable));
	json_member_text(w, "doc", slice_of(row->doc));
	json_close_map(w);
	strbuf_free(&variable);
}

static void print_json(const struct conf_tables *tables, struct strbuf *out)
{
	struct json_writer w;

	json_begin(&w, out);
	json_open_list(&w);
	for (size_t t = 0; t < tables->count; t++) {
		const struct setting_table *table = tables->items[t];

		json_open_map(&w);
		json_member_text(&w, "module", slice_of(table->module));
		json_member_text(&w, "doc", slice_of(table->doc));
		json_key(&w, "settings");
		json_open_list(&w);
		for (size_t i = 0; i < table->count; i++)
			json_row(&w, &table->rows[i]);
		json_close_list(&w);
		json_close_map(&w);
	}
	json_close_list(&w);
	strbuf_add_char(out, '\n');
}

// The maps above a row that the one before did not open.
static void open_maps(struct strbuf *out, const struct name *name, const struct name *before)
{
	size_t same = 0;

	while (same + 1 < name->count && same + 1 < before->count && slice_equal(name->segment[same], before->segment[same]))
		same++;
	for (size_t i = same; i + 1 < name->count; i++) {
		bool star = slice_equal_text(name->segment[i], "*");

		strbuf_printf(out, "%s%*s%.*s:\n", star || (i > 0 && slice_equal_text(name->segment[i - 1], "*")) ? "#" : "",
			      (int)(2 * i), "", star ? 4 : (int)name->segment[i].len, star ? "NAME" : name->segment[i].ptr);
	}
}

// A default as a scalar that no reader takes for something else.
static void yaml_scalar_text(const struct setting *row, struct strbuf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
	struct json_writer w;

	if (!row->fallback)
		return;
	strbuf_add_char(out, ' ');
	if (row->fallback[0] && strspn(row->fallback, plain) == strlen(row->fallback)) {
		strbuf_add_text(out, row->fallback);
		return;
	}
	json_begin(&w, out); // a JSON text is a YAML text
	json_text(&w, slice_of(row->fallback));
}

static void print_yaml(const struct setting_table *table, struct strbuf *out)
{
	struct name before = {0};

	for (size_t i = 0; i < table->count; i++) {
		const struct setting *row = &table->rows[i];
		struct name name = name_of_row(row->name);
		int indent = 2 * ((int)name.count - 1);

		open_maps(out, &name, &before);
		strbuf_printf(out, "%*s# %s\n%*s# ", indent, "", row->doc ? row->doc : "", indent, "");
		write_type(row, out);
		strbuf_printf(out, "\n%s%*s%.*s:", row->required && !table->per_name ? "" : "#", indent, "",
			      (int)name.segment[name.count - 1].len, name.segment[name.count - 1].ptr);
		yaml_scalar_text(row, out);
		strbuf_add_char(out, '\n');
		before = name;
	}
	strbuf_add_char(out, '\n');
}

void conf_print_reference(const struct conf_tables *tables, enum conf_format format, struct strbuf *out)
{
	if (format == CONF_FORMAT_JSON) {
		print_json(tables, out);
		return;
	}
	for (size_t t = 0; t < tables->count; t++) {
		switch (format) {
		case CONF_FORMAT_MARKDOWN: print_markdown(tables->items[t], out); break;
		case CONF_FORMAT_YAML: print_yaml(tables->items[t], out); break;
		default: print_text(tables->items[t], out); break;
		}
	}
}
