// SPDX-License-Identifier: Apache-2.0
// phone: a number in international form (see phone.c), one that its country's numbering plan has (see numbering.c), or digits only.
#include "rules/rule.h"

struct phone {
	const struct numbering *numbering; // NULL: any country
	const struct node *regions;        // NULL: all
	bool digits;
	bool has_prefix;
	size_t prefix; // the field that stands before this one
};

static enum reason read_flags(const struct node *params, const struct rule_scope *scope, struct phone *phone, bool *numbered,
			      struct fault *f)
{
	static const char *const known[] = {"numbering", "regions", "prefix", "digits"};
	const struct node *numbering = node_member(params, "numbering"), *digits = node_member(params, "digits");
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	if (reason == REASON_OK && ((numbering && !node_is(numbering, NODE_BOOL)) || (digits && !node_is(digits, NODE_BOOL))))
		reason = rule_fault(scope, params, f, "numbering and digits are true or false");
	*numbered = node_is(numbering, NODE_BOOL) && numbering->boolean;
	phone->digits = node_is(digits, NODE_BOOL) && digits->boolean;
	phone->regions = node_member(params, "regions");
	if (reason == REASON_OK && phone->digits && (*numbered || phone->regions || node_member(params, "prefix")))
		reason = rule_fault(scope, params, f, "digits: true goes with no other parameter of phone");
	if (reason == REASON_OK && phone->regions && !*numbered)
		reason = rule_fault(scope, params, f, "only with numbering: true is a number's region known");
	return reason;
}

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	struct phone *phone = ARENA_NEW(scope->arena, struct phone);
	const struct node *prefix = node_member(params, "prefix");
	bool numbered = false;
	enum reason reason = read_flags(params, scope, phone, &numbered, f);
	if (reason == REASON_OK && phone->regions && (!node_is(phone->regions, NODE_LIST) || node_count(phone->regions) == 0))
		reason = rule_fault(scope, phone->regions, f, "regions is a list of ISO 3166 codes, like [EG, SA]");
	if (reason == REASON_OK && prefix) {
		phone->has_prefix = true;
		reason = rule_other_field(prefix, scope, "prefix", &phone->prefix, f);
	}
	if (reason == REASON_OK && numbered)
		reason = rule_numbering(params, scope, &phone->numbering, f);
	*data = phone;
	return reason;
}

static bool all_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return text.len > 0;
}

static bool region_wanted(const struct phone *phone, struct slice region)
{
	if (!phone->regions)
		return true;
	for (size_t i = 0; i < node_count(phone->regions); i++)
		if (slice_equal(node_text(node_item(phone->regions, i)), region))
			return true;
	return false;
}

static struct slice whole_number(const struct phone *phone, const struct rule_input *input)
{
	struct slice text = input->field->text;
	if (!phone->has_prefix)
		return text;
	struct slice prefix = input->fields[phone->prefix].text;
	return prefix.len ? arena_printf(input->arena, "%.*s%.*s", (int)prefix.len, prefix.ptr, (int)text.len, text.ptr)
			  : SLICE_ABSENT;
}

static bool read(const struct phone *phone, const struct rule_input *input, struct slice *key)
{
	struct slice region, text = whole_number(phone, input);
	if (slice_is_absent(text))
		return false;
	if (phone->digits) {
		*key = text;
		return all_digits(text);
	}
	if (!phone->numbering)
		return rules_phone(text, input->arena, key);
	return numbering_read(phone->numbering, text, input->arena, key, &region) && region_wanted(phone, region);
}

static bool holds(const void *data, const struct rule_input *input)
{
	struct slice key;
	return read(data, input, &key);
}

static bool key(const void *data, const struct rule_input *input, struct slice *text)
{
	return read(data, input, text);
}

const struct rule_kind rule_kind_phone = {
	.name = "phone",
	.code = "invalid_phone",
	.text = "This is not a valid phone number in international form, such as +49 30 123456.",
	.about = ABOUT_TEXT,
	.bare = true,
	.compile = compile,
	.holds = holds,
	.key = key,
};
