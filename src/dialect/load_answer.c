// SPDX-License-Identifier: Apache-2.0
// "answers": per outcome a status, headers and a JSON template.
#include "dialect/loader.h"
#include "dialect/values.h"
#include "enrolld/doc/yaml.h"

#define HEADERS_MAX 16

static const char *const names[] = {
#define VALUE(id, name) name,
	ANSWER_VALUES(VALUE)
#undef VALUE
		"field",
	"name",
	"code",
};

static const char *const outcomes[] = {"accepted", "refused", "expired", "dead"};

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
		     nearest ? "; did you mean \"" : "; there are accepted, refused, expired, dead, and the reasons",
		     nearest ? nearest : "", nearest ? "\"?" : "");
}

static bool name_valid(struct slice name)
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

static void load_headers(struct loader *loader, const struct node *map, struct answer_spec *spec)
{
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > HEADERS_MAX) {
		loader_error(loader, map->line, "headers is a map of at most %d names", HEADERS_MAX);
		return;
	}
	spec->headers = ARENA_ARRAY(loader->set->arena, node_count(map), struct answer_header);
	spec->header_count = 0;
	for (size_t i = 0; i < node_count(map); i++) {
		struct fault f;
		struct answer_header *header = &spec->headers[spec->header_count];
		struct slice text = SLICE_ABSENT;
		const struct node *value = map->list.items[i];
		header->name = map->list.keys[i];
		if (!name_valid(header->name))
			loader_error(loader, value->line, "a header's name has a-z, 0-9 and -");
		else if (!loader_text(loader, value, "a header's value", &text))
			continue;
		else if (template_compile_text(text, TEMPLATE_PLAIN, "header", loader->set->arena, &header->value, &f) !=
				 REASON_OK ||
			 template_check_names(header->value, names, ARRAY_LEN(names), &f) != REASON_OK)
			loader_error(loader, value->line, "%s", f.detail);
		else
			spec->header_count++;
	}
}

static void load_one(struct loader *loader, const struct node *node, const struct answer_list *outer,
		     const struct answer_list *answers, struct answer_spec *spec, int line)
{
	static const char *const keys[] = {"like", "status", "headers", "body"};
	struct slice like = SLICE_ABSENT;
	size_t status = 0;
	struct fault f;
	if (!loader_keys(loader, node, "an answer", keys, ARRAY_LEN(keys)))
		return;
	if (loader_text(loader, node_member(node, "like"), "like", &like) && !slice_is_absent(like)) {
		const struct answer_spec *model = answer_find(answers, like);
		if (!model && outer)
			model = answer_find(outer, like);
		struct slice key = spec->key;
		if (!model)
			loader_error(loader, node_member(node, "like")->line, "no answer \"%.*s\" stands before this one",
				     (int)like.len, like.ptr);
		else
			*spec = *model;
		spec->key = key;
		status = (size_t)spec->status;
	}
	(void)loader_number(loader, node_member(node, "status"), "status", 200, 599, &status);
	if (status == 0 && slice_is_absent(like))
		loader_error(loader, line, "an answer needs a status, such as 400");
	spec->status = (int)status;
	load_headers(loader, node_member(node, "headers"), spec);
	const struct node *body = node_member(node, "body");
	if (body && (template_compile_json(body, loader->file, loader->set->arena, &spec->body, &f) != REASON_OK ||
		     template_check_names(spec->body, names, ARRAY_LEN(names), &f) != REASON_OK))
		loader_fault(loader, &f);
}

void load_answers(struct loader *loader, const struct node *map, const struct answer_list *outer, struct answer_list *answers)
{
	if (!map)
		return;
	if (map->type != NODE_MAP) {
		loader_error(loader, map->line, "answers is a map from outcomes and reasons to answers");
		return;
	}
	answers->items = ARENA_ARRAY(loader->set->arena, node_count(map), struct answer_spec);
	for (size_t i = 0; i < node_count(map); i++) {
		int line = map->list.key_lines ? map->list.key_lines[i] : map->line;
		struct answer_spec *spec = &answers->items[answers->count];
		spec->key = map->list.keys[i];
		if (!key_known(spec->key))
			unknown_key(loader, line, spec->key);
		load_one(loader, map->list.items[i], outer, answers, spec, line);
		answers->count++;
	}
}
