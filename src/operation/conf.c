// SPDX-License-Identifier: Apache-2.0
// Settings of the operations.
#include "enrolld/operation/operation.h"

#define HOUR (3600 * INT64_C(1000))
#define AT(type, member) SETTING_AT(type, struct operation_conf, member)

static const struct setting rows[] = {
	{"signup.verify_email", AT(BOOL, verify_email), .fallback = "true",
	 .doc = "Send a mail with a code and a link to the e-mail address of a new account."},
	{"signup.verify_phone", AT(BOOL, verify_phone), .fallback = "true",
	 .doc = "Send a text with a code to the phone number of a new account."},
	{"signup.email_life", AT(DURATION, email_life_ms), .min = 60000, .max = 24 * HOUR, .fallback = "24h",
	 .doc = "How long a mailed code or link is good for (NIST SP 800-63A: at most 24 hours)."},
	{"signup.text_life", AT(DURATION, text_life_ms), .min = 60000, .max = HOUR / 6, .fallback = "10m",
	 .doc = "How long a texted code is good for (NIST SP 800-63A: at most 10 minutes)."},
	{"signup.hash_taken", AT(BOOL, hash_taken), .fallback = "false",
	 .doc = "Hash the password also where the identity is taken, so that the time of the answer does not tell. Costs a hash for each such request."},
};

const struct setting_table operation_settings = {
	.module = "signup",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct operation_conf),
	.doc = "What a sign-up does beside making the account.",
};
