// SPDX-License-Identifier: Apache-2.0
// Days: RFC 3339 full-date in the proleptic Gregorian calendar.
#include "enrolld/base/clock.h"
#include "enrolld/rules/rules.h"

#define YEAR_MIN "1900"

static bool number(const char *text, size_t len, int *value)
{
	*value = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*value = *value * 10 + (text[i] - '0');
	}
	return true;
}

bool rules_day(struct slice text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;
	if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-')
		return false;
	if (!number(text.ptr, 4, &year) || !number(text.ptr + 5, 2, &month) || !number(text.ptr + 8, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= days[month - 1] + (month == 2 && leap);
}

bool rules_date(struct slice text, int64_t now_ms)
{
	char today[CLOCK_TEXT_SIZE];
	// Fixed widths: the order of the texts is the order of the days.
	return rules_day(text) && memcmp(text.ptr, YEAR_MIN, 4) >= 0 && memcmp(text.ptr, clock_format_ms(now_ms, today), 10) <= 0;
}
