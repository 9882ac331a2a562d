// SPDX-License-Identifier: Apache-2.0
// Which code a request asks for, tries, or follows the link of.
#include <stdio.h>

#include "dialect/reading.h"
#include "enrolld/base/hex.h"
#include "enrolld/crypto/digest.h"

#define TYPED_MAX 64 // no code with its blanks and dashes is longer
#define NUMBER_SIZE 24

static const struct rule_field *seen_of(const struct dialect_reading *reading, enum target target)
{
	for (size_t i = 0; i < reading->route->field_count; i++)
		if (reading->route->fields[i].target == target && !slice_is_absent(reading->seen[i].text))
			return &reading->seen[i];
	return NULL;
}

static struct slice purpose_of(const struct dialect_reading *reading)
{
	const struct route *route = reading->route;
	for (size_t i = 0; !slice_is_absent(route->code.field) && i < route->field_count; i++)
		if (slice_equal(route->fields[i].name, route->code.field))
			return reading->seen[i].text;
	return SLICE_ABSENT;
}

// The first address among the identities.
static void fill_address(const struct registration *r, struct code_use *use)
{
	for (size_t i = 0; i < r->claim_count && !use->has_address; i++) {
		if (r->claims[i].kind != CLAIM_EMAIL && r->claims[i].kind != CLAIM_PHONE)
			continue;
		use->has_address = true;
		use->kind = r->claims[i].kind;
		use->value = r->claims[i].value;
	}
}

// Rows remember the digest under the epoch that was active when they were made: the newest epochs first.
static void fill_token(const struct keyring *keys, struct slice text, struct code_use *use)
{
	struct key_info infos[KEYS_MAX];
	char token[TOKEN_TEXT_SIZE];
	size_t count = keys && code_token_read(text, token) ? keyring_list(keys, infos, KEYS_MAX) : 0;
	while (count > 0 && use->token_count < CODE_EPOCHS_MAX)
		code_token_digest(keys, infos[--count].epoch, slice_of(token), use->token_digests[use->token_count++]);
	secret_wipe(token, sizeof(token));
}

static void fill_caller(const struct dialect_reading *reading, const struct keyring *keys, struct code_use *use)
{
	struct key_info infos[KEYS_MAX];
	struct slice sent = request_header_value(reading->request, reading->route->code.caller.ptr);
	struct slice bearer = access_bearer(sent), caller = slice_is_absent(bearer) ? sent : bearer;
	size_t count = keys && caller.len ? keyring_list(keys, infos, KEYS_MAX) : 0;
	while (count > 0 && use->caller_count < CODE_EPOCHS_MAX)
		digest_keyed(keys, infos[--count].epoch, "caller", &caller, 1, use->callers[use->caller_count++]);
}

// Whoever tries a code without naming an address says at least of which kind it is.
static void fill_channel(const struct rule_field *channel, struct code_use *use)
{
	if (!channel || use->has_address || use->caller_count == 0)
		return;
	use->by_caller = true;
	use->kind = slice_equal_text(channel->text, "email") ? CLAIM_EMAIL : CLAIM_PHONE;
}

// The first digits of an id are enough where the frontend's ids are shorter.
static void fill_account(const struct rule_field *id, struct arena *arena, struct code_use *use)
{
	char *digits = id ? arena_alloc(arena, id->text.len + 1) : NULL;
	size_t len = 0;
	if (!id)
		return;
	for (size_t i = 0; i < id->text.len; i++) {
		char c = id->text.ptr[i];
		if (hex_is_digit(c))
			digits[len++] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
	}
	use->account = (struct slice){digits, len};
}

// As it was typed: a text, or a number without the zeros in front.
static enum reason fill_typed(const struct dialect_reading *reading, struct secret_pool *pool, struct code_use *use,
			      struct fault *f)
{
	char number[NUMBER_SIZE] = "";
	struct slice typed = SLICE_ABSENT;
	for (size_t i = 0; i < reading->route->field_count; i++) {
		const struct node *value = reading->route->fields[i].target == TARGET_CODE ? reading->seen[i].value : NULL;
		if (!value)
			continue;
		if (node_is(value, NODE_INT) && value->integer >= 0)
			(void)snprintf(number, sizeof(number), "%lld", (long long)value->integer);
		typed = node_is(value, NODE_TEXT) && value->text.len <= TYPED_MAX ? value->text : slice_of(number);
	}
	if (!slice_is_absent(typed))
		use->typed = secret_create(pool, typed);
	bool kept = slice_is_absent(typed) || use->typed;
	secret_wipe(number, sizeof(number));
	return kept ? REASON_OK : fault_set(f, REASON_HASH_MEMORY, "no room for another code");
}

// Whoever signs in with a password names any identity.
static void fill_identity(const struct registration *r, const struct keyring *keys, struct arena *arena, struct code_use *use)
{
	use->by_password = r->claim_count > 0 && keys;
	use->has_address = use->by_password;
	if (!use->by_password)
		return;
	use->kind = r->claims[0].kind;
	use->value = r->claims[0].value;
	char text[CODE_SUBJECT_SIZE];
	code_subject(keys, claim_kind_name(use->kind), use->value, text);
	use->subject = arena_copy(arena, slice_of(text));
}

enum reason code_fill(struct dialect_reading *reading, struct secret_pool *pool, struct fault *f)
{
	const struct route *route = reading->route;
	const struct dialect *dialect = route->dialect;
	struct code_use *use = &reading->registration->code;
	use->tells = route->operation == OPERATION_SET_PASSWORD;
	if ((route->operation == OPERATION_SIGN_IN && reading->registration->password) || reading->registration->old_password)
		fill_identity(reading->registration, dialect->set->keys, reading->arena, use);
	if (!route->code.there)
		return REASON_OK;
	use->rules = dialect->codes;
	use->rule_count = dialect->code_count;
	struct slice purpose = purpose_of(reading);
	use->rule = slice_is_absent(purpose) ? route->code.rule : code_use_rule(use, purpose);
	fill_address(reading->registration, use);
	if (use->by_password &&
	    route->operation ==
		    OPERATION_SIGN_IN) // an account that is pending is sent the code once more that it was sent at sign-up
		use->rule = code_use_rule(use, use->kind == CLAIM_EMAIL   ? SLICE_LIT(PURPOSE_VERIFY_EMAIL)
					       : use->kind == CLAIM_PHONE ? SLICE_LIT(PURPOSE_VERIFY_PHONE)
									  : SLICE_LIT(""));
	const struct rule_field *id = seen_of(reading, TARGET_CHALLENGE_ID);
	use->has_challenge = id && uuid_parse(id->text, &use->challenge_id);
	const struct rule_field *token = seen_of(reading, TARGET_LINK_TOKEN);
	if (token)
		fill_token(dialect->set->keys, token->text, use);
	fill_account(seen_of(reading, TARGET_ACCOUNT_ID), reading->arena, use);
	if (!slice_is_absent(route->code.caller))
		fill_caller(reading, dialect->set->keys, use);
	fill_channel(seen_of(reading, TARGET_CODE_CHANNEL), use);
	return fill_typed(reading, pool, use, f);
}
