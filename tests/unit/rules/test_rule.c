// SPDX-License-Identifier: Apache-2.0
// Rules as dialect files write them: what they hold for, and what is said of those that are written wrongly.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/base/clock.h"
#include "enrolld/doc/json.h"
#include "enrolld/doc/yaml.h"
#include "enrolld/rules/rules.h"

static struct arena *arena;
static struct word_list *list;

static enum reason find_list(void *context, struct slice name, const struct word_list **found, struct fault *f)
{
	(void)context;
	if (!slice_equal_text(name, "common"))
		return fault_set(f, REASON_FILE_UNREADABLE, "wordlists/nowhere.txt: ENOENT");
	*found = list;
	return REASON_OK;
}

static enum reason find_numbering(void *context, const struct numbering **found, struct fault *f)
{
	static const struct numbering *numbering;
	(void)context;
	if (!numbering && numbering_load(ENROLLD_SCHEMAS_DIR "/phones/numbering.tsv", arena, &numbering, f) != REASON_OK)
		return f->reason;
	*found = numbering;
	return REASON_OK;
}

static const struct rules_table *find_table(void *context, struct slice name)
{
	static struct slice columns[] = {{"code", 4}, {"size", 4}};
	static const struct node *row;
	static struct rules_table table = {{"countries", 9}, columns, 2, &row, 1};
	struct fault f;
	(void)context;
	if (!row)
		assert_int_equal(yaml_parse("t", SLICE_LIT("{code: EG, size: 7}"), REASON_DIALECT_INVALID, arena, &row, &f),
				 REASON_OK);
	if (slice_equal_text(name, "sizes")) {
		static struct slice words[] = {{"word", 4}};
		static const struct node *small;
		static struct rules_table sizes = {{"sizes", 5}, words, 1, &small, 1};
		if (!small)
			assert_int_equal(yaml_parse("t", SLICE_LIT("{word: small}"), REASON_DIALECT_INVALID, arena, &small, &f),
					 REASON_OK);
		return &sizes;
	}
	return slice_equal_text(name, "countries") ? &table : NULL;
}

static struct slice names[] = {{"one", 3}, {"two", 3}, {"three", 5}};

static enum reason compile(const char *yaml, bool whole, const struct rule **rule, struct fault *f)
{
	const struct node *spec;
	struct rule_scope scope = {.file = "d.yaml",
				   .fields = names,
				   .field_count = ARRAY_LEN(names),
				   .arena = arena,
				   .word_list = find_list,
				   .table = find_table,
				   .numbering = find_numbering};
	struct slice text = arena_copy(arena, slice_of(yaml));
	assert_int_equal(yaml_parse("d.yaml", text, REASON_DIALECT_INVALID, arena, &spec, f), REASON_OK);
	return rule_compile(spec, whole, &scope, rule, f);
}

static const struct rule *compiled(const char *yaml, bool whole)
{
	const struct rule *rule;
	struct fault f;
	if (compile(yaml, whole, &rule, &f) != REASON_OK)
		fail_msg("%s: %s", yaml, f.detail);
	return rule;
}

static struct rule_field field_of(const char *json)
{
	struct rule_field field = {.name = SLICE_LIT("one")};
	struct fault f;
	if (json) {
		assert_int_equal(json_parse(slice_of(json), JSON_LIMITS_DEFAULT, arena, &field.value, &f), REASON_OK);
		field.text = node_text(field.value);
	}
	return field;
}

static const struct {
	const char *rule;
	const char *value; // JSON; NULL: missing
	bool holds;
} cases[] = {
	{"required", NULL, false},
	{"required", "null", true},
	{"required", "\"\"", true},
	{"type: text", "\"\"", true},
	{"type: text", "1", false},
	{"type: text", "null", false},
	{"type: text", NULL, true},
	{"type: integer", "1", true},
	{"type: integer", "1.0", false},
	{"type: number", "1.5", true},
	{"type: number", "1", true},
	{"type: boolean", "false", true},
	{"type: boolean", "\"false\"", false},
	{"type: list", "[]", true},
	{"type: object", "{}", true},
	{"type: object", "[]", false},
	{"min_length: 3", "\"\\u00e4\\u00e4\\u00e4\"", true},
	{"min_length: 3", "\"\\ud83d\\ude00\\ud83d\\ude00\"", false},
	{"min_length: 3", "12", true}, // not a text
	{"min_length: 3", NULL, true},
	{"max_length: 3", "\"\\u00e4\\u00e4\\u00e4\"", true},
	{"max_length: 3", "\"abcd\"", false},
	{"max_length: 0", "\"\"", true},
	{"max_bytes: 6", "\"\\u00e4\\u00e4\\u00e4\"", true},
	{"max_bytes: 5", "\"\\u00e4\\u00e4\\u00e4\"", false},
	{"pattern: '^[a-z]+$'", "\"abc\"", true},
	{"pattern: '^[a-z]+$'", "\"abc\\n\"", false}, // $ is the very end
	{"pattern: '^[a-z]+$'", "\"abc1\"", false},
	{"pattern: 'b'", "\"abc\"", true},           // anywhere
	{"pattern: '^\\d+$'", "\"\\u0663\"", false}, // ASCII digits
	{"pattern: '^\\p{L}+$'", "\"\\u00e4\"", true},
	{"pattern: '^(a+)+$'", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaX\"", false}, // ends at the limit
	{"choice: [small, large]", "\"small\"", true},
	{"choice: [small, large]", "\"Small\"", false},
	{"choice: ['1']", "1", false},
	{"choice: [1, true, x]", "1", true},
	{"choice: [1, true, x]", "true", true},
	{"choice: [1, true, x]", "false", false},
	{"choice: [1, true, x]", "[1]", false},
	{"choice: [x]", NULL, true},
	{"not_choice: [admin, root]", "\"admin\"", false},
	{"not_choice: [admin, root]", "\"Admin\"", true},
	{"filled", NULL, false},
	{"filled", "null", false},
	{"filled", "\" \"", false},
	{"filled", "[]", false},
	{"filled", "0", true},
	{"filled", "\"x\"", true},
	{"not_null", NULL, true},
	{"not_null", "null", false},
	{"not_null", "\"\"", true},
	{"not_blank", "\" \"", false},
	{"not_blank", "\" x \"", true},
	{"not_blank", "5", true},
	{"not_empty", "\"\"", false},
	{"not_empty", "\" \"", true},
	{"not_empty", "{}", false},
	{"not_empty", NULL, true},
	{"{not_empty: {}, strict: true}", NULL, false},
	{"{type: text, strict: true}", NULL, false},
	{"{min_length: 3, strict: true}", "1234", false},
	{"{min_length: 3, strict: true}", NULL, false},
	{"{min_length: 3, strict: true}", "\"abc\"", true},
	{"min_length: {value: 4, unit: bytes}", "\"\\u00e4\\u00e4\"", true},
	{"min_length: {value: 5, unit: bytes}", "\"\\u00e4\\u00e4\"", false},
	{"max_length: {value: 3, unit: utf16}", "\"a\\ud83d\\ude00\"", true},
	{"max_length: {value: 2, unit: utf16}", "\"a\\ud83d\\ude00\"", false},
	{"max_length: {value: 2, unit: code_points}", "\"a\\ud83d\\ude00\"", true},
	{"range: {min: 1, max: 5}", "5", true},
	{"range: {min: 1, max: 5}", "5.5", false},
	{"range: {min: 1}", "0", false},
	{"range: {min: 1}", "\"0\"", true},
	{"{range: {min: 1}, strict: true}", "\"0\"", false},
	{"items: {min: 1, max: 2}", "[]", false},
	{"items: {min: 1, max: 2}", "[1,2]", true},
	{"items: {max: 2}", "[1,2,3]", false},
	{"items: {max: 2}", "{}", true},
	{"pattern: {value: '^[\\w.@+-]+$', unicode: true}", "\"jos\\u00e9\"", true},
	{"pattern: '^[\\w.@+-]+$'", "\"jos\\u00e9\"", false},
	{"hex: 24", "\"0123456789abcdefABCDEF01\"", true},
	{"hex: 24", "\"0123456789abcdefABCDEF0\"", false},
	{"hex: 3", "\"12g\"", false},
	{"uuid", "\"01234567-89ab-8DEF-8123-456789abcdef\"", true},
	{"uuid", "\"0123456789ab8DEF8123456789abcdef\"", false},
	{"date: {since: any, until: any}", "\"0001-01-01\"", true},
	{"date: {since: any, until: any}", "\"9999-12-31\"", true},
	{"date: {since: any, until: any}", "\"1990-02-30\"", false},
	{"date: {since: any, until: any}", "\"1990-1-5\"", false},
	{"date: {since: any, until: any}", "\"\"", false},
	{"date: {since: 2000-01-01}", "\"1999-12-31\"", false},
	{"date: {until: 1999-12-31}", "\"2000-01-01\"", false},
	{"date: {since: today, until: any}", "\"1990-01-01\"", false},
	{"age: {min: 18}", "\"1990-01-01\"", true},
	{"age: {min: 18, max: 20}", "\"1990-01-01\"", false},
	{"age: {min: 18}", "\"no day\"", true},
	{"age: {max: 120}", "\"9999-01-01\"", false},
	{"not_numeric", "\"8273645192\"", false},
	{"not_numeric", "\"\\u0663\\u0664\"", false},
	{"not_numeric", "\"82736a\"", true},
	{"not_numeric", "\"\"", true},
	{"not_in_table: {table: sizes, column: word}", "\"Small\"", false},
	{"not_in_table: {table: sizes, column: word}", "\"small\"", false},
	{"not_in_table: {table: sizes, column: word}", "\"smaller\"", true},
	{"distinct: 3", "\"aabbc\"", true},
	{"distinct: 3", "\"aabb\"", false},
	{"distinct: 2", "\"\\u00e4\\u00f6\"", true},
	{"not_containing: [two]", "\"xJANExy\"", false},
	{"not_containing: [two]", "\"xJAxNE\"", true},
	{"not_containing: {fields: [two, three], least: 3}", "\"my-pat-word\"", false},
	{"not_containing: {fields: [three], least: 4}", "\"my-pat-word\"", true},
	{"max_length: {value: 2, unit: graphemes}", "\"e\\u0301\\ud83d\\udc69\\u200d\\ud83d\\udc67\"", true},
	{"max_length: {value: 1, unit: graphemes}", "\"\\ud83c\\udde9\\ud83c\\uddea\\ud83c\\uddea\"", false},
	{"max_length: {value: 1, unit: graphemes}", "\"\\ud83c\\udde9\\ud83c\\uddea\"", true},
	{"max_length: {value: 2, unit: graphemes}", "\"abc\"", false},
	{"date: {format: '%d/%m/%Y'}", "\"28/02/1990\"", true},
	{"date: {format: '%d/%m/%Y'}", "\"30/02/1990\"", false},
	{"date: {format: '%d/%m/%Y'}", "\"1990-02-28\"", false},
	{"date: {format: '%d/%m/%Y'}", "\"1/2/1990\"", false},
	{"date: {format: '%-d.%-m.%Y'}", "\"1.2.1990\"", true},
	{"date: {format: '%Y-%m-%dT%*'}", "\"1990-02-28T00:00:00Z\"", true},
	{"date: {format: '%m-%d-%Y', until: any}", "\"12-31-2999\"", true},
	{"date: {format: '%m-%d-%Y'}", "\"12-31-2999\"", false},
	{"age: {min: 18, format: '%d/%m/%Y'}", "\"01/01/2020\"", false},
	{"age: {min: 18, format: '%d/%m/%Y'}", "\"01/01/1990\"", true},
	{"classes: {of: [lower, upper, digit, special]}", "\"aB3$\"", true},
	{"classes: {of: [lower, upper, digit, special]}", "\"aB3\"", false},
	{"classes: {of: [lower, upper, digit, special], least: 3}", "\"aB3\"", true},
	{"classes: {of: [upper]}", "\"\\u00c9\"", true},
	{"classes: {of: [special], special: '!@'}", "\"#\"", false},
	{"classes: {of: [special], special: '!@'}", "\"x@\"", true},
	{"classes: {of: [letter, digit]}", "\"\\u674e1\"", true},
	{"email: django", "\"user@localhost\"", true},
	{"email: laravel", "\"a@localhost\"", true},
	{"phone: {digits: true}", "\"5550001111\"", true},
	{"phone: {digits: true}", "\"555-0001\"", false},
	{"phone: {numbering: true}", "\"+20 123 456 7890\"", true},
	{"phone: {numbering: true}", "\"12345\"", false},
	{"phone: {numbering: true, regions: [SA]}", "\"+201234567890\"", false},
	{"phone: {numbering: true, regions: [SA, EG]}", "\"+201234567890\"", true},
	{"in_table: {table: countries, column: code}", "\"EG\"", true},
	{"in_table: {table: countries, column: code}", "\"eg\"", false},
	{"in_table: {table: countries, column: size}", "\"7\"", true},
	{"phone_region: {table: countries, column: code}", "\"+201234567890\"", true},
	{"phone_region: {table: countries, column: code}", "\"+966512345678\"", false},
	{"phone_region: {table: countries, column: code}", "\"nonsense\"", true},
	{"unique: {as: folded, in: login}", "\"x\"", true},
	{"email", "\"a@example.com\"", true},
	{"email", "\"a\"", false},
	{"phone", "\"+4930123456\"", true},
	{"phone", "\"030\"", false},
	{"username", "\"abc\"", true},
	{"username", "\"a\"", false},
	{"locale", "\"en\"", true},
	{"locale", "\"en_GB\"", false},
	{"date", "\"1990-01-01\"", true},
	{"date", "\"1990\"", false},
	{"printable", "\"Zo\\u00eb O'Neil \\u2764\\ufe0f\"", true},
	{"printable", "\"a\\tb\"", false},
	{"printable", "\"a\\u0085b\"", false},
	{"printable", "\"a\\u2028b\"", false},
	{"printable", "\"a\\u2066b\"", false},
	{"printable", "\"a\\uffffb\"", false},
	{"unique", "\"x\"", true},
	{"not_common: common", "\"PassWord\"", false},
	{"not_common: common", "\"password1\"", true},
	{"not_common: common", "\"\\uff50assword\"", false}, // full-width p
	{"not_common: common", "\"STRASSE\"", false},
	{"not_common: common", "\" password\"", true}, // exactly as sent
	{"not_common: common", "\"\"", true},
	{"foreign_hash: known", "\"plain\"", false},
	{"foreign_hash: strong", "\"plain\"", true},
	{"foreign_hash: affordable", "\"plain\"", true},
	{"object", "{}", true},
	{"object: {bytes: 8}", "{\"a\": 12}", true},
	{"object: {bytes: 7}", "{\"a\": 12}", false},
	{"object: {depth: 1}", "{\"a\":1}", true},
	{"object: {depth: 1}", "{\"a\":[]}", false},
	{"object: {members: 3}", "{\"a\":[1,2]}", true},
	{"object: {members: 2}", "{\"a\":[1,2]}", false},
	{"object: {members: 0}", "{}", true},
};

static void test_rules(void **state)
{
	static const struct registration nobody;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rule_field field = field_of(cases[i].value);
		struct rule_field fields[] = {field, field_of("\"jane@example.com\""), field_of("\"Pat\"")};
		struct rule_input input = {.field = &field,
					   .fields = fields,
					   .field_count = ARRAY_LEN(fields),
					   .registration = &nobody,
					   .now_ms = clock_wall_ms(),
					   .arena = arena};
		if (rule_holds(compiled(cases[i].rule, false), &input) != cases[i].holds)
			fail_msg("%s on %s", cases[i].rule, cases[i].value ? cases[i].value : "nothing");
	}
}

static const struct {
	const char *password;
	bool holds;
} similar[] = {
	{"a quite different sentence", true},
	{"jane.doe@example.com", false},
	{"JANE.DOE@EXAMPLE.COM!", false},
	{"jane.doejane.doe", false},
	{"jane doe jane doe", true}, // three letters are no word of theirs, and the rest is long
	{"janejanejanejane", false},
	{"1janejanejanejane2345678", true}, // 8 remain
	{"1janejanejanejane234567", false},
	{"4930123456", false},
	{"my phone is 4930123456 yes", true},
	{"maximilian+mustermann", false},
	{"Mustermann, Maximilian, and the rest", true},
	{"maxi-mum-power-now", true},
	{"acmeacmeacmeacme", false},
	{"ACME rocks the boat", true},
	{"short", true}, // another rule's matter
	{"", true},
};

static void test_similar(void **state)
{
	(void)state;
	struct registration r = {
		.claims = {{CLAIM_EMAIL, SLICE_LIT("jane.doe@example.com"), SLICE_LIT("Jane.Doe@Example.com"), "/email"},
			   {CLAIM_PHONE, SLICE_LIT("+4930123456"), SLICE_LIT("+49 30 123456"), "/phone"}},
		.claim_count = 2,
		.given_name = SLICE_LIT("Maximilian"),
		.family_name = SLICE_LIT("Mustermann"),
	};
	const struct rule *rule = compiled("not_similar: {rest: 8, words: [Acme]}", false);
	for (size_t i = 0; i < ARRAY_LEN(similar); i++) {
		struct rule_field field = {.value = &(struct node){.type = NODE_TEXT}, .text = slice_of(similar[i].password)};
		struct rule_input input = {.field = &field, .registration = &r, .arena = arena};
		if (rule_holds(rule, &input) != similar[i].holds)
			fail_msg("\"%s\"", similar[i].password);
	}
}

static void test_resembling(void **state)
{
	static const struct {
		const char *password;
		const char *like; // NULL: none
	} resembling[] = {
		{"johndoe1", "two"}, // 14 of 15
		{"JohnDoe", "two"},  {"something else entirely", NULL},
		{"example", "one"}, // a word of the address
		{"exampel", "one"}, // the same letters
		{"jan.e", NULL},    // 8 of 9 with "jane" is too like: see below
		{"12345678", NULL},  {"", NULL},
	};
	(void)state;
	struct rule_field fields[] = {
		{names[0], &(struct node){.type = NODE_TEXT}, SLICE_LIT("Jane@Example.com")},
		{names[1], &(struct node){.type = NODE_TEXT}, SLICE_LIT("johndoe")},
		{names[2], NULL, SLICE_ABSENT},
	};
	const struct rule *rule = compiled("not_resembling: {fields: [one, two, three]}", false);
	for (size_t i = 0; i < ARRAY_LEN(resembling); i++) {
		struct rule_field field = {.value = &(struct node){.type = NODE_TEXT}, .text = slice_of(resembling[i].password)};
		struct rule_notes notes = {0};
		struct rule_input input = {.field = &field, .fields = fields, .field_count = 3, .arena = arena, .notes = &notes};
		bool holds = rule_holds(rule, &input);
		const char *like = notes.like ? notes.like->name.ptr : NULL;
		if (strcmp(resembling[i].password, "jan.e") == 0) {
			assert_false(holds);
			continue;
		}
		if (holds != !resembling[i].like || (like && strcmp(like, resembling[i].like) != 0))
			fail_msg("%s: %s", resembling[i].password, like ? like : "none");
	}
}

static void test_fields_compared(void **state)
{
	static const struct node text = {.type = NODE_TEXT};
	static const struct {
		const char *rule;
		const char *one, *two; // NULL: missing
		bool whole, holds;
	} compared[] = {
		{"equal: [one, two]", "a", "a", true, true},
		{"equal: [one, two]", "a", "b", true, false},
		{"equal: [one, two]", "a", NULL, true, false},
		{"equal: [one, two]", NULL, NULL, true, true},
		{"equal: {fields: [one, two], skip_missing: true}", "a", NULL, true, true},
		{"equal: {fields: [one, two], skip_missing: true}", "a", "", true, true},
		{"equal: {fields: [one, two], skip_missing: true}", "a", "b", true, false},
		{"same_as: two", "a", "a", false, true},
		{"same_as: two", "a", "A", false, false},
		{"same_as: two", "a", NULL, false, false},
		{"same_as: two", NULL, "a", false, true},
		{"differs_from: two", "a", "a", false, false},
		{"differs_from: two", "a", "b", false, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(compared); i++) {
		struct rule_field fields[] = {
			{names[0], compared[i].one ? &text : NULL, slice_of(compared[i].one)},
			{names[1], compared[i].two ? &text : NULL, slice_of(compared[i].two)},
			{names[2], NULL, SLICE_ABSENT},
		};
		struct rule_input input = {
			.field = compared[i].whole ? NULL : &fields[0], .fields = fields, .field_count = 3, .arena = arena};
		if (rule_holds(compiled(compared[i].rule, compared[i].whole), &input) != compared[i].holds)
			fail_msg("%s on %s, %s", compared[i].rule, compared[i].one, compared[i].two);
	}
}

static void test_rules_over_fields(void **state)
{
	static const struct {
		const char *rule;
		bool one, two, three;
		bool holds;
	} whole[] = {
		{"any_of: [one, two]", false, false, true, false},    {"any_of: [one, two]", true, false, false, true},
		{"all_of: [one, two]", true, false, false, false},    {"all_of: [one, two]", false, false, true, true},
		{"any_of: [two, one]", true, true, false, true},      {"not_both: [one, three]", true, true, false, true},
		{"not_both: [one, three]", true, false, true, false}, {"not_both: [one, two, three]", false, false, false, true},
	};
	static const struct node there = {.type = NODE_NULL};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		struct rule_field fields[] = {
			{names[0], whole[i].one ? &there : NULL, SLICE_ABSENT},
			{names[1], whole[i].two ? &there : NULL, SLICE_ABSENT},
			{names[2], whole[i].three ? &there : NULL, SLICE_ABSENT},
		};
		struct rule_input input = {.fields = fields, .field_count = 3, .arena = arena};
		if (rule_holds(compiled(whole[i].rule, true), &input) != whole[i].holds)
			fail_msg("%s", whole[i].rule);
	}
}

static void test_words(void **state)
{
	(void)state;
	const struct rule *rule = compiled("min_length: 3\ncode: short\ntext: Too short.\nat: /x\nstop: true", false);
	assert_string_equal(rule_name(rule), "min_length");
	assert_true(slice_equal_text(rule_words(rule)->code, "short"));
	assert_true(slice_equal_text(node_text(rule_words(rule)->text), "Too short."));
	assert_true(slice_equal_text(rule_words(rule)->at, "/x"));
	assert_true(rule_words(rule)->stop);
	rule = compiled("min_length: 3", false);
	assert_true(slice_equal_text(rule_words(rule)->code, "too_short"));
	assert_true(rule_words(rule)->text == NULL);
	assert_false(rule_words(rule)->stop);
}

static const struct {
	const char *yaml;
	bool whole;
	const char *detail;
} wrong[] = {
	{"min_lenght: 3", false, "d.yaml:1: unknown rule \"min_lenght\"; did you mean \"min_length\"?"},
	{"quite_other: 3", false, "d.yaml:1: unknown rule \"quite_other\"; the rules are listed in schemas/dialects/README.md"},
	{"min_length: 0", false, "d.yaml:1: min_length is a whole number from 1 to 1048576"},
	{"min_length: three", false, "d.yaml:1: min_length is a whole number from 1 to 1048576"},
	{"min_length", false, "d.yaml:1: \"min_length\" needs a parameter: write \"- min_length: ...\""},
	{"min_length: 1\nmax_length: 2", false,
	 "d.yaml:2: \"max_length\" besides the rule \"min_length\": one rule an entry, and with it code, as, text, at, data, stop, strict, stage, when; begin another with \"- \""},
	{"code: x", false, "d.yaml:1: an entry without a rule"},
	{"email: yes please", false,
	 "d.yaml:1: the library \"yes please\" is not known; it is one of: ours, django, laravel, validator_js, html5"},
	{"email\n", true, "d.yaml:1: \"email\" is a rule for one field: put it under that field's rules"},
	{"any_of: [one, two]", false, "d.yaml:1: \"any_of\" is a rule over several fields: put it under the route's rules"},
	{"any_of: [one, four]", true, "d.yaml:1: \"four\" is not a field of this route"},
	{"any_of: [one]", true, "d.yaml:1: the parameter is a list of two fields or more, like [email, phone]"},
	{"type: string", false,
	 "d.yaml:1: the type \"string\" is not known; it is one of: text, integer, number, boolean, list, object"},
	{"type: objekt", false, "d.yaml:1: the type \"objekt\" is not known; did you mean \"object\"?"},
	{"pattern: '('", false, "d.yaml:1: the pattern is wrong at character 2: missing closing parenthesis"},
	{"pattern: '(*UCP)a'", false, NULL},
	{"choice: small", false, "d.yaml:1: the parameter of choice is a list of texts, like [small, large]"},
	{"object: {byte: 1}", false, "d.yaml:1: the parameter \"byte\" is not known; did you mean \"bytes\"?"},
	{"not_common: other", false, "d.yaml:1: word list: wordlists/nowhere.txt: ENOENT"},
	{"not_similar: {words: acme}", false, "d.yaml:1: words is a list of at most 16 texts"},
	{"foreign_hash: cheap", false,
	 "d.yaml:1: the parameter of foreign_hash \"cheap\" is not known; it is one of: known, strong, affordable"},
	{"[email]", false, "d.yaml:1: a rule is a name, or a map of a name and its parameter"},
	{"1", false, "d.yaml:1: a rule is a name, or a map of a name and its parameter"},
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const struct rule *rule;
		struct fault f;
		if (compile(wrong[i].yaml, wrong[i].whole, &rule, &f) != REASON_DIALECT_INVALID)
			fail_msg("%s: compiled", wrong[i].yaml);
		if (wrong[i].detail)
			assert_string_equal(f.detail, wrong[i].detail);
	}
}

static void test_rows(void **state)
{
	struct rule_row row;
	size_t count = 0;
	const char *last = "";
	(void)state;
	for (; rule_row(count, &row); count++) {
		assert_true(strcmp(last, row.name) < 0); // sorted, no name twice
		assert_true(row.code[0] && row.text[0]);
		last = row.name;
	}
	assert_true(count >= 20);
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	json_setup();
	arena = arena_create(65536);
	assert_int_equal(word_list_load(TESTS_DATA_DIR "/wordlists/small.txt", &list, &f), REASON_OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	word_list_destroy(list);
	arena_destroy(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_similar),
		cmocka_unit_test(test_rules_over_fields),
		cmocka_unit_test(test_resembling),
		cmocka_unit_test(test_fields_compared),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_rows),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
