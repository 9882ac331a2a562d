// SPDX-License-Identifier: Apache-2.0
// Whom messages are sent to: prefix lists, numbers for tests, budgets and watched prefixes, and what requests come to by them.
#include "fixture.h"

#include <string.h>

#include "operation/sending_private.h"

#define NOW_MS INT64_C(1795560731123)
#define PHONE "+442071838750"

static struct sending_conf all;
static struct realm_conf realms[4];
static size_t realm_count;

static int setup(void **state)
{
	static struct fixture fixture;
	static const char *const names[] = {"native"};
	if (fixture_setup(&fixture, names, ARRAY_LEN(names), NULL) != 0)
		return -1;
	settings_defaults(&sending_settings, fixture.arena, &all);
	realm_count = 0;
	*state = &fixture;
	return 0;
}

static void set(struct fixture *x, const struct setting_table *table, void *conf, const char *name, const char *value)
{
	struct fault f = {0};
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0) {
			if (setting_set(&table->rows[i], slice_of(value), x->arena, conf, &f) != REASON_OK)
				fail_msg("%s: %s", name, f.detail);
			return;
		}
	fail_msg("there is no setting %s", name);
}

static void set_all(struct fixture *x, const char *name, const char *value)
{
	set(x, &sending_settings, &all, name, value);
}

// The section of the realm that was made last, or a new one.
static void set_realm(struct fixture *x, const char *realm, const char *name, const char *value)
{
	if (realm_count == 0 || strcmp(realms[realm_count - 1].name, realm) != 0) {
		realms[realm_count].name = realm;
		settings_defaults(&realm_settings, x->arena, &realms[realm_count++]);
	}
	set(x, &realm_settings, &realms[realm_count - 1], arena_printf(x->arena, "realms.*.%s", name).ptr, value);
}

static void in_force(struct fixture *x)
{
	if (x->op.sending)
		sending_replace(x->op.sending, &all, realms, realm_count);
	else
		x->op.sending = sending_create(&all, realms, realm_count);
}

static void judged(struct fixture *x, const char *realm, const char *number, bool sent)
{
	enum reason reason = sending_judge(x->op.sending, slice_of(realm), CLAIM_PHONE, slice_of(number));
	if (reason != (sent ? REASON_OK : REASON_PREFIX_DENIED))
		fail_msg("%s in %s: %s", number, realm, reason_code(reason));
}

// --- lists ----------------------------------------------------------------------------------------------------------------

static void without_lists_all_are_sent_to(void **state)
{
	struct fixture *x = *state;
	assert_int_equal(sending_judge(NULL, SLICE_LIT("main"), CLAIM_PHONE, SLICE_LIT(PHONE)), REASON_OK);
	in_force(x);
	judged(x, "main", PHONE, true);
	judged(x, "main", "0207 1838750", true);
}

static void the_longest_entry_holds(void **state)
{
	struct fixture *x = *state;
	set_all(x, "sending.allow", "+44, +4479001, +1");
	set_all(x, "sending.deny", "+4479, +1900, +44790017");
	in_force(x);
	judged(x, "main", PHONE, true);
	judged(x, "main", "+447911123456", false);
	judged(x, "main", "+447900112345", true);
	judged(x, "main", "+447900170000", false);
	judged(x, "main", "+12025550100", true);
	judged(x, "main", "+19005550100", false);
	judged(x, "main", "+4930123456", false); // there is a list of what is allowed
	judged(x, "main", "02071838750", false);
	assert_int_equal(sending_judge(x->op.sending, SLICE_LIT("main"), CLAIM_EMAIL, SLICE_LIT("a@b.example")), REASON_OK);
}

static void what_is_denied_alone_leaves_the_rest(void **state)
{
	struct fixture *x = *state;
	set_all(x, "sending.deny", "+881, +979");
	in_force(x);
	judged(x, "main", "+8816123456", false);
	judged(x, "main", PHONE, true);
}

static void a_realm_has_lists_of_its_own(void **state)
{
	struct fixture *x = *state;
	set_all(x, "sending.allow", "+44");
	set_all(x, "sending.deny", "+33");
	set_realm(x, "shop", "allow", "+33, +49");
	set_realm(x, "shop", "deny", "+44");
	set_realm(x, "*", "deny", "+4420");
	in_force(x);
	judged(x, "shop", "+33123456789", true); // of one length the realm's own
	judged(x, "shop", "+4930123456", true);
	judged(x, "shop", PHONE, false);
	judged(x, "other", "+33123456789", false);
	judged(x, "other", PHONE, false);
	judged(x, "other", "+447911123456", true);
	realm_count = 0; // the settings were read again
	in_force(x);
	judged(x, "shop", PHONE, true);
	judged(x, "shop", "+33123456789", false);
}

static void refused_setting(struct fixture *x, const struct setting_table *table, const void *conf, const char *detail)
{
	struct fault f = {0};
	(void)x;
	assert_int_equal(table->check(conf, &f), REASON_SETTING_INVALID);
	if (!strstr(f.detail, detail))
		fail_msg("\"%s\" is not in \"%s\"", detail, f.detail);
}

static void settings_that_cannot_be_meant_are_refused(void **state)
{
	struct fixture *x = *state;
	static const char *const bad_prefixes[] = {"44", "+0", "+44x", "+1234567890123456"};
	static const char *const bad_budgets[] = {"+44=5",     "+44=/1h", "+44=5/",     "+44=5/1h 6/1h", "+44=5/1h 6/2h 7/3h",
						  "+44=5/40d", "44=5/1h", "mails=5/1h", "+44=x/1h"};
	struct fault f;
	for (size_t i = 0; i < ARRAY_LEN(bad_prefixes); i++) {
		set_all(x, "sending.deny", bad_prefixes[i]);
		refused_setting(x, &sending_settings, &all, "sending.deny: ");
	}
	set_all(x, "sending.deny", "");
	for (size_t i = 0; i < ARRAY_LEN(bad_budgets); i++) {
		set_all(x, "sending.budgets", bad_budgets[i]);
		refused_setting(x, &sending_settings, &all, "sending.budgets: ");
	}
	set_all(x, "sending.budgets", "+=1/1h, +4=1/1h, +44=1/1h, +447=1/1h");
	assert_int_equal(sending_settings.check(&all, &f), REASON_OK);
	set_all(x, "sending.budgets", "+=1/1h, +4=1/1h, +44=1/1h, +447=1/1h, +4479=1/1h");
	refused_setting(x, &sending_settings, &all, "more than 4 budgets");
	set_realm(x, "shop", "test_numbers", "+15550100001=123456");
	refused_setting(x, &realm_settings, &realms[0], "realms.shop.test_numbers: ");
	set_realm(x, "shop", "test", "true");
	assert_int_equal(realm_settings.check(&realms[0], &f), REASON_OK);
	set_realm(x, "shop", "test_numbers", "+15550100001=12");
	refused_setting(x, &realm_settings, &realms[0], "entry 1");
	set_realm(x, "*", "test", "true");
	refused_setting(x, &realm_settings, &realms[1], "realms.*.test: ");
}

// --- budgets and watches --------------------------------------------------------------------------------------------------

static void all_budgets_that_a_number_begins_with_count_it(void **state)
{
	struct fixture *x = *state;
	struct sending_budget out[BUDGETS_MAX];
	set_all(x, "sending.budgets", "+=1000/1h 5000/1d, mail=7/1d");
	set_realm(x, "shop", "budgets", "+44=100/1h, +442=50/1h, +1=3/1h");
	in_force(x);
	size_t count = sending_budgets(x->op.sending, SLICE_LIT("shop"), CLAIM_PHONE, SLICE_LIT(PHONE), x->arena, out);
	assert_int_equal(count, 4);
	assert_true(slice_equal_text(out[0].name, "+/1h") && out[0].realm.len == 0 && out[0].allowed == 1000);
	assert_true(slice_equal_text(out[1].name, "+/1d") && out[1].window_ms == 86400000);
	assert_string_equal(out[1].label, SENDING_ALL_REALMS);
	assert_true(slice_equal_text(out[2].name, "+44/1h") && slice_equal_text(out[2].realm, "shop"));
	assert_true(slice_equal_text(out[3].name, "+442/1h") && out[3].allowed == 50);
	assert_int_equal(sending_budgets(x->op.sending, SLICE_LIT("other"), CLAIM_PHONE, SLICE_LIT(PHONE), x->arena, out), 2);
	count = sending_budgets(x->op.sending, SLICE_LIT("shop"), CLAIM_EMAIL, SLICE_LIT("a@b.example"), x->arena, out);
	assert_int_equal(count, 1);
	assert_true(slice_equal_text(out[0].name, "mail/1d"));
	assert_int_equal(sending_budgets(NULL, SLICE_LIT("shop"), CLAIM_PHONE, SLICE_LIT(PHONE), x->arena, out), 0);
}

static void watched_prefixes_follow_calling_codes(void **state)
{
	struct fixture *x = *state;
	static const struct {
		const char *number, *prefix;
	} rows[] = {{PHONE, "+44207"},          {"+12025550100", "+1202"},
		    {"+79161234567", "+7916"},  {"+353861234567", "+353861"},
		    {"+3531", "+3531"},         {"+44", "+44"},
		    {"+861012345678", "+86101"}};
	struct sending_watch watch;
	set_realm(x, "shop", "hold.percent", "20");
	set_realm(x, "shop", "hold.digits", "3");
	in_force(x);
	assert_true(sending_watches(x->op.sending));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(
			sending_watch(x->op.sending, SLICE_LIT("shop"), CLAIM_PHONE, slice_of(rows[i].number), x->arena, &watch));
		if (!slice_equal_text(watch.prefix, rows[i].prefix))
			fail_msg("%s: %.*s", rows[i].number, (int)watch.prefix.len, watch.prefix.ptr);
	}
	assert_false(sending_watch(x->op.sending, SLICE_LIT("other"), CLAIM_PHONE, SLICE_LIT(PHONE), x->arena, &watch));
	assert_false(sending_watch(x->op.sending, SLICE_LIT("shop"), CLAIM_EMAIL, SLICE_LIT(PHONE), x->arena, &watch));
}

// --- requests -------------------------------------------------------------------------------------------------------------

static void reads(struct fixture *x, const char *path, const char *body)
{
	static const char *const names[] = {"native"};
	struct fault f;
	const struct dialect *dialect;
	registration_forget(&x->registration);
	x->registration = (struct registration){0};
	x->record = (struct record){.at = {"enroll.otp", 0, 7}};
	x->request = (struct request){.record = &x->record,
				      .method = SLICE_LIT("POST"),
				      .path = slice_of(path),
				      .content_type = SLICE_LIT("application/json"),
				      .body = arena_copy(x->arena, slice_of(body)),
				      .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"),
				      .asked_ms = NOW_MS - 1000};
	assert_int_equal(dialect_route(x->dialects, names, 1, &x->request, &dialect, &x->c.route, &f), REASON_OK);
	enum reason refusal = dialect_read(x->c.route, &x->request, x->secrets, NOW_MS, x->arena, &x->registration, &f);
	assert_int_equal(refusal, REASON_OK);
	x->c = (struct operation_case){.request = &x->request,
				       .route = x->c.route,
				       .registration = &x->registration,
				       .facts = &x->facts,
				       .arena = x->arena};
	x->facts = (struct facts){.now_ms = NOW_MS};
	x->facts.code = (struct code_facts){.asked = true, .kind = CLAIM_PHONE, .value = SLICE_LIT(PHONE)};
}

static void asks(struct fixture *x, const char *purpose)
{
	reads(x, "/v1/codes", arena_printf(x->arena, "{\"purpose\":\"%s\",\"phone\":\"" PHONE "\"}", purpose).ptr);
	x->facts.code.purpose = slice_of(purpose);
}

static void signs_up(struct fixture *x)
{
	reads(x, "/v1/accounts",
	      "{\"phone\":\"" PHONE "\",\"email\":\"ada@a.example\",\"password\":\"violet tractor in the rain\"}");
}

static enum decision decides(struct fixture *x, enum reason reason)
{
	enum decision decision = operation_decide(&x->op, &x->c, &x->receipt, &x->changes);
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
	return decision;
}

static void a_refused_request_makes_nothing(void **state)
{
	struct fixture *x = *state;
	set_realm(x, "main", "deny", "+44");
	in_force(x);
	asks(x, "sign_up");
	assert_int_equal(decides(x, REASON_PREFIX_DENIED), DECISION_STORE);
	assert_int_equal(x->changes.withheld, REASON_PREFIX_DENIED);
	assert_int_equal(x->changes.challenge_count + x->changes.message_count + x->changes.recipient_count, 0);
	assert_false(x->changes.code.holds);
	signs_up(x);
	assert_int_equal(decides(x, REASON_PREFIX_DENIED), DECISION_STORE); // and hashes nothing
	assert_false(x->changes.has_account || x->receipt.has_account);
	assert_int_equal(x->changes.challenge_count + x->changes.message_count + x->changes.recipient_count, 0);
}

static void a_silent_realm_answers_as_if_it_had_sent(void **state)
{
	struct fixture *x = *state;
	in_force(x);
	asks(x, "sign_up");
	assert_int_equal(decides(x, REASON_OK), DECISION_STORE);
	struct receipt sent = x->receipt;
	assert_int_equal(x->changes.recipient_count, 1);
	set_realm(x, "main", "deny", "+44");
	set_realm(x, "main", "withheld", "silent");
	in_force(x);
	assert_int_equal(decides(x, REASON_OK), DECISION_STORE);
	assert_int_equal(x->changes.message_count + x->changes.recipient_count, 0);
	assert_int_equal(x->changes.challenge_count, 1);
	assert_int_equal(x->changes.withheld, REASON_PREFIX_DENIED);
	assert_true(uuid_equal(&x->receipt.challenge_id, &sent.challenge_id));
	assert_int_equal(x->receipt.next_ms, sent.next_ms);
	signs_up(x);
	assert_int_equal(decides(x, REASON_OK), DECISION_HASH);
	assert_int_equal(x->changes.challenge_count, 2);
	assert_int_equal(x->changes.message_count, 1); // the mail
	assert_string_equal(x->changes.messages[0].channel, "email");
	assert_string_equal(x->changes.account.state, "pending");
}

static void what_the_guard_says_holds_for_its_kind(void **state)
{
	struct fixture *x = *state;
	in_force(x);
	asks(x, "sign_up");
	x->c.withheld[CLAIM_EMAIL] = REASON_BUDGET_EXHAUSTED;
	(void)decides(x, REASON_OK);
	x->c.withheld[CLAIM_PHONE] = REASON_PREFIX_HELD;
	(void)decides(x, REASON_PREFIX_HELD);
	signs_up(x);
	x->c.withheld[CLAIM_EMAIL] = REASON_BUDGET_EXHAUSTED;
	(void)decides(x, REASON_BUDGET_EXHAUSTED);
	set_realm(x, "main", "withheld", "silent");
	in_force(x);
	(void)decides(x, REASON_OK);
	assert_int_equal(x->changes.message_count, 1);
	assert_string_equal(x->changes.messages[0].channel, "sms");
}

// Budgets must not tell who is there: a stranger is a recipient too.
static void strangers_are_recipients(void **state)
{
	struct fixture *x = *state;
	in_force(x);
	asks(x, "sign_in");
	(void)decides(x, REASON_OK);
	assert_int_equal(x->changes.message_count, 0);
	assert_int_equal(x->changes.recipient_count, 1);
	x->c.withheld[CLAIM_PHONE] = REASON_BUDGET_EXHAUSTED;
	(void)decides(x, REASON_BUDGET_EXHAUSTED);
}

// Nor do they tell that an identity is taken, where the dialect does not.
static void a_veiled_sign_up_is_withheld_as_any(void **state)
{
	struct fixture *x = *state;
	in_force(x);
	signs_up(x);
	assert_int_equal(decides(x, REASON_OK), DECISION_HASH);
	const size_t recipients = x->changes.recipient_count;
	x->registration.veils_taken = true;
	for (size_t i = 0; i < x->registration.claim_count; i++)
		x->facts.taken[i] = true;
	assert_int_equal(decides(x, REASON_IDENTITY_TAKEN), DECISION_HASH);
	assert_true(x->receipt.veiled);
	assert_int_equal(x->changes.recipient_count, recipients);
	assert_int_equal(x->changes.message_count, 1);
	x->c.withheld[CLAIM_EMAIL] = REASON_BUDGET_EXHAUSTED;
	assert_int_equal(decides(x, REASON_BUDGET_EXHAUSTED), DECISION_STORE);
	assert_false(x->receipt.veiled || x->receipt.has_account);
	assert_int_equal(x->changes.message_count, 0);
	set_realm(x, "main", "withheld", "silent");
	in_force(x);
	assert_int_equal(decides(x, REASON_IDENTITY_TAKEN), DECISION_HASH);
	assert_true(x->receipt.veiled);
	assert_int_equal(x->changes.message_count, 0);
}

static void tries(struct fixture *x, const char *code)
{
	reads(x, "/v1/codes/check",
	      arena_printf(x->arena, "{\"purpose\":\"sign_up\",\"phone\":\"" PHONE "\",\"code\":\"%s\"}", code).ptr);
	struct code_facts *facts = &x->facts.code;
	facts->purpose = SLICE_LIT("sign_up");
	facts->found = true;
	facts->seed = (struct code_seed){.nonce = {{1, 2, 3}}, .epoch = 1};
	facts->form = (struct code_form){6, CODE_DIGITS};
	facts->created_ms = facts->sent_ms = NOW_MS - 60000;
	facts->expires_ms = NOW_MS + 60000;
}

static void a_number_for_tests_has_its_code_and_is_sent_nothing(void **state)
{
	struct fixture *x = *state;
	struct sending_watch watch;
	set_realm(x, "main", "test", "true");
	set_realm(x, "main", "test_numbers", PHONE "=0042");
	set_realm(x, "main", "deny", "+44");
	set_realm(x, "main", "hold.percent", "50");
	in_force(x);
	asks(x, "sign_up");
	(void)decides(x, REASON_OK);
	assert_int_equal(x->changes.message_count + x->changes.recipient_count, 0);
	assert_int_equal(x->changes.challenge_count, 1);
	assert_int_equal(x->changes.withheld, REASON_OK);
	assert_false(sending_watch(x->op.sending, SLICE_LIT("main"), CLAIM_PHONE, SLICE_LIT(PHONE), x->arena, &watch));
	tries(x, "0042");
	(void)decides(x, REASON_OK);
	assert_true(x->changes.code.consumes && x->changes.code.tries);
	tries(x, "0043");
	(void)decides(x, REASON_CODE_WRONG);
	assert_int_equal(x->changes.code.failures, 1); // counted as any other
	tries(x, "0042");
	x->facts.code.tries = 5;
	(void)decides(x, REASON_CODE_EXHAUSTED);
	tries(x, "0042");
	x->request.realm = SLICE_LIT("other");
	(void)decides(x, REASON_CODE_WRONG);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(without_lists_all_are_sent_to),
		test(the_longest_entry_holds),
		test(what_is_denied_alone_leaves_the_rest),
		test(a_realm_has_lists_of_its_own),
		test(settings_that_cannot_be_meant_are_refused),
		test(all_budgets_that_a_number_begins_with_count_it),
		test(watched_prefixes_follow_calling_codes),
		test(a_refused_request_makes_nothing),
		test(a_silent_realm_answers_as_if_it_had_sent),
		test(what_the_guard_says_holds_for_its_kind),
		test(strangers_are_recipients),
		test(a_veiled_sign_up_is_withheld_as_any),
		test(a_number_for_tests_has_its_code_and_is_sent_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
