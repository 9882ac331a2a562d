// SPDX-License-Identifier: Apache-2.0
// Settings of what is sent to whom: of all realms together, and of each.
#include <stdio.h>
#include <string.h>

#include "operation/sending_private.h"

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)

#define ALL(type, member) SETTING_AT(type, struct sending_conf, member)
static const struct setting all_rows[] = {
	{"sending.allow", ALL(LIST, allow), .max = 256, .reloadable = true,
	 .doc = "Prefixes of telephone numbers that texts are sent to, such as +44, in all realms. If there is any list of allowed ones, of all realms "
		"or the realm's own, other numbers are refused. Of several entries that a number begins with, allowed or denied, the longest holds."},
	{"sending.deny", ALL(LIST, deny), .max = 256, .reloadable = true,
	 .doc = "Prefixes of telephone numbers that no text is sent to, in all realms: premium rates, satellites, ranges that are abused."},
	{"sending.budgets", ALL(MAP, budgets), .max = 256, .reloadable = true,
	 .doc = "How many messages are written in a window, in all realms together: \"+44\": 500/1h 2000/1d. \"+\" counts all texts, mail all mails. A "
		"message is counted on each budget that its number begins with; where one is used up it is withheld."},
};

#define OF(type, member) SETTING_AT(type, struct realm_conf, member)
static const struct setting_choice withheld[] = {
	{"refuse", WITHHELD_REFUSE, "The request is refused with its reason, in the dialect's words."},
	{"silent", WITHHELD_SILENT, "The request is answered as if the message had been sent."},
	{0},
};
static const struct setting realm_rows[] = {
	{"realms.*.allow", OF(LIST, allow), .max = 256, .reloadable = true,
	 .doc = "As sending.allow, in this realm. Beats an entry of the same length there."},
	{"realms.*.deny", OF(LIST, deny), .max = 256, .reloadable = true, .doc = "As sending.deny, in this realm."},
	{"realms.*.budgets", OF(MAP, budgets), .max = 256, .reloadable = true, .doc = "As sending.budgets, of this realm alone."},
	{"realms.*.withheld", OF(CHOICE, withheld), .choices = withheld, .fallback = "refuse", .reloadable = true,
	 .doc = "What becomes of a request whose message is not sent, as its prefix is denied or held, or a budget used up."},
	{"realms.*.hold.percent", OF(INT, hold_percent), .max = 100, .unit = "percent", .fallback = "0", .reloadable = true,
	 .doc = "A prefix is put on hold if fewer of the codes that it was texted come back. 0: none is."},
	{"realms.*.hold.sends", OF(INT, hold_sends), .min = 1, .max = 1000000, .unit = "texts", .fallback = "50",
	 .reloadable = true, .doc = "Not before so many texts of a window."},
	{"realms.*.hold.window", OF(DURATION, hold_window_ms), .min = SECOND, .max = 31 * 24 * HOUR, .fallback = "1h",
	 .reloadable = true, .doc = "How long texts and codes that come back are counted before both begin anew."},
	{"realms.*.hold.grace", OF(DURATION, hold_grace_ms), .min = 0, .max = HOUR, .fallback = "5m", .reloadable = true,
	 .doc = "How long people may take to type a code before its text counts."},
	{"realms.*.hold.time", OF(DURATION, hold_time_ms), .min = SECOND, .max = 31 * 24 * HOUR, .fallback = "1h",
	 .reloadable = true, .doc = "How long a prefix stays on hold, unless an operator lifts it."},
	{"realms.*.hold.digits", OF(INT, hold_digits), .max = 8, .unit = "digits", .fallback = "3", .reloadable = true,
	 .doc = "Digits behind the country's calling code that make a prefix; 0: whole countries are watched."},
	{"realms.*.test", OF(BOOL, test), .fallback = "false", .reloadable = true,
	 .doc = "This realm is for tests: it may have numbers with fixed codes."},
	{"realms.*.test_numbers", OF(MAP, test_numbers), .max = 64, .reloadable = true,
	 .doc = "Numbers that nothing is sent to, each with the code that is right for it: \"+15550100001\": \"123456\". Only in a realm for tests."},
};

static enum reason check_prefixes(const char *name, const struct setting_list *list, struct fault *f)
{
	for (size_t i = 0; i < list->count; i++)
		if (!sending_is_prefix(list->items[i]))
			return fault_set(f, REASON_SETTING_INVALID, "%s: \"%.40s\" is no prefix: + and up to 15 digits", name,
					 list->items[i]);
	return REASON_OK;
}

// Budgets of the map that count whatever this one counts.
static size_t depth_of(const struct setting_map *map, const char *prefix)
{
	size_t depth = 0;
	for (size_t i = 0; i < map->count; i++)
		depth += strncmp(map->pairs[i].name, prefix, strlen(map->pairs[i].name)) == 0;
	return depth;
}

static enum reason check_budgets(const char *name, const struct setting_map *map, struct fault *f)
{
	struct sending_budget budgets[BUDGET_WINDOWS];
	size_t count;
	for (size_t i = 0; i < map->count; i++) {
		const struct setting_pair *pair = &map->pairs[i];
		if (!sending_is_prefix(pair->name) && strcmp(pair->name, BUDGET_OF_MAIL) != 0)
			return fault_set(f, REASON_SETTING_INVALID, "%s: \"%.40s\" is neither a prefix (+44) nor %s", name,
					 pair->name, BUDGET_OF_MAIL);
		if (!sending_parse_budget(pair->value, budgets, &count))
			return fault_set(f, REASON_SETTING_INVALID,
					 "%s: \"%.40s\" of %s is not one or two of messages/window (500/1h 2000/1d), of 1s to 31d",
					 name, pair->value, pair->name);
		if (depth_of(map, pair->name) > BUDGET_DEPTH)
			return fault_set(f, REASON_SETTING_INVALID, "%s: more than %d budgets would count a number of %s", name,
					 BUDGET_DEPTH, pair->name);
	}
	return REASON_OK;
}

static enum reason check_lists(const char *section, const struct setting_list *allow, const struct setting_list *deny,
			       const struct setting_map *budgets, struct fault *f)
{
	char name[128];
	(void)snprintf(name, sizeof(name), "%.100s.allow", section);
	enum reason reason = check_prefixes(name, allow, f);
	(void)snprintf(name, sizeof(name), "%.100s.deny", section);
	if (reason == REASON_OK)
		reason = check_prefixes(name, deny, f);
	(void)snprintf(name, sizeof(name), "%.100s.budgets", section);
	return reason == REASON_OK ? check_budgets(name, budgets, f) : reason;
}

static enum reason check_all(const void *conf, struct fault *f)
{
	const struct sending_conf *all = conf;
	return check_lists("sending", &all->allow, &all->deny, &all->budgets, f);
}

static bool is_code(const char *text)
{
	size_t len = strlen(text);
	return len >= CODE_LENGTH_MIN && len <= CODE_LENGTH_MAX && strspn(text, "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ") == len;
}

static enum reason check_tests(const struct realm_conf *realm, struct fault *f)
{
	if (strcmp(realm->name, "*") == 0 && realm->test)
		return fault_set(f, REASON_SETTING_INVALID, "realms.*.test: name the realms that are for tests");
	if (realm->test_numbers.count > 0 && !realm->test)
		return fault_set(
			f, REASON_SETTING_INVALID,
			"realms.%.100s.test_numbers: codes that anybody may know are for test realms alone: remove them, or set "
			"realms.%.100s.test: true if nobody real is in it",
			realm->name, realm->name);
	for (size_t i = 0; i < realm->test_numbers.count; i++) {
		const struct setting_pair *pair = &realm->test_numbers.pairs[i];
		if (!sending_is_prefix(pair->name) || strlen(pair->name) < 9 || !is_code(pair->value))
			return fault_set(
				f, REASON_SETTING_INVALID,
				"realms.%.100s.test_numbers: entry %zu is not a number (+ and 8 to 15 digits) with a code of %d to %d "
				"digits or capitals",
				realm->name, i + 1, CODE_LENGTH_MIN, CODE_LENGTH_MAX);
	}
	return REASON_OK;
}

static enum reason check_realm(const void *conf, struct fault *f)
{
	const struct realm_conf *realm = conf;
	char section[128];
	(void)snprintf(section, sizeof(section), "realms.%.100s", realm->name);
	enum reason reason = check_lists(section, &realm->allow, &realm->deny, &realm->budgets, f);
	return reason == REASON_OK ? check_tests(realm, f) : reason;
}

const struct setting_table sending_settings = {
	.module = "sending",
	.rows = all_rows,
	.count = ARRAY_LEN(all_rows),
	.struct_size = sizeof(struct sending_conf),
	.check = check_all,
	.doc = "Whom texts and mails are sent to, and how many, in all realms together.",
};

const struct setting_table realm_settings = {
	.module = "realms",
	.rows = realm_rows,
	.count = ARRAY_LEN(realm_rows),
	.struct_size = sizeof(struct realm_conf),
	.per_name = true,
	.underscore = '-',
	.check = check_realm,
	.doc = "The same of each realm, by its name; * is every realm that has no section of its own.",
};
