// SPDX-License-Identifier: Apache-2.0
// date: a day of the calendar, YYYY-MM-DD or in another form, within bounds.
#include "enrolld/base/clock.h"
#include "rules/rule.h"

enum bound { BOUND_DAY, BOUND_TODAY, BOUND_ANY };

struct date {
	enum bound since, until;
	struct slice since_day, until_day;
	struct slice form; // absent: YYYY-MM-DD
};

static enum reason read_bound(const struct node *node, const struct rule_scope *scope, enum bound *bound, struct slice *day,
			      struct fault *f)
{
	struct slice text = node_text(node);
	if (!node)
		return REASON_OK;
	if (slice_equal_text(text, "today"))
		*bound = BOUND_TODAY;
	else if (slice_equal_text(text, "any"))
		*bound = BOUND_ANY;
	else if (slice_is_absent(text) || !rules_day(text))
		return rule_fault(scope, node, f, "since and until are a day like 1900-01-01, today, or any");
	else
		*bound = BOUND_DAY;
	*day = text;
	return REASON_OK;
}

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"since", "until", "format"};
	struct date *date = ARENA_NEW(scope->arena, struct date);
	*date = (struct date){.since = BOUND_DAY, .since_day = SLICE_LIT("1900-01-01"), .until = BOUND_TODAY};
	*data = date;
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	if (reason == REASON_OK)
		reason = read_bound(node_member(params, "since"), scope, &date->since, &date->since_day, f);
	if (reason == REASON_OK)
		reason = read_bound(node_member(params, "until"), scope, &date->until, &date->until_day, f);
	return reason == REASON_OK ? rule_day_form(node_member(params, "format"), scope, &date->form, f) : reason;
}

// Fixed widths: the order of the texts is the order of the days.
static int against(struct slice text, enum bound bound, struct slice day, const char *today)
{
	return memcmp(text.ptr, bound == BOUND_TODAY ? today : day.ptr, 10);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct date *date = data;
	char today[CLOCK_TEXT_SIZE], day[DAY_TEXT_SIZE];
	if (!rule_day(input->field->text, date->form, day))
		return false;
	struct slice text = {day, DAY_TEXT_SIZE - 1};
	(void)clock_format_ms(input->now_ms, today);
	return (date->since == BOUND_ANY || against(text, date->since, date->since_day, today) >= 0) &&
	       (date->until == BOUND_ANY || against(text, date->until, date->until_day, today) <= 0);
}

static bool key(const void *data, const struct rule_input *input, struct slice *text)
{
	const struct date *date = data;
	char day[DAY_TEXT_SIZE];
	if (!rule_day(input->field->text, date->form, day))
		return false;
	*text = arena_copy(input->arena, (struct slice){day, DAY_TEXT_SIZE - 1});
	return true;
}

const struct rule_kind rule_kind_date = {
	.name = "date",
	.code = "invalid_date",
	.text = "This is not a day of the past, written YYYY-MM-DD.",
	.about = ABOUT_TEXT,
	.bare = true,
	.compile = compile,
	.holds = holds,
	.key = key,
};
