// SPDX-License-Identifier: Apache-2.0
// Realm and client address come from the named headers, and only as far as they can be trusted.
#include "record.h"

static struct reading r;

static int setup(void **state)
{
	(void)state;
	reading_start(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reading_end(&r);
	return 0;
}

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} cases[] = {
		{"shop", "shop", true},
		{"shop", "shops", false},
		{"shop", "Shop", false},
		{"shop", "", false},
		{"", "", true},
		{"*", "", true},
		{"*", "any", true},
		{"conf-*", "conf-", true},
		{"conf-*", "conf-1", true},
		{"conf-*", "conf", false},
		{"*-x", "a-x-x", true},
		{"*-x", "a-x-y", false},
		{"a*b*c", "a1b2c", true},
		{"a*b*c", "acb", false},
		{"a*b*c", "abcbc", true},
		{"**", "x", true},
		{"a*a", "a", false},
		{"a.c", "abc", false},
		{"*?", "ab", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (intake_pattern_fits(cases[i].pattern, slice_of(cases[i].text)) != cases[i].fits)
			fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].text);
	assert_false(intake_pattern_fits("a", (struct slice){"a\0b", 3}));
	assert_true(intake_pattern_fits("a*b", (struct slice){"a\0b", 3}));
}

static void test_realm(void **state)
{
	static const char *const allowed[] = {"shop", "conf-*"};
	static const struct {
		const char *realm;
		bool fits;
	} cases[] = {{"shop", true}, {"conf-0123456789ab", true}, {"other", false},   {"", false},
		     {NULL, false},  {"conf-\x01", false},        {"conf-a b", false}};
	(void)state;
	r.topic.realm_header = "x-enroll-realm";
	r.topic.realm_allow = (struct setting_list){allowed, ARRAY_LEN(allowed)};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		reading_clear(&r);
		reading_text(&r, ":path", "/a");
		reading_text(&r, ":method", "POST");
		if (cases[i].realm)
			reading_text(&r, "X-Enroll-Realm", cases[i].realm);
		assert_int_equal(reading_read(&r), cases[i].fits ? REASON_OK : REASON_REALM_REFUSED);
		assert_true(r.addressed);
		assert_text(r.request.realm, cases[i].fits ? cases[i].realm : "");
	}
	char name[66] = "conf-";
	memset(name + 5, 'a', 60);
	reading_text(&r, "x-enroll-realm", name);
	assert_int_equal(reading_read(&r), REASON_REALM_REFUSED);
}

static void test_address(void **state)
{
	static const struct {
		const char *first, *second; // two headers of that name
		int64_t hops;
		const char *client;
	} cases[] = {
		{"192.0.2.1", NULL, 1, "192.0.2.1"},
		{"10.9.9.9, 192.0.2.1", NULL, 1, "192.0.2.1"}, // what stands before our gateway's entry was sent by anybody
		{"10.9.9.9,192.0.2.1 ,\t198.51.100.7", NULL, 2, "192.0.2.1"},
		{"10.9.9.9", "192.0.2.1", 1, "192.0.2.1"},
		{"192.0.2.1", "198.51.100.7", 2, "192.0.2.1"},
		{"192.0.2.1", NULL, 2, NULL},
		{"192.0.2.1:4711", NULL, 1, "192.0.2.1"},
		{"2001:DB8:0:0:0:0:0:1", NULL, 1, "2001:db8::1"},
		{"[2001:db8::1]:4711", NULL, 1, "2001:db8::1"},
		{"[2001:db8::1", NULL, 1, NULL},
		{"::ffff:192.0.2.1", NULL, 1, "192.0.2.1"},
		{"fe80::1%eth0", NULL, 1, NULL},
		{"unknown", NULL, 1, NULL},
		{"192.0.2.256", NULL, 1, NULL},
		{"192.0.2.1,", NULL, 1, NULL},
		{"", NULL, 1, NULL},
		{",,,", NULL, 2, NULL},
		{"192.0.2.1\r\nx: y", NULL, 1, NULL},
		{NULL, NULL, 1, NULL},
	};
	(void)state;
	r.topic.address_header = "x-forwarded-for";
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		reading_clear(&r);
		reading_text(&r, ":path", "/a");
		if (cases[i].first)
			reading_text(&r, "X-Forwarded-For", cases[i].first);
		if (cases[i].second)
			reading_text(&r, "x-forwarded-for", cases[i].second);
		r.topic.trusted_hops = cases[i].hops;
		assert_int_equal(reading_read(&r), REASON_OK);
		assert_text(r.request.client_address, cases[i].client);
	}
	r.topic.address_header = "";
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_text(r.request.client_address, NULL);
}

static void test_settings(void **state)
{
	struct fault f;
	struct topic_conf topic = r.topic;
	static const char *const allowed[] = {"shop"};
	(void)state;
	assert_string_equal(topic.realm, "default");
	assert_int_equal(topic.record_limit, 65536);
	assert_int_equal(topic.dialects.count, 1);
	assert_string_equal(topic.dialects.items[0], "native");
	assert_int_equal(topic.reply_topics.count, 0);
	assert_int_equal(topic_settings.check(&topic, &f), REASON_OK);
	topic.realm_header = "x-realm";
	assert_int_equal(topic_settings.check(&topic, &f), REASON_SETTING_INVALID);
	topic.realm_allow = (struct setting_list){allowed, 1};
	assert_int_equal(topic_settings.check(&topic, &f), REASON_OK);
	topic.realm_header = "";
	assert_int_equal(topic_settings.check(&topic, &f), REASON_SETTING_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test_setup_teardown(test_realm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
