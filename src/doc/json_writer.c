// SPDX-License-Identifier: Apache-2.0
// Values to JSON text.
#include <inttypes.h>
#include <math.h>

#include "enrolld/base/number.h"
#include "enrolld/base/utf8.h"
#include "enrolld/doc/json.h"

void json_begin(struct json_writer *w, struct strbuf *out)
{
	*w = (struct json_writer){.out = out};
}

// Before each value: its comma, and that it may stand here.
static void before_value(struct json_writer *w)
{
	if (w->in_map[w->depth]) {
		if (!w->have_key)
			PANIC("value without key");
		w->have_key = false;
		return;
	}
	if (w->need_comma[w->depth]) {
		if (w->depth == 0)
			PANIC("second value at the top");
		strbuf_add_char(w->out, ',');
	}
	w->need_comma[w->depth] = true;
}

static void open_container(struct json_writer *w, bool is_map)
{
	before_value(w);
	if (w->depth == JSON_DEPTH_MAX)
		PANIC("more than %d levels", JSON_DEPTH_MAX);
	w->depth++;
	w->in_map[w->depth] = is_map;
	w->need_comma[w->depth] = false;
	strbuf_add_char(w->out, is_map ? '{' : '[');
}

static void close_container(struct json_writer *w, bool is_map)
{
	if (w->depth == 0 || w->in_map[w->depth] != is_map || w->have_key)
		PANIC("closing what is not open");
	w->depth--;
	strbuf_add_char(w->out, is_map ? '}' : ']');
}

void json_open_map(struct json_writer *w)
{
	open_container(w, true);
}

void json_close_map(struct json_writer *w)
{
	close_container(w, true);
}

void json_open_list(struct json_writer *w)
{
	open_container(w, false);
}

void json_close_list(struct json_writer *w)
{
	close_container(w, false);
}

static void add_escape(struct strbuf *out, unsigned char c)
{
	switch (c) {
	case '"': strbuf_add_text(out, "\\\""); break;
	case '\\': strbuf_add_text(out, "\\\\"); break;
	case '\b': strbuf_add_text(out, "\\b"); break;
	case '\f': strbuf_add_text(out, "\\f"); break;
	case '\n': strbuf_add_text(out, "\\n"); break;
	case '\r': strbuf_add_text(out, "\\r"); break;
	case '\t': strbuf_add_text(out, "\\t"); break;
	default: strbuf_printf(out, "\\u%04x", c); break;
	}
}

static void add_string(struct strbuf *out, struct slice text)
{
	size_t plain = 0; // start of what needs no escape and is not yet added

	strbuf_add_char(out, '"');
	for (size_t at = 0; at < text.len;) {
		unsigned char c = (unsigned char)text.ptr[at];
		uint32_t code_point = c;
		size_t len = c < 0x80 ? 1 : utf8_next((struct slice){text.ptr + at, text.len - at}, &code_point);

		if (code_point >= 0x20 && c != '"' && c != '\\' && code_point != UTF8_INVALID) {
			at += len;
			continue;
		}
		strbuf_add(out, text.ptr + plain, at - plain);
		if (code_point == UTF8_INVALID)
			strbuf_add_text(out, "\xef\xbf\xbd"); // U+FFFD
		else
			add_escape(out, c);
		at += len;
		plain = at;
	}
	strbuf_add(out, text.ptr ? text.ptr + plain : "", text.len - plain);
	strbuf_add_char(out, '"');
}

void json_key_slice(struct json_writer *w, struct slice key)
{
	if (!w->in_map[w->depth] || w->have_key)
		PANIC("key where none may stand");
	if (w->need_comma[w->depth])
		strbuf_add_char(w->out, ',');
	w->need_comma[w->depth] = true;
	w->have_key = true;
	add_string(w->out, key);
	strbuf_add_char(w->out, ':');
}

void json_key(struct json_writer *w, const char *key)
{
	json_key_slice(w, slice_of(key));
}

void json_text(struct json_writer *w, struct slice text)
{
	if (slice_is_absent(text)) {
		json_nil(w);
		return;
	}
	before_value(w);
	add_string(w->out, text);
}

void json_int(struct json_writer *w, int64_t n)
{
	before_value(w);
	strbuf_printf(w->out, "%" PRId64, n);
}

void json_double(struct json_writer *w, double d)
{
	char text[NUMBER_TEXT_SIZE];

	if (!isfinite(d))
		PANIC("not a JSON number");
	before_value(w);
	strbuf_add_text(w->out, number_format(d, text));
	if (!strpbrk(text, ".e"))
		strbuf_add_text(w->out, ".0"); // stays a real when read back
}

void json_bool(struct json_writer *w, bool b)
{
	before_value(w);
	strbuf_add_text(w->out, b ? "true" : "false");
}

void json_nil(struct json_writer *w)
{
	before_value(w);
	strbuf_add_text(w->out, "null");
}

void json_raw(struct json_writer *w, struct slice json)
{
	before_value(w);
	strbuf_add_slice(w->out, json);
}

// Recursion is bounded by the depth limits of the parsers, and by JSON_DEPTH_MAX here.
void json_node(struct json_writer *w, const struct node *node)
{
	switch (node ? node->type : NODE_NULL) {
	case NODE_NULL: json_nil(w); break;
	case NODE_BOOL: json_bool(w, node->boolean); break;
	case NODE_INT: json_int(w, node->integer); break;
	case NODE_REAL: json_double(w, node->real); break;
	case NODE_TEXT: json_text(w, node->text); break;
	case NODE_LIST:
		json_open_list(w);
		for (size_t i = 0; i < node->list.count; i++)
			json_node(w, node->list.items[i]);
		json_close_list(w);
		break;
	case NODE_MAP:
		json_open_map(w);
		for (size_t i = 0; i < node->list.count; i++) {
			json_key_slice(w, node->list.keys[i]);
			json_node(w, node->list.items[i]);
		}
		json_close_map(w);
		break;
	}
}

void json_member_text(struct json_writer *w, const char *key, struct slice text)
{
	if (slice_is_absent(text))
		return;
	json_key(w, key);
	json_text(w, text);
}

void json_member_int(struct json_writer *w, const char *key, int64_t n)
{
	json_key(w, key);
	json_int(w, n);
}
