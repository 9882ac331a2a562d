// SPDX-License-Identifier: Apache-2.0
// "tokens": what answers carry for later requests.
#include "dialect/loader.h"
#include "enrolld/crypto/derive.h"

#define TOKENS_MAX 8
#define DAY_MS ((int64_t)24 * 3600 * 1000)

static void load_opaque(struct loader *loader, const struct node *node, int line, struct token_spec *token)
{
	static const char *const words[] = {"alphanumeric", "hex", "base64url", "digits"};
	static const char *const alphabets[] = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
						"0123456789abcdef",
						"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", "0123456789"};
	size_t alphabet = 0;
	(void)loader_choice(loader, node_member(node, "alphabet"), "alphabet", words, ARRAY_LEN(words), &alphabet);
	(void)loader_number(loader, node_member(node, "length"), "length", 16, DERIVE_TEXT_MAX, &token->length);
	if (!node_member(node, "alphabet") || !node_member(node, "length"))
		loader_error(loader, line, "a token is {jwt: {...}, life: 1h}, or {alphabet: alphanumeric, length: 80}");
	token->alphabet = alphabets[alphabet];
}

static void load_link(struct loader *loader, const struct node *link, struct token_spec *token)
{
	static const char *const forms[] = {"base64url", "hex"};
	size_t form = 0;
	(void)loader_choice(loader, link, "link", forms, ARRAY_LEN(forms), &form);
	token->is_link = true;
	token->hex = form == 1;
}

static void load_token(struct loader *loader, const struct node *node, int line, struct token_spec *token)
{
	static const char *const jwt_keys[] = {"jwt", "life"};
	static const char *const opaque_keys[] = {"alphabet", "length"};
	static const char *const link_keys[] = {"link"};
	const struct node *jwt = node_member(node, "jwt");
	struct template_origin origin = loader_origin(loader, line);
	struct fault f;
	if (node_member(node, "link")) {
		if (loader_keys(loader, node, "a token", link_keys, ARRAY_LEN(link_keys)))
			load_link(loader, node_member(node, "link"), token);
		return;
	}
	if (!jwt) {
		if (loader_keys(loader, node, "a token", opaque_keys, ARRAY_LEN(opaque_keys)))
			load_opaque(loader, node, line, token);
		return;
	}
	if (!loader_keys(loader, node, "a token", jwt_keys, ARRAY_LEN(jwt_keys)))
		return;
	if (!node_is(jwt, NODE_MAP))
		loader_error(loader, line, "jwt is a map: the members of its payload");
	else if (template_compile_tree(jwt, &origin, &token->payload, &f) != REASON_OK)
		loader_fault(loader, &f);
	if (!node_member(node, "life"))
		loader_error(loader, line, "a token that is signed needs a life: life: 1h");
	(void)loader_duration(loader, node_member(node, "life"), "life", 1000, 3660 * DAY_MS, &token->life_ms);
}

void load_tokens(struct loader *loader, const struct node *map, struct dialect *dialect)
{
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > TOKENS_MAX) {
		loader_error(loader, map->line, "tokens is a map of at most %d names", TOKENS_MAX);
		return;
	}
	dialect->tokens = ARENA_ARRAY(loader->set->arena, node_count(map), struct token_spec);
	dialect->token_count = node_count(map);
	for (size_t i = 0; i < dialect->token_count; i++) {
		dialect->tokens[i].name = map->list.keys[i];
		if (!name_plain(map->list.keys[i]))
			loader_error(loader, loader_key_line(map, i), "a token has a name of letters, digits, _ and -");
		load_token(loader, map->list.items[i], loader_key_line(map, i), &dialect->tokens[i]);
	}
}
