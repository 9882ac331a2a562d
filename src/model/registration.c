// SPDX-License-Identifier: Apache-2.0
// Names of operations and claims, and finding a claim.
#include "enrolld/model/registration.h"

#include "enrolld/base/fault.h"

static const char *const operation_names[OPERATION_COUNT] = {
	[OPERATION_SIGN_UP] = "sign_up",
	[OPERATION_SET_PASSWORD] = "set_password",
	[OPERATION_CODE_REQUEST] = "code_request",
	[OPERATION_CODE_CHECK] = "code_check",
	[OPERATION_VERIFY] = "verify",
	[OPERATION_SIGN_IN] = "sign_in",
	[OPERATION_REFRESH] = "refresh",
	[OPERATION_SIGN_OUT] = "sign_out",
	[OPERATION_LOOK_UP] = "look_up",
};

static const char *const claim_names[CLAIM_KIND_COUNT] = {
	[CLAIM_EMAIL] = "email", [CLAIM_PHONE] = "phone",   [CLAIM_USERNAME] = "username",
	[CLAIM_SLUG] = "slug",   [CLAIM_HANDLE] = "handle",
};

const char *operation_kind_name(enum operation_kind kind)
{
	if ((size_t)kind >= OPERATION_COUNT)
		PANIC("operation_kind_name: %d", (int)kind);
	return operation_names[kind];
}

bool operation_kind_find(struct slice name, enum operation_kind *ret_kind)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (slice_equal_text(name, operation_names[i])) {
			*ret_kind = (enum operation_kind)i;
			return true;
		}
	}
	return false;
}

const char *claim_kind_name(enum claim_kind kind)
{
	if ((size_t)kind >= CLAIM_KIND_COUNT)
		PANIC("claim_kind_name: %d", (int)kind);
	return claim_names[kind];
}

void registration_forget(struct registration *r)
{
	secret_release(r->password);
	secret_release(r->old_password);
	secret_release(r->code.typed);
	r->password = r->old_password = r->code.typed = NULL;
}

const struct code_rule *code_use_rule(const struct code_use *use, struct slice purpose)
{
	for (size_t i = 0; i < use->rule_count; i++)
		if (slice_equal_text(purpose, use->rules[i].purpose))
			return &use->rules[i];
	return NULL;
}

bool claim_kind_find(struct slice name, enum claim_kind *ret_kind)
{
	for (size_t i = 0; i < CLAIM_KIND_COUNT; i++) {
		if (slice_equal_text(name, claim_names[i])) {
			*ret_kind = (enum claim_kind)i;
			return true;
		}
	}
	return false;
}

const struct claim *registration_claim(const struct registration *r, enum claim_kind kind)
{
	for (size_t i = 0; i < r->claim_count; i++) {
		if (r->claims[i].kind == kind)
			return &r->claims[i];
	}
	return NULL;
}
