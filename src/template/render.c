// SPDX-License-Identifier: Apache-2.0
// Rendering: values are escaped for where they stand, and never read as template or JSON text themselves.
#include "enrolld/base/clock.h"
#include "enrolld/doc/json.h"
#include "template/template_private.h"

#define SCRATCH_MAX (1u << 20)

static bool there(const struct template_value *value)
{
	return !(value->kind == TEMPLATE_TEXT && slice_is_absent(value->text)) && !(value->kind == TEMPLATE_NODE && !value->node);
}

bool sight_find(const struct sight *sight, struct slice name, struct template_value *value)
{
	for (const struct sight *at = sight; at; at = at->outer)
		for (const struct template_value *v = at->values; v && v->name; v++)
			if (slice_equal_text(name, v->name)) {
				*value = *v;
				return there(v);
			}
	const struct template_scope *scope = sight->scope;
	return scope->find && scope->find(scope->context, name, value) && there(value);
}

void scratch_start(struct strbuf scratch[static 2])
{
	scratch[0] = scratch[1] = STRBUF_INIT(SCRATCH_MAX);
}

void scratch_end(struct strbuf scratch[static 2])
{
	strbuf_free(&scratch[0]);
	strbuf_free(&scratch[1]);
}

bool place_find(const struct place *place, const struct sight *sight, struct strbuf scratch[static 2], struct template_value *value)
{
	if (!sight_find(sight, place->name, value))
		return false;
	for (size_t i = 0; i < place->function_count; i++) {
		const struct function *function = &place->functions[i];
		struct strbuf *out = &scratch[i % 2];
		struct template_value made;
		strbuf_reset(out);
		if (function->apply || function->with) {
			if (function->apply ? function->apply(value, out, &made)
					    : function->with(value, function->argument, out, &made))
				*value = made;
			continue;
		}
		struct strbuf text = STRBUF_INIT(SCRATCH_MAX);
		value_write(value, TEMPLATE_PLAIN, &text);
		function->text(strbuf_slice(&text), out);
		strbuf_free(&text);
		*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = strbuf_slice(out)};
	}
	return true;
}

bool value_stands(bool found, const struct template_value *value)
{
	if (!found || value->kind == TEMPLATE_NULL)
		return false;
	if (value->kind == TEMPLATE_BOOL)
		return value->integer != 0;
	if (value->kind == TEMPLATE_LIST)
		return value->items && value->items[0];
	if (value->kind == TEMPLATE_NODE)
		return value->node->type != NODE_NULL && !(value->node->type == NODE_BOOL && !value->node->boolean);
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

void text_escape(struct slice text, enum template_escape escape, struct strbuf *out)
{
	if (escape == TEMPLATE_HTML)
		add_html(out, text);
	else if (escape == TEMPLATE_URL)
		add_url(out, text);
	else
		strbuf_add_slice(out, text);
}

static void write_node(const struct node *node, enum template_escape escape, struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT(SCRATCH_MAX);
	struct json_writer w;
	if (node->type == NODE_NULL)
		return;
	if (node->type == NODE_TEXT) {
		text_escape(node->text, escape, out);
		return;
	}
	json_begin(&w, &text);
	json_node(&w, node);
	text_escape(strbuf_slice(&text), escape, out);
	strbuf_free(&text);
}

void value_write(const struct template_value *value, enum template_escape escape, struct strbuf *out)
{
	char time[CLOCK_TEXT_SIZE];
	switch (value->kind) {
	case TEMPLATE_TEXT:
	case TEMPLATE_JSON: text_escape(value->text, escape, out); break;
	case TEMPLATE_INT: strbuf_printf(out, "%lld", (long long)value->integer); break;
	case TEMPLATE_BOOL: strbuf_add_text(out, value->integer ? "true" : "false"); break;
	case TEMPLATE_TIME: text_escape(slice_of(clock_format_ms(value->integer, time)), escape, out); break;
	case TEMPLATE_NODE: write_node(value->node, escape, out); break;
	case TEMPLATE_NULL:
	case TEMPLATE_LIST: break;
	}
}

static void run(const struct program *program, size_t from, size_t to, const struct sight *sight, struct strbuf *out)
{
	for (size_t i = from; i < to; i++) {
		const struct step *step = &program->steps[i];
		struct strbuf scratch[2];
		struct template_value value;
		if (step->kind == STEP_LITERAL) {
			strbuf_add_slice(out, step->text);
			continue;
		}
		scratch_start(scratch);
		bool found = place_find(&step->place, sight, scratch, &value);
		bool stands = value_stands(found, &value);
		if (step->kind == STEP_PLACE) {
			if (found)
				value_write(&value, step->escape, out);
		} else if (step->kind == STEP_ABSENT ? !stands : stands && value.kind != TEMPLATE_LIST) {
			run(program, i + 1, step->end, sight, out);
		} else if (step->kind == STEP_SECTION && stands) {
			for (const struct template_value *const *item = value.items; *item; item++)
				run(program, i + 1, step->end, &(struct sight){*item, sight, sight->scope}, out);
		}
		scratch_end(scratch);
		if (step->kind != STEP_PLACE)
			i = step->end - 1;
	}
}

void program_render(const struct program *program, const struct sight *sight, struct strbuf *out)
{
	run(program, 0, program->count, sight, out);
}

void template_render_scope(const struct template *t, const struct template_scope *scope, struct strbuf *out)
{
	const struct sight sight = {scope->values, NULL, scope};
	if (t->json) {
		json_template_write(t->json, &sight, out);
		return;
	}
	const struct program *text = t->plural ? plural_choose(t->plural, &sight) : &t->text;
	if (text)
		program_render(text, &sight, out);
}

void template_render(const struct template *t, const struct template_value *values, struct strbuf *out)
{
	template_render_scope(t, &(struct template_scope){.values = values}, out);
}
