// SPDX-License-Identifier: Apache-2.0
// "answers": per outcome a status, headers and a JSON template; several where conditions choose.
#include "dialect/loader.h"
#include "enrolld/doc/yaml.h"

#define HEADERS_MAX 16
#define CHOICES_MAX 16

static const char *const outcomes[] = {"accepted", "refused", "expired", "dead", "unreadable"};

static bool key_known(struct slice key)
{
	char code[64] = "";
	if (key.len >= sizeof(code))
		return false;
	memcpy(code, key.ptr, key.len);
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
		if (strcmp(code, outcomes[i]) == 0)
			return true;
	enum reason reason = reason_find(code);
	return reason != REASON_COUNT && (reason_verdict(reason) == VERDICT_REFUSE || reason_verdict(reason) == VERDICT_BURY);
}

static void unknown_key(struct loader *loader, int line, struct slice key)
{
	const char *words[REASON_COUNT + ARRAY_LEN(outcomes)];
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
		words[count++] = outcomes[i];
	for (int r = 1; r < REASON_COUNT; r++)
		if (reason_verdict((enum reason)r) == VERDICT_REFUSE)
			words[count++] = reason_code((enum reason)r);
	const char *nearest = doc_nearest(key, words, count);
	loader_error(loader, line, "there is no outcome or reason \"%.*s\"%s%s%s", key.len > 64 ? 64 : (int)key.len, key.ptr,
		     nearest ? "; did you mean \"" : "; there are accepted, unreadable, refused, expired, dead, and the reasons",
		     nearest ? nearest : "", nearest ? "\"?" : "");
}

static bool header_valid(struct slice name)
{
	if (name.len == 0 || name.len > 64)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

static void load_header(struct loader *loader, struct slice name, const struct node *value, struct answer_header *headers,
			size_t *count)
{
	struct template_origin origin = loader_origin(loader, value->line);
	struct slice text = SLICE_ABSENT;
	struct fault f;
	headers[*count].name = name;
	if (*count == HEADERS_MAX)
		loader_error(loader, value->line, "an answer has at most %d headers", HEADERS_MAX);
	else if (!header_valid(name))
		loader_error(loader, value->line, "a header's name has a-z, 0-9 and -");
	else if (!loader_text(loader, value, "a header's value", &text))
		return;
	else if (template_compile_sentence(value, &origin, &headers[*count].value, &f) != REASON_OK)
		loader_fault(loader, &f);
	else
		(*count)++;
}

void load_headers(struct loader *loader, const struct node *map, struct answer_header **headers, size_t *count)
{
	if (!map)
		return;
	if (map->type != NODE_MAP) {
		loader_error(loader, map->line, "headers is a map from names to texts, or to lists of texts");
		return;
	}
	*headers = ARENA_ARRAY(loader->set->arena, HEADERS_MAX + 1, struct answer_header);
	*count = 0;
	for (size_t i = 0; i < node_count(map); i++) {
		const struct node *value = map->list.items[i];
		for (size_t j = 0; node_is(value, NODE_LIST) && j < node_count(value); j++)
			load_header(loader, map->list.keys[i], node_item(value, j), *headers, count);
		if (!node_is(value, NODE_LIST))
			load_header(loader, map->list.keys[i], value, *headers, count);
	}
}

// JSON as "body", else "text" or "html": one of the three.
static void load_content(struct loader *loader, const struct node *node, struct answer_spec *spec)
{
	static const struct {
		const char *key, *media;
		enum template_escape escape;
	} others[] = {{"text", "text/plain; charset=utf-8", TEMPLATE_PLAIN}, {"html", "text/html; charset=utf-8", TEMPLATE_HTML}};
	const struct node *body = node_member(node, "body");
	struct template_origin origin = loader_origin(loader, spec->line);
	size_t said = body != NULL;
	struct fault f;
	if (body && template_compile_tree(body, &origin, &spec->body, &f) != REASON_OK)
		loader_fault(loader, &f);
	if (body)
		spec->media = NULL;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct node *text = node_member(node, others[i].key);
		struct slice value;
		if (!text)
			continue;
		said++;
		spec->media = others[i].media;
		if (loader_text(loader, text, others[i].key, &value) &&
		    template_compile_escaped(text, others[i].escape, &origin, &spec->body, &f) != REASON_OK)
			loader_fault(loader, &f);
	}
	if (said > 1)
		loader_error(loader, spec->line, "an answer has one of body, text and html");
}

static void take_like(struct loader *loader, const struct node *node, const struct answer_list *outer,
		      const struct answer_list *answers, struct answer_spec *spec)
{
	struct slice like = SLICE_ABSENT, key = spec->key;
	int line = spec->line;
	if (!loader_text(loader, node, "like", &like) || slice_is_absent(like))
		return;
	const struct answer_spec *model = answer_find(answers, like, NULL);
	if (!model && outer)
		model = answer_find(outer, like, NULL);
	if (!model)
		loader_error(loader, node->line, "no answer \"%.*s\" stands before this one", (int)like.len, like.ptr);
	else
		*spec = *model;
	spec->key = key;
	spec->line = line;
	spec->when = NULL;
}

static void load_one(struct loader *loader, const struct node *node, const struct answer_list *outer,
		     const struct answer_list *answers, struct answer_spec *spec)
{
	static const char *const keys[] = {"when", "like", "status", "headers", "body", "text", "html"};
	size_t status = 0;
	if (!loader_keys(loader, node, "an answer", keys, ARRAY_LEN(keys)))
		return;
	take_like(loader, node_member(node, "like"), outer, answers, spec);
	status = (size_t)spec->status;
	(void)loader_number(loader, node_member(node, "status"), "status", 200, 599, &status);
	if (!node_member(node, "status") && !node_member(node, "like"))
		loader_error(loader, spec->line, "an answer needs a status, such as 400");
	spec->status = (int)status;
	spec->when = loader_condition(loader, node_member(node, "when"));
	load_headers(loader, node_member(node, "headers"), &spec->headers, &spec->header_count);
	load_content(loader, node, spec);
}

static void load_choices(struct loader *loader, const struct node *node, const struct answer_list *outer,
			 struct answer_list *answers, struct slice key, int line)
{
	size_t first = answers->count, count = node->type == NODE_LIST ? node_count(node) : 1;
	// What stands here is not to be taken for what stands above.
	struct answer_list above = {answers->items, first};
	for (size_t i = 0; i < count; i++) {
		const struct node *item = node->type == NODE_LIST ? node_item(node, i) : node;
		struct answer_spec *spec = &answers->items[answers->count++];
		*spec = (struct answer_spec){.key = key, .line = node->type == NODE_LIST ? item->line : line};
		load_one(loader, item, outer, &above, spec);
		if (!spec->when && i + 1 < count)
			loader_error(loader, spec->line, "of several answers only the last has no conditions: write when: {...}");
		if (spec->when && i + 1 == count)
			loader_error(loader, spec->line, "the last answer has no conditions, so that there always is one");
	}
}

void load_answers(struct loader *loader, const struct node *map, const struct answer_list *outer, struct answer_list *answers)
{
	size_t room = 0;
	if (!map)
		return;
	if (map->type != NODE_MAP) {
		loader_error(loader, map->line, "answers is a map from outcomes and reasons to answers");
		return;
	}
	for (size_t i = 0; i < node_count(map); i++) {
		const struct node *node = map->list.items[i];
		bool list = node->type == NODE_LIST;
		if (list && (node_count(node) == 0 || node_count(node) > CHOICES_MAX))
			loader_error(loader, loader_key_line(map, i), "of one outcome there are 1 to %d answers", CHOICES_MAX);
		room += list ? node_count(node) : 1;
	}
	answers->items = ARENA_ARRAY(loader->set->arena, room, struct answer_spec);
	for (size_t i = 0; i < node_count(map); i++) {
		if (!key_known(map->list.keys[i]))
			unknown_key(loader, loader_key_line(map, i), map->list.keys[i]);
		load_choices(loader, map->list.items[i], outer, answers, map->list.keys[i], loader_key_line(map, i));
	}
}
