// SPDX-License-Identifier: Apache-2.0
// age: whoever was born on that day has so many years today (UTC). What is no day is the rule date's matter.
#include "rules/rule.h"
#include <stdint.h>

#include "enrolld/base/clock.h"

struct age {
	size_t min, max;
	struct slice form; // of the day; absent: YYYY-MM-DD
};

static int year_of(const char *day)
{
	return (day[0] - '0') * 1000 + (day[1] - '0') * 100 + (day[2] - '0') * 10 + (day[3] - '0');
}

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"min", "max", "format"};
	struct age *age = ARENA_NEW(scope->arena, struct age);
	const struct node *min = node_member(params, "min"), *max = node_member(params, "max");
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	age->max = SIZE_MAX;
	if (reason == REASON_OK && !min && !max)
		reason = rule_fault(scope, params, f,
				    "the parameter of age is {min: years, max: years}, of which one may be left out");
	if (reason == REASON_OK && min)
		reason = rule_number(min, scope, "min", 0, 200, &age->min, f);
	if (reason == REASON_OK && max)
		reason = rule_number(max, scope, "max", 0, 200, &age->max, f);
	if (reason == REASON_OK)
		reason = rule_day_form(node_member(params, "format"), scope, &age->form, f);
	*data = age;
	return reason;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct age *age = data;
	char today[CLOCK_TEXT_SIZE], day[DAY_TEXT_SIZE];
	if (!rule_day(input->field->text, age->form, day))
		return true;
	(void)clock_format_ms(input->now_ms, today);
	int years = year_of(today) - year_of(day) - (memcmp(today + 4, day + 4, 6) < 0);
	return years >= 0 && (size_t)years >= age->min && (size_t)years <= age->max;
}

const struct rule_kind rule_kind_age = {
	.name = "age",
	.code = "invalid_age",
	.text = "This age is not accepted.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
