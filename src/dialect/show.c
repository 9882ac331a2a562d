// SPDX-License-Identifier: Apache-2.0
// A session's token that is shown: is it one of ours, and which session does it name?
#include "dialect/reading.h"

#define NEST_MAX 4
#define NODES_MAX 256

static bool has_members(const struct token_spec *spec, const struct node *payload)
{
	for (size_t i = 0; i < spec->member_count; i++) {
		const struct node *node = node_member_slice(payload, spec->members[i].name);
		if (!node_is(node, NODE_TEXT) || !slice_equal(node->text, spec->members[i].value))
			return false;
	}
	return true;
}

// The id of a signed token of the kind, and when it expires; absent: it is none.
static struct slice open_signed(const struct dialect_reading *reading, const struct token_spec *spec, struct slice token,
				int64_t *expires_ms)
{
	const struct keyring *keys = reading->route->dialect->set->keys;
	struct slice payload = sign_open(keys, reading->request->realm, &spec->form, token, reading->arena);
	const struct json_limits limits = {.bytes = payload.len, .depth = NEST_MAX, .nodes = NODES_MAX};
	const struct node *root, *exp;
	struct fault f;
	if (slice_is_absent(payload) || json_parse(payload, limits, reading->arena, &root, &f) != REASON_OK ||
	    !has_members(spec, root))
		return SLICE_ABSENT;
	exp = node_member(root, "exp");
	if (!node_is(exp, NODE_INT) || exp->integer < 1 || exp->integer > INT64_MAX / 1000)
		return SLICE_ABSENT;
	*expires_ms = exp->integer * 1000;
	return node_text(node_member(root, "jti"));
}

// Of "17|secret" what stands behind the bar: the number is for people.
static struct slice behind_bar(struct slice token)
{
	const char *bar = token.len ? memrchr(token.ptr, '|', token.len) : NULL;
	return bar ? (struct slice){bar + 1, token.len - (size_t)(bar + 1 - token.ptr)} : token;
}

void show_token(struct dialect_reading *reading, const struct token_spec *spec, struct slice token)
{
	const struct keyring *keys = reading->route->dialect->set->keys;
	struct session_use *use = &reading->registration->session;
	struct key_info infos[KEYS_MAX];
	use->rule = &reading->route->dialect->session;
	use->shown = true;
	use->digest_count = 0;
	use->access = spec->use == TOKEN_ACCESS;
	use->kind = spec->kind;
	use->alphabet = spec->alphabet;
	use->is_signed = spec->payload != NULL;
	struct slice id = spec->payload ? open_signed(reading, spec, token, &use->expires_ms) : behind_bar(token);
	if (id.len != spec->length)
		return;
	use->token = arena_copy(reading->arena, id);
	size_t count = keyring_list(keys, infos, KEYS_MAX);
	while (count > 0 && use->digest_count < SESSION_EPOCHS_MAX)
		session_digest(keys, use->rule->dialect, infos[--count].epoch, use->token, use->digests[use->digest_count++]);
}

static struct slice seen_text(const struct dialect_reading *reading, enum target target, struct slice name)
{
	for (size_t i = 0; i < reading->route->field_count; i++) {
		const struct field *field = &reading->route->fields[i];
		if (target != TARGET_NONE ? field->target == target : slice_equal(field->name, name))
			return reading->seen[i].text;
	}
	return SLICE_ABSENT;
}

void show_fill(struct dialect_reading *reading)
{
	const struct route *route = reading->route;
	const struct dialect *dialect = route->dialect;
	struct session_use *use = &reading->registration->session;
	if (!dialect->has_sessions || !dialect->set->keys)
		return;
	use->rule = &dialect->session;
	use->opens = route->opens;
	use->scope = route->ends.scope;
	struct slice scope = seen_text(reading, TARGET_NONE, route->ends.field);
	for (size_t i = SESSION_ONE; i <= SESSION_ALL && !slice_is_absent(route->ends.field); i++)
		if (slice_equal_text(scope, session_scope_name((enum session_scope)i)))
			use->scope = (enum session_scope)i;
	struct slice token = seen_text(reading, TARGET_REFRESH_TOKEN, SLICE_ABSENT);
	if (!slice_is_absent(token) && dialect->refresh_token)
		show_token(reading, dialect->refresh_token, token);
}
