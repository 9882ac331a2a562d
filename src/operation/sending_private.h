// SPDX-License-Identifier: Apache-2.0
// What the settings of sending and what is made of them share.
#pragma once

#include "enrolld/operation/sending.h"

#define BUDGET_OF_MAIL "mail" // in the place of a prefix
#define BUDGET_OF_TEXTS "+"

// "+" and up to 15 digits, the first not 0.
bool sending_is_prefix(const char *text) ATTR_MUST_USE;
// Is a message to the address counted on the budget of this prefix?
bool sending_budget_fits(const char *prefix, enum claim_kind kind, struct slice value) ATTR_MUST_USE;
// "500/1h, 2000/1d": allowed and window_ms are filled. The separators are blanks or commas.
bool sending_parse_budget(const char *text, struct sending_budget out[static BUDGET_WINDOWS], size_t *count) ATTR_MUST_USE;
// Calling codes are prefix-free (ITU-T E.164, list of assigned codes): how many digits this one has.
size_t sending_calling_code(const char *digits) ATTR_MUST_USE;
