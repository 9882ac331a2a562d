// SPDX-License-Identifier: Apache-2.0
// Integers, durations and sizes as people write them in settings.
#include <inttypes.h>
#include <stdio.h>

#include "enrolld/model/settings.h"

struct unit {
	const char *name;
	int64_t scale;
};

static const struct unit durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit sizes[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

// Decimal digits without leading zeros; returns how many bytes they took, 0 if none or too large.
static size_t parse_digits(struct slice text, int64_t *n)
{
	size_t at = 0;

	*n = 0;
	for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++) {
		int digit = text.ptr[at] - '0';

		if (*n > (INT64_MAX - digit) / 10)
			return 0;
		*n = *n * 10 + digit;
	}
	return at > 1 && text.ptr[0] == '0' ? 0 : at;
}

bool setting_parse_int(struct slice text, int64_t *n)
{
	bool negative = text.len > 0 && text.ptr[0] == '-';
	int64_t value;
	size_t taken;

	if (negative)
		text = (struct slice){text.ptr + 1, text.len - 1};
	taken = parse_digits(text, &value);
	if (taken == 0 || taken != text.len)
		return false;
	*n = negative ? -value : value;
	return true;
}

static bool parse_scaled(struct slice text, const struct unit *units, size_t count, int64_t *n)
{
	int64_t value;
	size_t taken = parse_digits(text, &value);
	struct slice rest = {text.ptr + taken, text.len - taken};

	if (taken == 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!slice_equal_text(rest, units[i].name))
			continue;
		if (value > INT64_MAX / units[i].scale)
			return false;
		*n = value * units[i].scale;
		return true;
	}
	return false;
}

bool setting_parse_duration(struct slice text, int64_t *ms)
{
	if (slice_equal_text(text, "0")) {
		*ms = 0;
		return true;
	}
	return parse_scaled(text, durations, ARRAY_LEN(durations), ms);
}

bool setting_parse_size(struct slice text, int64_t *bytes)
{
	return parse_scaled(text, sizes, ARRAY_LEN(sizes), bytes);
}

static const char *format_scaled(int64_t n, const struct unit *units, size_t count, char out[static SETTING_NUMBER_SIZE])
{
	size_t i = count - 1;

	while (i > 0 && n % units[i].scale != 0)
		i--;
	(void)snprintf(out, SETTING_NUMBER_SIZE, "%" PRId64 "%s", n / units[i].scale, units[i].name);
	return out;
}

const char *setting_format_duration(int64_t ms, char out[static SETTING_NUMBER_SIZE])
{
	if (ms == 0)
		return memcpy(out, "0", sizeof("0"));
	return format_scaled(ms, durations, ARRAY_LEN(durations), out);
}

const char *setting_format_size(int64_t bytes, char out[static SETTING_NUMBER_SIZE])
{
	if (bytes == 0)
		return memcpy(out, "0", sizeof("0"));
	return format_scaled(bytes, sizes, ARRAY_LEN(sizes), out);
}
