// SPDX-License-Identifier: Apache-2.0
// Rendering: values are escaped for where they stand, and never read as template or JSON text themselves.
#include "enrolld/doc/json.h"
#include "template/template_private.h"

const struct template_value *sight_find(const struct sight *sight, struct slice name)
{
	for (; sight; sight = sight->outer)
		for (const struct template_value *v = sight->values; v && v->name; v++)
			if (slice_equal_text(name, v->name))
				return v->kind == TEMPLATE_TEXT && slice_is_absent(v->text) ? NULL : v;
	return NULL;
}

bool value_stands(const struct template_value *value)
{
	if (!value || value->kind == TEMPLATE_NULL)
		return false;
	if (value->kind == TEMPLATE_BOOL)
		return value->integer != 0;
	if (value->kind == TEMPLATE_LIST)
		return value->items && value->items[0];
	return true;
}

static void add_html(struct strbuf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.ptr[i]) {
		case '&': strbuf_add_text(out, "&amp;"); break;
		case '<': strbuf_add_text(out, "&lt;"); break;
		case '>': strbuf_add_text(out, "&gt;"); break;
		case '"': strbuf_add_text(out, "&quot;"); break;
		case '\'': strbuf_add_text(out, "&#39;"); break;
		default: strbuf_add_char(out, text.ptr[i]);
		}
	}
}

static void add_url(struct strbuf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     (c != '\0' && strchr("-._~", c));
		if (plain)
			strbuf_add_char(out, c);
		else
			strbuf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
	}
}

static void add_escaped(struct strbuf *out, struct slice text, enum template_escape escape)
{
	if (escape == TEMPLATE_HTML)
		add_html(out, text);
	else if (escape == TEMPLATE_URL)
		add_url(out, text);
	else
		strbuf_add_slice(out, text);
}

static void add_value(struct strbuf *out, const struct template_value *value, enum template_escape escape)
{
	if (!value)
		return;
	switch (value->kind) {
	case TEMPLATE_TEXT:
	case TEMPLATE_JSON: add_escaped(out, value->text, escape); break;
	case TEMPLATE_INT: strbuf_printf(out, "%lld", (long long)value->integer); break;
	case TEMPLATE_BOOL: strbuf_add_text(out, value->integer ? "true" : "false"); break;
	case TEMPLATE_NULL:
	case TEMPLATE_LIST: break;
	}
}

static void run(const struct program *program, size_t from, size_t to, const struct sight *sight, struct strbuf *out)
{
	for (size_t i = from; i < to; i++) {
		const struct step *step = &program->steps[i];
		if (step->kind == STEP_LITERAL) {
			strbuf_add_slice(out, step->text);
			continue;
		}
		const struct template_value *value = sight_find(sight, step->text);
		if (step->kind == STEP_PLACE) {
			add_value(out, value, step->escape);
			continue;
		}
		bool stands = value_stands(value);
		if (step->kind == STEP_ABSENT ? !stands : stands && value->kind != TEMPLATE_LIST) {
			run(program, i + 1, step->end, sight, out);
		} else if (step->kind == STEP_SECTION && stands) {
			for (const struct template_value *const *item = value->items; *item; item++)
				run(program, i + 1, step->end, &(struct sight){*item, sight}, out);
		}
		i = step->end - 1;
	}
}

void program_render(const struct program *program, const struct sight *sight, struct strbuf *out)
{
	run(program, 0, program->count, sight, out);
}

static void write_value(struct json_writer *w, const struct template_value *value)
{
	if (!value) {
		json_nil(w);
		return;
	}
	switch (value->kind) {
	case TEMPLATE_TEXT: json_text(w, value->text); break;
	case TEMPLATE_INT: json_int(w, value->integer); break;
	case TEMPLATE_BOOL: json_bool(w, value->integer != 0); break;
	case TEMPLATE_JSON: json_raw(w, value->text); break;
	case TEMPLATE_NULL:
	case TEMPLATE_LIST: json_nil(w); break;
	}
}

static bool left_out(const struct json_template *t, const struct sight *sight)
{
	return t->kind == JSON_VALUE && t->optional && !sight_find(sight, t->name);
}

static void write_json(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	switch (t->kind) {
	case JSON_FIXED: json_node(w, t->fixed); break;
	case JSON_VALUE: write_value(w, sight_find(sight, t->name)); break;
	case JSON_TEXT: {
		struct strbuf text = STRBUF_INIT(w->out->limit);
		program_render(&t->text, sight, &text);
		json_text(w, strbuf_slice(&text));
		strbuf_free(&text);
		break;
	}
	case JSON_LIST:
		json_open_list(w);
		for (size_t i = 0; i < t->count; i++)
			if (!left_out(t->items[i], sight))
				write_json(w, t->items[i], sight);
		json_close_list(w);
		break;
	case JSON_MAP:
		json_open_map(w);
		for (size_t i = 0; i < t->count; i++) {
			if (left_out(t->items[i], sight))
				continue;
			json_key_slice(w, t->keys[i]);
			write_json(w, t->items[i], sight);
		}
		json_close_map(w);
		break;
	case JSON_EACH: {
		const struct template_value *list = sight_find(sight, t->name);
		json_open_list(w);
		if (list && list->kind == TEMPLATE_LIST && list->items)
			for (const struct template_value *const *item = list->items; *item; item++) {
				struct sight inner = {*item, sight};
				if (!left_out(t->items[0], &inner))
					write_json(w, t->items[0], &inner);
			}
		json_close_list(w);
		break;
	}
	}
}

void template_render(const struct template *t, const struct template_value *values, struct strbuf *out)
{
	struct sight sight = {values, NULL};
	if (!t->json) {
		program_render(&t->text, &sight, out);
		return;
	}
	struct json_writer w;
	json_begin(&w, out);
	write_json(&w, t->json, &sight);
}
