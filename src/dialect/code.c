// SPDX-License-Identifier: Apache-2.0
// Which code a request asks for, tries, or follows the link of.
#include "dialect/reading.h"
#include "enrolld/base/hex.h"
#include "enrolld/crypto/digest.h"

#define TYPED_MAX 64 // no code with its blanks and dashes is longer

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
static void fill_token(const struct keyring *keys, struct slice token, struct code_use *use)
{
	struct key_info infos[KEYS_MAX];
	size_t count = keys ? keyring_list(keys, infos, KEYS_MAX) : 0;
	while (count > 0 && use->token_count < CODE_EPOCHS_MAX)
		code_token_digest(keys, infos[--count].epoch, token, use->token_digests[use->token_count++]);
}

// Whoever signs in with a password names any identity.
static void fill_identity(const struct registration *r, const struct keyring *keys, struct arena *arena, struct code_use *use)
{
	use->by_password = r->claim_count > 0 && r->password && keys;
	use->has_address = use->by_password;
	if (!use->by_password)
		return;
	use->kind = r->claims[0].kind;
	use->value = r->claims[0].value;
	const struct slice parts[] = {slice_of(claim_kind_name(use->kind)), use->value};
	uint8_t digest[DIGEST_SIZE];
	char text[HEX_TEXT_SIZE(DIGEST_SIZE)];
	digest_keyed(keys, keyring_active(keys), "password", parts, ARRAY_LEN(parts), digest);
	hex_encode(digest, sizeof(digest), text);
	use->subject = arena_copy(arena, slice_of(text));
}

enum reason code_fill(struct dialect_reading *reading, struct secret_pool *pool, struct fault *f)
{
	const struct route *route = reading->route;
	const struct dialect *dialect = route->dialect;
	struct code_use *use = &reading->registration->code;
	if (route->operation == OPERATION_SIGN_IN)
		fill_identity(reading->registration, dialect->set->keys, reading->arena, use);
	if (!route->code.there)
		return REASON_OK;
	use->rules = dialect->codes;
	use->rule_count = dialect->code_count;
	struct slice purpose = purpose_of(reading);
	use->rule = slice_is_absent(purpose) ? route->code.rule : code_use_rule(use, purpose);
	fill_address(reading->registration, use);
	const struct rule_field *id = seen_of(reading, TARGET_CHALLENGE_ID);
	use->has_challenge = id && uuid_parse(id->text, &use->challenge_id);
	const struct rule_field *token = seen_of(reading, TARGET_LINK_TOKEN);
	if (token)
		fill_token(dialect->set->keys, token->text, use);
	const struct rule_field *typed = seen_of(reading, TARGET_CODE);
	if (!typed)
		return REASON_OK;
	use->typed = secret_create(pool, typed->text.len <= TYPED_MAX ? typed->text : SLICE_LIT(""));
	return use->typed ? REASON_OK : fault_set(f, REASON_HASH_MEMORY, "no room for another code");
}
