// SPDX-License-Identifier: Apache-2.0
// Days: RFC 3339 full-date in the proleptic Gregorian calendar.
#include <stdio.h>

#include "enrolld/base/clock.h"
#include "rules/rule.h"

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

enum reason rule_day_form(const struct node *node, const struct rule_scope *scope, struct slice *form, struct fault *f)
{
	unsigned found = 0;
	bool fine = !node || (node_is(node, NODE_TEXT) && node->text.len < 64);
	*form = node_text(node);
	for (size_t i = 0; fine && i < form->len; i++) {
		if (form->ptr[i] != '%')
			continue;
		if (++i < form->len && form->ptr[i] == '-')
			i++;
		const char *letter = i < form->len && form->ptr[i] ? strchr("Ymd*", form->ptr[i]) : NULL;
		fine = letter && (*letter != '*' || i + 1 == form->len);
		found |= letter ? 1u << (letter - "Ymd*") : 0;
	}
	if (node && (!fine || (found & 7u) != 7u))
		return rule_fault(
			scope, node, f,
			"a format has %%Y, %%m and %%d (%%-m and %%-d without a leading zero), and may end with %%* for whatever follows, "
			"like \"%%d/%%m/%%Y\"");
	return REASON_OK;
}

static bool take_number(struct slice *rest, size_t least, size_t most, int *value)
{
	size_t len = 0;
	while (len < most && len < rest->len && rest->ptr[len] >= '0' && rest->ptr[len] <= '9')
		len++;
	if (len < least || !number(rest->ptr, len, value))
		return false;
	*rest = (struct slice){rest->ptr + len, rest->len - len};
	return true;
}

bool rule_day(struct slice text, struct slice form, char day[static DAY_TEXT_SIZE])
{
	int year = 0, month = 0, of_month = 0;
	if (slice_is_absent(form)) {
		if (rules_day(text))
			memcpy(day, text.ptr, DAY_TEXT_SIZE - 1);
		day[DAY_TEXT_SIZE - 1] = '\0';
		return rules_day(text);
	}
	for (size_t i = 0; i < form.len; i++) {
		if (form.ptr[i] != '%') {
			if (text.len == 0 || text.ptr[0] != form.ptr[i])
				return false;
			text = (struct slice){text.ptr + 1, text.len - 1};
			continue;
		}
		bool bare = form.ptr[++i] == '-';
		i += bare;
		if (form.ptr[i] == '*')
			text.len = 0;
		else if (form.ptr[i] == 'Y' ? !take_number(&text, 4, 4, &year)
					    : !take_number(&text, bare ? 1 : 2, 2, form.ptr[i] == 'm' ? &month : &of_month))
			return false;
	}
	char made[40];
	(void)snprintf(made, sizeof(made), "%04d-%02d-%02d", year, month, of_month);
	memcpy(day, made, DAY_TEXT_SIZE - 1);
	day[DAY_TEXT_SIZE - 1] = '\0';
	return text.len == 0 && rules_day((struct slice){day, DAY_TEXT_SIZE - 1});
}

bool rules_date(struct slice text, int64_t now_ms)
{
	char today[CLOCK_TEXT_SIZE];
	// Fixed widths: the order of the texts is the order of the days.
	return rules_day(text) && memcmp(text.ptr, YEAR_MIN, 4) >= 0 && memcmp(text.ptr, clock_format_ms(now_ms, today), 10) <= 0;
}
