// SPDX-License-Identifier: Apache-2.0
// What a route has to do with sessions: "ends" of a sign-out, and which tokens its answer carries.
#include "dialect/loader.h"

static bool has_target(const struct route *route, enum target target)
{
	for (size_t i = 0; i < route->field_count; i++)
		if (route->fields[i].target == target)
			return true;
	return false;
}

static bool shows_access(const struct route *route)
{
	for (size_t i = 0; i < route->access.count; i++)
		if (route->access.items[i].kind == ACCESS_BEARER && route->access.items[i].token)
			return true;
	return false;
}

static bool has_field(const struct route *route, struct slice name)
{
	for (size_t i = 0; i < route->field_count; i++)
		if (slice_equal(route->fields[i].name, name))
			return true;
	return false;
}

void load_scope(struct loader *loader, const struct node *node, struct route *route)
{
	static const char *const keys[] = {"field"};
	const char *words[] = {session_scope_name(SESSION_ONE), session_scope_name(SESSION_DEVICE),
			       session_scope_name(SESSION_ALL)};
	struct scope_choice *ends = &route->ends;
	size_t word = 0;
	if (route->operation == OPERATION_SIGN_OUT)
		ends->scope = SESSION_ONE;
	if (!node)
		return;
	if (route->operation != OPERATION_SIGN_OUT)
		loader_error(loader, node->line, "ends says which sessions an operation sign_out ends");
	if (!node_is(node, NODE_MAP)) {
		(void)loader_choice(loader, node, "ends", words, ARRAY_LEN(words), &word);
		ends->scope = (enum session_scope)(SESSION_ONE + word);
		return;
	}
	if (!loader_keys(loader, node, "ends", keys, ARRAY_LEN(keys)) ||
	    !loader_text(loader, node_member(node, "field"), "field", &ends->field))
		return;
	if (slice_is_absent(ends->field) || !has_field(route, ends->field))
		loader_error(loader, node->line, "ends is one, device or all, or {field: a field of the route that says it}");
}

static bool mentions(const struct answer_list *answers, struct slice name)
{
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer_spec *spec = &answers->items[i];
		if (!slice_equal_text(spec->key, "accepted"))
			continue;
		if (spec->body && template_mentions(spec->body, name))
			return true;
		for (size_t j = 0; j < spec->header_count; j++)
			if (template_mentions(spec->headers[j].value, name))
				return true;
	}
	return false;
}

static bool carries(const struct loader *loader, const struct route *route, const struct token_spec *spec)
{
	struct slice name = arena_printf(loader->set->arena, "token.%.*s", (int)spec->name.len, spec->name.ptr);
	const struct answer_list *own = &route->answers;
	return mentions(answer_find(own, SLICE_LIT("accepted"), NULL) ? own : &route->dialect->answers, name);
}

void load_minting(struct loader *loader, struct route *route)
{
	const struct dialect *dialect = route->dialect;
	const struct token_spec *refresh = dialect->refresh_token;
	for (size_t i = 0; i < dialect->token_count; i++) {
		bool there = carries(loader, route, &dialect->tokens[i]);
		route->mints = route->mints || there;
		route->opens = route->opens || (there && dialect->tokens[i].use != TOKEN_LOOSE);
	}
	if (has_target(route, TARGET_REFRESH_TOKEN) && shows_access(route))
		loader_error(loader, route->line,
			     "a route is shown one token of a session: the bearer's, or one that maps to refresh_token");
	if (has_target(route, TARGET_REFRESH_TOKEN) && !refresh)
		loader_error(loader, route->line, "a field maps to refresh_token, but no token has use: refresh");
	if (route->operation == OPERATION_REFRESH && route->field_count && !has_target(route, TARGET_REFRESH_TOKEN))
		loader_error(loader, route->line, "a session goes on by a field that maps to refresh_token");
	if (route->operation == OPERATION_REFRESH && route->field_count && refresh && dialect->session.rotates &&
	    !carries(loader, route, refresh))
		loader_error(loader, route->line, "the token is used once, so the answer must carry the next one: {{token.%.*s}}",
			     (int)refresh->name.len, refresh->name.ptr);
	if (route->operation == OPERATION_SIGN_OUT && route->field_count && !has_target(route, TARGET_REFRESH_TOKEN) &&
	    !shows_access(route))
		loader_error(loader, route->line,
			     "a sign-out is of a session: a field that maps to refresh_token, or access: [{bearer: {header: "
			     "authorization, token: access}}]");
}
