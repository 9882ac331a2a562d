// SPDX-License-Identifier: Apache-2.0
// Is there an account with each of the identities that are named? For frontends that ask before they show a form, and so tell.
#include "operation/operation_private.h"

enum decision operation_look_up(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes)
{
	const struct registration *r = c->registration;
	bool known = r->claim_count > 0;
	(void)op;
	for (size_t i = 0; i < r->claim_count; i++)
		known = known && c->facts->taken[i];
	return known ? DECISION_STORE : operation_refuse(c, REASON_IDENTITY_UNKNOWN, receipt, changes);
}
