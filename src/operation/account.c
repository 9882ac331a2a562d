// SPDX-License-Identifier: Apache-2.0
// Opening an account: for a sign-up, and for a code that proves a new address.
#include "operation/operation_private.h"

bool operation_any_taken(const struct operation_case *c)
{
	for (size_t i = 0; i < c->registration->claim_count; i++)
		if (c->facts->taken[i])
			return true;
	return false;
}

// Those of the registration, and a value for each derived one as the look proposed it.
static void add_claims(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	const struct registration *r = c->registration;
	changes->claims = r->claims;
	changes->claim_count = r->claim_count;
	if (r->derived_count == 0)
		return;
	struct claim *claims = ARENA_ARRAY(c->arena, r->claim_count + r->derived_count, struct claim);
	if (r->claim_count)
		memcpy(claims, r->claims, r->claim_count * sizeof(*claims));
	for (size_t i = 0; i < r->derived_count; i++) {
		const struct derived_claim *derived = &r->derived[i];
		struct slice value = c->facts->proposals[i];
		if (slice_is_absent(value))
			PANIC("a derived claim has no proposal");
		claims[r->claim_count + i] = (struct claim){
			.kind = derived->kind, .value = value, .shown = value, .field = derived->field};
		if (derived->kind == CLAIM_SLUG)
			receipt->slug = value;
	}
	changes->claims = claims;
	changes->claim_count = r->claim_count + r->derived_count;
	changes->derived_count = r->derived_count;
}

void operation_open_account(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	const struct registration *r = c->registration;
	receipt->has_account = true;
	receipt->account_id = operation_id(c->request, "account");
	receipt->opening = r->opening;
	changes->has_account = true;
	add_claims(c, receipt, changes);
	changes->account = (struct account_row){
		.account_id = receipt->account_id,
		.password_hash = r->password_hash,
		.given_name = r->given_name,
		.family_name = r->family_name,
		.display_name = r->display_name,
		.birth_date = r->birth_date,
		.locale = r->locale,
		.attributes = r->attributes,
		.opening = r->opening,
		.counter = !r->wants_number ? NULL
			   : r->counter     ? r->counter
					    : "account",
	};
}
