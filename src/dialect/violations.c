// SPDX-License-Identifier: Apache-2.0
// Violations as answers show them: the check is found by pointer and code, what was rejected in the reading of the same request.
#include <stdio.h>

#include "dialect/answer.h"
#include "dialect/values.h"

#define PARAMETERS_MAX 16
#define OWN_VALUES 10

// All that is known of one violation.
struct told {
	const struct violation *violation;
	const struct check *check; // NULL: the dialect has changed since, or an unknown member
	const struct field *field; // NULL: of the whole
	const struct found *found; // NULL: not found in this reading
};

static const struct check *find_in(const struct check_list *checks, const struct violation *v)
{
	for (size_t i = 0; i < checks->count; i++)
		if (slice_equal(checks->items[i].code, v->code) && pointer_matches(checks->items[i].at, v->field))
			return &checks->items[i];
	return NULL;
}

static const struct found *find_found(const struct dialect_reading *reading, const struct violation *v)
{
	for (size_t i = 0; i < reading->found_count; i++) {
		const struct found *found = &reading->found[i];
		if (found->check && slice_equal(found->check->code, v->code) && slice_equal(found->at, v->field))
			return found;
	}
	for (size_t i = 0; i < reading->unique_count; i++)
		if (slice_equal(reading->uniques[i].check->code, v->code) && slice_equal(reading->uniques[i].at, v->field))
			return &reading->uniques[i];
	return NULL;
}

static struct told tell(const struct answering *a, const struct violation *v)
{
	const struct route *route = a->route;
	struct told told = {.violation = v, .found = a->reading ? find_found(a->reading, v) : NULL};
	if (told.found) {
		told.check = told.found->check;
		told.field = told.found->field;
		return told;
	}
	for (size_t i = 0; route && i < route->field_count; i++) {
		if (!told.check && (told.check = find_in(&route->fields[i].checks, v)))
			told.field = &route->fields[i];
		if (!told.field && pointer_matches(route->fields[i].from, v->field))
			told.field = &route->fields[i];
	}
	if (route && !told.check)
		told.check = find_in(&route->checks, v);
	if (route && !told.check)
		told.check = find_in(&route->root, v);
	return told;
}

static struct template_value text_value(const char *name, struct slice text)
{
	return (struct template_value){.name = name, .kind = TEMPLATE_TEXT, .text = text};
}

static struct slice label_of(struct answering *a, const struct field *field, struct slice pointer)
{
	const struct template *label = field ? words_in(&field->label, a->language) : NULL;
	return label ? answering_text(a, label) : pointer_last(pointer, a->arena);
}

// The rejected value; never a secret, nor what holds one. A text stands for itself, so that no markup of JSON is in a sentence.
static struct template_value input_of(const struct answering *a, const struct told *told)
{
	bool shown = told->found && told->found->value && !holds_secret(a->route, told->field);
	return (struct template_value){.name = "input", .kind = TEMPLATE_NODE, .node = shown ? told->found->value : NULL};
}

static struct slice type_of(const struct answering *a, const struct told *told)
{
	const struct body *body = a->route ? &a->route->body : &a->dialect->body;
	if (!told->found)
		return SLICE_ABSENT;
	return told->found->value ? body->types[told->found->value->type] : body->types[ARRAY_LEN(body->types) - 1];
}

// The rule's parameters by name, a single one as "value".
static size_t add_parameters(const struct rule *rule, struct template_value *values)
{
	const struct node *params = rule_parameters(rule);
	bool map = node_is(params, NODE_MAP);
	size_t used = 0, count = map ? node_count(params) : params ? 1 : 0;
	for (size_t i = 0; i < count && used < PARAMETERS_MAX; i++)
		values[used++] = (struct template_value){.name = map ? params->list.keys[i].ptr : "value",
							 .kind = TEMPLATE_NODE,
							 .node = map ? params->list.items[i] : params};
	return used;
}

static struct slice sentence(struct answering *a, const struct told *told)
{
	const struct text_row *row = text_find(&a->dialect->texts, told->violation->code);
	const struct template *t = told->check ? words_in(&told->check->text, a->language)
				   : row       ? words_in(&row->text, a->language)
					       : NULL;
	struct template_value values[PARAMETERS_MAX + OWN_VALUES + 1] = {0};
	size_t used = 0;
	struct slice at = told->violation->field;
	if (!t)
		return slice_equal_text(told->violation->code, "unknown_field")
			       ? SLICE_LIT("The body has a member that is not known here.")
			       : SLICE_LIT("This is not acceptable.");
	values[used++] = text_value("field", at);
	values[used++] = text_value("path", pointer_dotted(at, a->arena));
	values[used++] = text_value("indexed", pointer_indexed(at, a->arena));
	values[used++] = text_value("bracketed", pointer_bracketed(at, a->arena));
	values[used++] = text_value("key", pointer_last(at, a->arena));
	values[used++] = text_value("name", told->field ? told->field->name : SLICE_ABSENT);
	values[used++] = text_value("label", label_of(a, told->field, at));
	values[used++] = text_value("type", type_of(a, told));
	values[used++] = input_of(a, told);
	values[used++] = text_value(
		"like", told->found && told->found->like ? label_of(a, told->found->like, told->found->like->from) : SLICE_ABSENT);
	if (told->check)
		used += add_parameters(told->check->rule, values + used);
	struct template_scope scope = answering_scope(a);
	struct strbuf out = STRBUF_INIT(16384);
	scope.values = values;
	template_render_scope(t, &scope, &out);
	struct slice text = arena_copy(a->arena, strbuf_slice(&out));
	strbuf_free(&out);
	return text;
}

// Where the field came from; a violation of the whole is one of the body.
static struct slice source_of(struct slice pointer)
{
	const char *slash = pointer.len && pointer.ptr[0] != '/' ? memchr(pointer.ptr, '/', pointer.len) : NULL;
	return slash ? (struct slice){pointer.ptr, (size_t)(slash - pointer.ptr)} : SLICE_LIT("body");
}

static struct template_value node_value(const char *name, const struct node *node)
{
	return (struct template_value){.name = name, .kind = TEMPLATE_NODE, .node = node};
}

// What the rule's entry says besides, as a whole and by member.
static size_t add_data(struct answering *a, const struct node *data, struct template_value *values)
{
	size_t used = 0;
	values[used++] = node_value("data", data);
	for (size_t i = 0; i < node_count(data); i++)
		values[used++] = node_value(
			arena_printf(a->arena, "data.%.*s", (int)data->list.keys[i].len, data->list.keys[i].ptr).ptr,
			data->list.items[i]);
	return used;
}

static const struct template_value *make_item(struct answering *a, size_t index)
{
	static const char *const names[] = {VIOLATION_VALUES};
	const struct violation *v = &a->receipt->violations[index];
	struct told told = tell(a, v);
	const struct node *data = told.check ? rule_words(told.check->rule)->data : NULL;
	struct template_value *item = ARENA_ARRAY(a->arena, ARRAY_LEN(names) + node_count(data) + 1, struct template_value);
	size_t used = 0;
	item[used++] = text_value("field", v->field);
	item[used++] = text_value("path", pointer_dotted(v->field, a->arena));
	item[used++] = text_value("indexed", pointer_indexed(v->field, a->arena));
	item[used++] = text_value("bracketed", pointer_bracketed(v->field, a->arena));
	item[used++] = node_value("tokens", pointer_tokens(v->field, a->arena));
	item[used++] = text_value("source", source_of(v->field));
	item[used++] = text_value("type", type_of(a, &told));
	item[used++] = text_value("key", pointer_last(v->field, a->arena));
	item[used++] = text_value("name", told.field ? told.field->name : SLICE_ABSENT);
	item[used++] = text_value("label", label_of(a, told.field, v->field));
	item[used++] = input_of(a, &told);
	item[used++] = text_value("code", told.check ? told.check->as : v->code);
	item[used++] = text_value("text", sentence(a, &told));
	used += add_data(a, data, item + used);
	item[used++] = (struct template_value){.name = "index", .kind = TEMPLATE_INT, .integer = (int64_t)index};
	item[used++] = (struct template_value){
		.name = "last", .kind = TEMPLATE_BOOL, .integer = index + 1 == a->receipt->violation_count};
	return item;
}

const struct template_value *const *violations_items(struct answering *a)
{
	if (a->violations)
		return a->violations;
	const struct template_value **items = ARENA_ARRAY(a->arena, a->receipt->violation_count + 1, const struct template_value *);
	for (size_t i = 0; i < a->receipt->violation_count; i++)
		items[i] = make_item(a, i);
	a->violations = items;
	return items;
}
