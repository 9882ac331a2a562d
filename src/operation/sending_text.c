// SPDX-License-Identifier: Apache-2.0
// Prefixes and budgets as they are written.
#include <string.h>

#include "operation/sending_private.h"

#define PREFIX_DIGITS_MAX 15 // ITU-T E.164
#define WINDOW_MAX_MS (INT64_C(31) * 24 * 3600 * 1000)

static size_t digits_of(const char *text)
{
	return strspn(text, "0123456789");
}

bool sending_is_prefix(const char *text)
{
	if (text[0] != '+' || text[1] == '0')
		return false;
	size_t digits = digits_of(text + 1);
	return digits <= PREFIX_DIGITS_MAX && text[1 + digits] == '\0';
}

bool sending_budget_fits(const char *prefix, enum claim_kind kind, struct slice value)
{
	if (strcmp(prefix, BUDGET_OF_MAIL) == 0)
		return kind == CLAIM_EMAIL;
	if (kind != CLAIM_PHONE)
		return false;
	size_t len = strlen(prefix);
	return strcmp(prefix, BUDGET_OF_TEXTS) == 0 || (value.len >= len && memcmp(value.ptr, prefix, len) == 0);
}

static bool parse_one(struct slice text, struct sending_budget *out)
{
	const char *slash = memchr(text.ptr, '/', text.len);
	if (!slash)
		return false;
	struct slice allowed = {text.ptr, (size_t)(slash - text.ptr)};
	struct slice window = {slash + 1, text.len - allowed.len - 1};
	return setting_parse_int(allowed, &out->allowed) && out->allowed >= 0 && setting_parse_duration(window, &out->window_ms) &&
	       out->window_ms >= 1000 && out->window_ms <= WINDOW_MAX_MS;
}

bool sending_parse_budget(const char *text, struct sending_budget out[static BUDGET_WINDOWS], size_t *ret_count)
{
	static const char *const separators = " ,";
	size_t count = 0;
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		size_t len = strcspn(text, separators);
		if (count == BUDGET_WINDOWS)
			return false;
		out[count] = (struct sending_budget){0};
		if (!parse_one((struct slice){text, len}, &out[count++]))
			return false;
		text += len;
	}
	if (count == 0 || (count == 2 && out[0].window_ms == out[1].window_ms))
		return false;
	*ret_count = count;
	return true;
}

size_t sending_calling_code(const char *digits)
{
	static const char *const two = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 "
				       "60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";
	if (digits[0] == '1' || digits[0] == '7')
		return 1;
	for (const char *at = two; digits[0] && *at; at += at[2] ? 3 : 2)
		if (at[0] == digits[0] && at[1] == digits[1])
			return 2;
	return 3;
}
