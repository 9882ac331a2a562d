// SPDX-License-Identifier: Apache-2.0
// What an inbox row, a mark and an age mean for a record, as a table of cases.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/attr.h"
#include "enrolld/model/facts.h"

#define HORIZON 1000
#define NOW 1000000

enum stored { ABSENT, OWN, OTHER_OFFSET, OTHER_PARTITION, OTHER_TOPIC };
enum print { SAME, CHANGED, EPOCH_GONE };

// The record stands at a/3, offset 10.
static const struct {
	const char *name;
	enum stored stored;
	enum print print;
	int64_t mark, age;
	enum hit hit;
} cases[] = {
	{"a new request", ABSENT, SAME, 0, 5, HIT_NONE},
	{"a new request at the mark", ABSENT, SAME, 10, 5, HIT_NONE},
	{"passed without a row, young: executed", ABSENT, SAME, 11, 5, HIT_NONE},
	{"passed without a row, just not beyond the horizon", ABSENT, SAME, 11, HORIZON, HIT_NONE},
	{"passed without a row, beyond the horizon", ABSENT, SAME, 11, HORIZON + 1, HIT_SWEPT},
	{"not passed, beyond the horizon: ends expired", ABSENT, SAME, 10, HORIZON + 1, HIT_NONE},
	{"redelivery", OWN, SAME, 10, 5, HIT_REDELIVERY},
	{"redelivery beyond the horizon", OWN, SAME, 10, HORIZON + 1, HIT_REDELIVERY},
	{"passed", OWN, SAME, 11, 5, HIT_REPLAY},
	{"passed, beyond the horizon", OWN, SAME, 11, HORIZON + 1, HIT_REPLAY},
	{"repeat in the same partition", OTHER_OFFSET, SAME, 10, 5, HIT_REPEAT},
	{"repeat from another partition", OTHER_PARTITION, SAME, 0, 5, HIT_REPEAT},
	{"repeat from another topic", OTHER_TOPIC, SAME, 0, 5, HIT_REPEAT},
	{"a repeat that has passed", OTHER_OFFSET, SAME, 11, 5, HIT_REPLAY},
	{"other content", OTHER_OFFSET, CHANGED, 10, 5, HIT_CONFLICT},
	{"other content at the same place (topic made again)", OWN, CHANGED, 10, 5, HIT_CONFLICT},
	{"other content that has passed", OTHER_OFFSET, CHANGED, 11, 5, HIT_REPLAY},
	{"the row's epoch is gone", OTHER_OFFSET, EPOCH_GONE, 10, 5, HIT_REPEAT},
	{"the row's epoch is gone, own coordinates", OWN, EPOCH_GONE, 10, 5, HIT_REDELIVERY},
};

static struct fingerprint print_of(uint16_t epoch, uint8_t fill)
{
	struct fingerprint print = {.epoch = epoch};
	memset(print.bytes, fill, sizeof(print.bytes));
	return print;
}

static void each_case_has_its_hit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct record record = {.at = {"a", 3, 10}};
		struct request request = {.record = &record, .asked_ms = NOW - cases[i].age, .fingerprint_count = 2};
		request.fingerprints[0] = print_of(8, 1); // the active epoch; the row remembers an older one
		request.fingerprints[1] = print_of(7, 2);
		enum stored stored = cases[i].stored;
		enum print print = cases[i].print;
		struct facts facts = {
			.now_ms = NOW,
			.mark = cases[i].mark,
			.hit = HIT_NONE,
			.found = stored != ABSENT,
			.row = {.topic = stored == OTHER_TOPIC ? SLICE_LIT("b") : SLICE_LIT("a"),
				.partition = stored == OTHER_PARTITION ? 4 : 3,
				.offset = stored == OTHER_OFFSET ? 9 : 10,
				.fingerprint = print_of(print == EPOCH_GONE ? 6 : 7, print == SAME ? 2 : 1)},
		};
		facts_classify(&facts, &request, HORIZON);
		if (facts.hit != cases[i].hit)
			fail_msg("%s: %s instead of %s", cases[i].name, hit_name(facts.hit), hit_name(cases[i].hit));
	}
}

static void hits_have_names_for_the_metric(void **state)
{
	(void)state;
	assert_string_equal(hit_name(HIT_NONE), "none");
	assert_string_equal(hit_name(HIT_REPLAY), "replay");
	assert_string_equal(hit_name(HIT_REDELIVERY), "redelivery");
	assert_string_equal(hit_name(HIT_REPEAT), "repeat");
	assert_string_equal(hit_name(HIT_CONFLICT), "conflict");
	assert_string_equal(hit_name(HIT_SWEPT), "swept");
}

static void what_was_worked_out_stays(void **state)
{
	struct facts facts = {.now_ms = 1,
			      .found = true,
			      .taken = {true},
			      .password = {.state = PASSWORD_FITS, .compared = SLICE_LIT("$argon2id$...")}};
	(void)state;
	facts.proposals[1] = SLICE_LIT("ada-2");
	facts.limits[0].used = 3;
	facts.code = (struct code_facts){.asked = true, .found = true};
	facts.session = (struct session_facts){.found = true, .number = 17};
	facts_renew(&facts, 17, 4);
	assert_true(facts.now_ms == 17 && facts.mark == 4);
	assert_false(facts.found || facts.taken[0] || facts.code.asked);
	assert_int_equal(facts.password.state, PASSWORD_FITS);
	assert_true(slice_equal_text(facts.password.compared, "$argon2id$..."));
	assert_true(slice_equal_text(facts.proposals[1], "ada-2"));
	assert_int_equal(facts.limits[0].used, 3);
	assert_true(facts.session.found && facts.session.number == 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_has_its_hit),
		cmocka_unit_test(hits_have_names_for_the_metric),
		cmocka_unit_test(what_was_worked_out_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
