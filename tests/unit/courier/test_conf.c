// SPDX-License-Identifier: Apache-2.0
// The settings' defaults and the rules between them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/courier/courier.h"

static struct courier_conf base;

static enum reason check(const struct courier_conf *conf, struct fault *f)
{
	return courier_settings.check(conf, f);
}

static void refused(const struct courier_conf *conf, const char *name)
{
	struct fault f = {0};
	assert_int_equal(check(conf, &f), REASON_SETTING_INVALID);
	if (!strstr(f.detail, name))
		fail_msg("\"%s\" is not in \"%s\"", name, f.detail);
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(check(&base, NULL), REASON_OK);
	assert_true(base.enabled);
	assert_null(base.smtp_url);
	assert_int_equal(base.smtp_tls, COURIER_TLS_STARTTLS);
	assert_int_equal(base.answer_timeout_ms, 600000);
	assert_string_equal(base.mail_from, "no-reply@localhost");
	assert_int_equal(base.retry_min_ms, 60000);
	for (size_t i = 0; i < courier_settings.count; i++) {
		assert_int_equal(strncmp(courier_settings.rows[i].name, "courier.", 8), 0);
		bool password = strstr(courier_settings.rows[i].name, "password") != NULL;
		assert_int_equal(password, courier_settings.rows[i].type == SETTING_SECRET);
	}
}

static void mail_servers(void **state)
{
	(void)state;
	struct courier_conf c = base;
	static const char *const good[] = {"smtp://mail.example.com", "smtp://mail.example.com:587", "smtps://10.0.0.1:465",
					   "smtp://[::1]:25", "smtp://localhost:2525/"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct fault f = {0};
		c.smtp_url = good[i];
		if (check(&c, &f) != REASON_OK)
			fail_msg("%s: %s", good[i], f.detail);
	}
	static const char *const bad[] = {"mail.example.com", "http://mail.example.com",
					  "smtp://",          "smtp://u:p@mail.example.com",
					  "smtp://a/b",       "smtp://a?b",
					  "smtp://a\r\nb",    "smtp://a b",
					  "smtp://a#b",       "file:///etc/passwd"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c.smtp_url = bad[i];
		refused(&c, "courier.smtp_url");
	}
}

static void cleartext(void **state)
{
	(void)state;
	struct courier_conf c = base;
	c.smtp_url = "smtp://mail.example.com";
	c.smtp_tls = COURIER_TLS_NONE;
	refused(&c, "courier.smtp_tls");
	c.allow_cleartext = true;
	assert_int_equal(check(&c, NULL), REASON_OK);
	c.allow_cleartext = false;
	c.smtp_url = "smtp://127.0.0.1:2525";
	assert_int_equal(check(&c, NULL), REASON_OK);
	c.smtp_url = "smtps://mail.example.com";
	assert_int_equal(check(&c, NULL), REASON_OK);
	c = base;
	c.text_url = "http://texts.example.com/send";
	refused(&c, "courier.text_url");
	c.text_url = "http://localhost:8080/send";
	assert_int_equal(check(&c, NULL), REASON_OK);
	c.text_url = "https://texts.example.com/v1/send";
	assert_int_equal(check(&c, NULL), REASON_OK);
}

static void other_fields(void **state)
{
	(void)state;
	struct courier_conf c = base;
	c.smtp_url = "smtps://mail.example.com";
	c.mail_from = "not an address";
	refused(&c, "courier.mail_from");
	c = base;
	c.smtp_url = "smtps://mail.example.com";
	c.smtp_hello = "a b\r\nMAIL";
	refused(&c, "courier.smtp_hello");
	c = base;
	c.link_url = "https://example.com/verify";
	refused(&c, "courier.link_url");
	c.link_url = "javascript:{{token}}";
	refused(&c, "courier.link_url");
	c = base;
	c.brand = "a\nb";
	refused(&c, "courier.brand");
	c = base;
	c.retry_max_ms = c.retry_min_ms - 1;
	refused(&c, "courier.retry_max");
	c = base;
	c.text_url = "https://a";
	c.text_provider = "../../etc/passwd";
	refused(&c, "courier.text_provider");
}

int main(void)
{
	struct arena *arena = arena_create(4096);
	settings_defaults(&courier_settings, arena, &base);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(mail_servers),
		cmocka_unit_test(cleartext),
		cmocka_unit_test(other_fields),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_destroy(arena);
	return failed;
}
