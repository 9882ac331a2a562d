// SPDX-License-Identifier: Apache-2.0
// Mapping: claims with their keys, and what an account keeps besides.
#include "dialect/map.h"

#include <stdlib.h>

#define ATTRIBUTES_MAX 65536 // bytes; the rule "object" sets a lower one

static void add_claim(struct registration *r, enum claim_kind kind, struct slice value, struct slice shown,
		      const struct field *field)
{
	if (r->claim_count == CLAIMS_MAX)
		PANIC("more than %d claims", CLAIMS_MAX);
	r->claims[r->claim_count++] = (struct claim){.kind = kind, .value = value, .shown = shown, .field = field->from.ptr};
}

struct entry {
	struct slice key;
	const struct node *value;
};

static int by_key(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	return slice_compare(left->key, right->key);
}

// Keys in byte order, so that equal objects have one text.
static void write_sorted(struct json_writer *w, const struct node *node, struct arena *arena)
{
	size_t count = node_count(node);
	if (node->type == NODE_LIST) {
		json_open_list(w);
		for (size_t i = 0; i < count; i++)
			write_sorted(w, node_item(node, i), arena);
		json_close_list(w);
	} else if (node->type == NODE_MAP) {
		struct entry *entries = ARENA_ARRAY(arena, count, struct entry);
		for (size_t i = 0; i < count; i++)
			entries[i] = (struct entry){node->list.keys[i], node->list.items[i]};
		qsort(entries, count, sizeof(*entries), by_key);
		json_open_map(w);
		for (size_t i = 0; i < count; i++) {
			json_key_slice(w, entries[i].key);
			write_sorted(w, entries[i].value, arena);
		}
		json_close_map(w);
	} else {
		json_node(w, node);
	}
}

static struct slice canonical_json(const struct node *node, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT(ATTRIBUTES_MAX);
	struct json_writer w;
	json_begin(&w, &text);
	write_sorted(&w, node, arena);
	struct slice copy = strbuf_overflowed(&text) ? SLICE_ABSENT : arena_copy(arena, strbuf_slice(&text));
	strbuf_free(&text);
	return copy;
}

void map_field(const struct field *field, const struct rule_field *seen, struct arena *arena, struct registration *r)
{
	struct slice text = seen->text, key;
	switch (field->target) {
	case TARGET_EMAIL:
		if (rules_email(text, arena, &key))
			add_claim(r, CLAIM_EMAIL, key, text, field);
		break;
	case TARGET_PHONE:
		if (rules_phone(text, arena, &key))
			add_claim(r, CLAIM_PHONE, key, text, field);
		break;
	case TARGET_USERNAME:
		if (rules_username(text, arena, &key))
			add_claim(r, CLAIM_USERNAME, key, text, field);
		break;
	case TARGET_LOCALE:
		if (rules_locale(text, arena, &key))
			r->locale = key;
		break;
	case TARGET_PASSWORD_HASH: r->password_hash = text; break;
	case TARGET_GIVEN_NAME: r->given_name = text; break;
	case TARGET_FAMILY_NAME: r->family_name = text; break;
	case TARGET_DISPLAY_NAME: r->display_name = text; break;
	case TARGET_BIRTH_DATE: r->birth_date = text; break;
	case TARGET_ATTRIBUTES: r->attributes = canonical_json(seen->value, arena); break;
	case TARGET_PASSWORD:
	case TARGET_NONE: break;
	}
}
