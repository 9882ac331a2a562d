// SPDX-License-Identifier: Apache-2.0
// What may stand in a protocol line, and above all what may not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/address.h"
#include "enrolld/base/attr.h"

static void mail_addresses(void **state)
{
	(void)state;
	static const char *const good[] = {"a@b",
					   "user@localhost",
					   "first.last+tag@example.com",
					   "o'neil@example.co.uk",
					   "x_y-z@xn--bcher-kva.example",
					   "!#$%&'*+-/=?^_`{|}~@example.com"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(address_is_mail(slice_of(good[i])));
	static const char *const bad[] = {"",
					  "@",
					  "a@",
					  "@b",
					  "a",
					  "a b@c",
					  "a@b c",
					  ".a@b",
					  "a.@b",
					  "a..b@c",
					  "a@-b",
					  "a@b-",
					  "a@b..c",
					  "a@b.",
					  "a@.b",
					  "a@b@c",
					  "<a@b>",
					  "a@b>",
					  "a@b\r\nRCPT TO:<c@d>",
					  "a@b\n",
					  "a\r@b",
					  "\"a b\"@c",
					  "a@[127.0.0.1]",
					  "a@b_c",
					  "a,b@c",
					  "a@b,c@d",
					  "a@b\t",
					  "a@b\x7f",
					  "\xc3\xa4@example.com",
					  "a@b\xc3\xbc"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(address_is_mail(slice_of(bad[i])));
	assert_false(address_is_mail(SLICE_ABSENT));
	assert_false(address_is_mail(((struct slice){"a@b\0c", 5})));
	assert_false(address_is_mail(((struct slice){"a\0@b", 4})));
}

static void mail_addresses_have_limits(void **state)
{
	(void)state;
	char text[300];
	memset(text, 'a', sizeof(text));
	text[64] = '@';
	assert_true(address_is_mail((struct slice){text, 64 + 1 + 63}));
	assert_false(address_is_mail((struct slice){text, 64 + 1 + 64}));
	memset(text, 'a', sizeof(text));
	text[65] = '@';
	assert_false(address_is_mail((struct slice){text, 80}));
	memset(text, 'a', sizeof(text));
	text[1] = '@';
	for (size_t i = 50; i < sizeof(text); i += 50)
		text[i] = '.';
	assert_true(address_is_mail((struct slice){text, 254}));
	assert_false(address_is_mail((struct slice){text, 255}));
}

static void phone_numbers(void **state)
{
	(void)state;
	assert_true(address_is_phone(SLICE_LIT("+4915112345678")));
	assert_true(address_is_phone(SLICE_LIT("+1234567")));
	static const char *const bad[] = {
		"",           "+",           "4915112345678", "+123456", "+1234567890123456", "+0123456789",
		"+49 151123", "+49151123\n", "+49-151-1234"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(address_is_phone(slice_of(bad[i])));
}

static void one_line(void **state)
{
	(void)state;
	assert_true(address_is_one_line(SLICE_LIT("")));
	assert_true(address_is_one_line(SLICE_LIT("Übung macht den Meister")));
	static const char *const bad[] = {"a\nb", "a\rb", "a\tb", "a\x7f", "a\302\205b", "a\342\200\250b", "\xff", "\xc3"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(address_is_one_line(slice_of(bad[i])));
	assert_false(address_is_one_line(((struct slice){"a\0b", 3})));
}

static void names_in_greetings(void **state)
{
	(void)state;
	static const char *const good[] = {"Ada",        "María José", "J. R. R. Tolkien", "O'Neil",
					   "Anne-Marie", "فاطمة",      "李小龍",           "Martin Luther King, Jr."};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(address_is_greetable(slice_of(good[i])));
	static const char *const bad[] = {"",
					  "evil.example",
					  "http://evil",
					  "www.evil.example now",
					  "a@b",
					  "<b>x</b>",
					  "x\r\nBcc: y",
					  "win 1000",
					  "\342\200\256moc",
					  "zero\xe2\x80\x8bwidth",
					  "Your account is locked, call us right now please"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(address_is_greetable(slice_of(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_addresses), cmocka_unit_test(mail_addresses_have_limits), cmocka_unit_test(phone_numbers),
		cmocka_unit_test(one_line),       cmocka_unit_test(names_in_greetings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
