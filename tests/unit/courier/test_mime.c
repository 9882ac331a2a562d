// SPDX-License-Identifier: Apache-2.0
// Mails as bytes: fields that cannot inject, folding, encodings, the two parts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "courier/mime.h"
#include "courier/mime_text.h"
#include "enrolld/base/attr.h"
#include "enrolld/base/utf8.h"

static struct mail plain_mail(void)
{
	return (struct mail){
		.from_address = SLICE_LIT("no-reply@example.com"),
		.from_name = SLICE_LIT("Example"),
		.to_address = SLICE_LIT("ada@example.com"),
		.subject = SLICE_LIT("Confirm your e-mail address"),
		.id = SLICE_LIT("0198c0de-0000-8000-8000-000000000001"),
		.id_domain = SLICE_LIT("mail.example.com"),
		.language = SLICE_LIT("en"),
		.date_ms = INT64_C(1795560731123), // 2026-11-24T22:52:11.123Z
		.text = SLICE_LIT("Hello,\nyour code is 123456.\n"),
		.html = SLICE_LIT("<p>Hello</p>\n"),
	};
}

static void whole_mail(void **state)
{
	(void)state;
	struct mail m = plain_mail();
	struct strbuf out = STRBUF_INIT(MAIL_BYTES_MAX);
	struct fault f;
	assert_int_equal(mime_write(&m, &out, &f), REASON_OK);
	assert_string_equal(out.data, "Date: Tue, 24 Nov 2026 22:52:11 +0000\r\n"
				      "From: \"Example\" <no-reply@example.com>\r\n"
				      "To: ada@example.com\r\n"
				      "Subject: Confirm your e-mail address\r\n"
				      "Message-ID: <0198c0de-0000-8000-8000-000000000001@mail.example.com>\r\n"
				      "Auto-Submitted: auto-generated\r\n"
				      "Content-Language: en\r\n"
				      "MIME-Version: 1.0\r\n"
				      "Content-Type: multipart/alternative;\r\n"
				      " boundary=\"=_enrolld_0198c0de-0000-8000-8000-000000000001\"\r\n"
				      "\r\n"
				      "--=_enrolld_0198c0de-0000-8000-8000-000000000001\r\n"
				      "Content-Type: text/plain; charset=utf-8\r\n"
				      "Content-Transfer-Encoding: quoted-printable\r\n"
				      "\r\n"
				      "Hello,\r\n"
				      "your code is 123456.\r\n"
				      "\r\n"
				      "--=_enrolld_0198c0de-0000-8000-8000-000000000001\r\n"
				      "Content-Type: text/html; charset=utf-8\r\n"
				      "Content-Transfer-Encoding: quoted-printable\r\n"
				      "\r\n"
				      "<p>Hello</p>\r\n"
				      "\r\n"
				      "--=_enrolld_0198c0de-0000-8000-8000-000000000001--\r\n");
	strbuf_free(&out);
}

static void text_only_mail(void **state)
{
	(void)state;
	struct mail m = plain_mail();
	m.html = SLICE_ABSENT;
	m.language = SLICE_ABSENT;
	struct strbuf out = STRBUF_INIT(MAIL_BYTES_MAX);
	assert_int_equal(mime_write(&m, &out, NULL), REASON_OK);
	assert_non_null(strstr(out.data, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	assert_null(strstr(out.data, "multipart"));
	assert_null(strstr(out.data, "Content-Language"));
	strbuf_free(&out);
}

static void nothing_injects(void **state)
{
	(void)state;
	static const char *const evil[] = {"x\r\nBcc: victim@example.com", "x\nBcc: v", "x\rBcc: v", "x\x7f", "x\xc2\x85y", "x\tb"};
	for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
		struct slice *(members[6]);
		for (size_t k = 0; k < ARRAY_LEN(members); k++) {
			struct mail m = plain_mail();
			members[0] = &m.from_address, members[1] = &m.from_name, members[2] = &m.to_address;
			members[3] = &m.subject, members[4] = &m.id, members[5] = &m.id_domain;
			*members[k] = slice_of(evil[i]);
			struct strbuf out = STRBUF_INIT(MAIL_BYTES_MAX);
			struct fault f;
			assert_int_equal(mime_write(&m, &out, &f), REASON_DELIVERY_REFUSED);
			assert_int_equal(out.len, 0);
			assert_null(strstr(f.detail, "victim"));
			strbuf_free(&out);
		}
	}
	struct mail m = plain_mail();
	m.language = SLICE_LIT("en\r\nX: y");
	struct strbuf out = STRBUF_INIT(MAIL_BYTES_MAX);
	assert_int_equal(mime_write(&m, &out, NULL), REASON_DELIVERY_REFUSED);
	strbuf_free(&out);
}

static void limit_of_size(void **state)
{
	(void)state;
	struct mail m = plain_mail();
	struct strbuf out = STRBUF_INIT(500);
	assert_int_equal(mime_write(&m, &out, NULL), REASON_DELIVERY_REFUSED);
	strbuf_free(&out);
}

static void check_field(const char *value, const char *want)
{
	struct strbuf out = STRBUF_INIT(65536);
	mime_add_text_field(&out, "Subject", slice_of(value));
	assert_string_equal(out.data, want);
	strbuf_free(&out);
}

static void text_fields(void **state)
{
	(void)state;
	check_field("", "Subject: \r\n");
	check_field("a  b", "Subject: a  b\r\n");
	check_field("Grüße", "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n");
	check_field("=?UTF-8?Q?fake?=", "Subject: =?UTF-8?B?PT9VVEYtOD9RP2Zha2U/PQ==?=\r\n");
	check_field(" edge", "Subject: =?UTF-8?B?IGVkZ2U=?=\r\n");
	check_field("one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
		    "Subject: one two three four five six seven eight nine ten eleven twelve\r\n thirteen fourteen\r\n");
}

// Each line of a field is short, and no encoded word cuts a code point: every word by itself is valid UTF-8.
static void long_fields(void **state)
{
	(void)state;
	for (size_t points = 1; points < 200; points++) {
		struct strbuf value = STRBUF_INIT(4096), out = STRBUF_INIT(65536);
		for (size_t i = 0; i < points; i++)
			strbuf_add_text(&value, i % 3 ? "\xe2\x82\xac" : "\xf0\x9f\x98\x80");
		mime_add_text_field(&out, "Subject", strbuf_slice(&value));
		size_t words = 0;
		for (const char *line = out.data; *line;) {
			const char *end = strstr(line, "\r\n");
			assert_non_null(end);
			assert_true(end - line <= 76);
			const char *word = strstr(line, "=?UTF-8?B?");
			assert_true(word && word < end);
			const char *close = strstr(word + 10, "?=");
			assert_true(close == end - 2);
			assert_int_equal((close - word - 10) % 4, 0);
			words++;
			line = end + 2;
		}
		assert_true(words >= points * 3 / 45 / 2);
		strbuf_free(&value);
		strbuf_free(&out);
	}
}

static void mailbox_fields(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT(65536);
	mime_add_mailbox_field(&out, "From", SLICE_LIT("A \"B\" \\ C"), SLICE_LIT("x@y"));
	assert_string_equal(out.data, "From: \"A \\\"B\\\" \\\\ C\" <x@y>\r\n");
	strbuf_reset(&out);
	mime_add_mailbox_field(&out, "From", SLICE_LIT("Müller, \"X\" <a@b>"), SLICE_LIT("x@y"));
	assert_string_equal(out.data, "From: =?UTF-8?B?TcO8bGxlciwgIlgiIDxhQGI+?= <x@y>\r\n");
	strbuf_reset(&out);
	mime_add_mailbox_field(&out, "From", SLICE_LIT("Short name"),
			       SLICE_LIT("a.rather.long.local.part.that.goes.on.and.on@a.long.domain.example.com"));
	assert_string_equal(
		out.data, "From: \"Short name\"\r\n <a.rather.long.local.part.that.goes.on.and.on@a.long.domain.example.com>\r\n");
	strbuf_free(&out);
}

static void dates(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{0, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
		{INT64_C(951782400000), "Date: Tue, 29 Feb 2000 00:00:00 +0000\r\n"},
		{INT64_C(1785542399999), "Date: Fri, 31 Jul 2026 23:59:59 +0000\r\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf out = STRBUF_INIT(100);
		mime_add_date_field(&out, rows[i].ms);
		assert_string_equal(out.data, rows[i].text);
		strbuf_free(&out);
	}
}

static void check_body(enum mime_encoding encoding, const char *text, const char *want)
{
	struct strbuf out = STRBUF_INIT(65536);
	mime_add_body(&out, encoding, slice_of(text));
	assert_string_equal(out.data ? out.data : "", want);
	strbuf_free(&out);
}

static void quoted_printable(void **state)
{
	(void)state;
	check_body(MIME_QUOTED_PRINTABLE, "", "");
	check_body(MIME_QUOTED_PRINTABLE, "a=b\n", "a=3Db\r\n");
	check_body(MIME_QUOTED_PRINTABLE, "end \t\nnext\r\n\nx", "end =09\r\nnext\r\n\r\nx\r\n");
	check_body(MIME_QUOTED_PRINTABLE, ".\n..\nFrom me\n", "=2E\r\n=2E.\r\n=46rom me\r\n");
	check_body(MIME_QUOTED_PRINTABLE, "\xc3\xa9", "=C3=A9\r\n");
	char line[80];
	memset(line, 'x', sizeof(line));
	line[76] = '\0';
	char want[100];
	(void)snprintf(want, sizeof(want), "%s\r\n", line);
	check_body(MIME_QUOTED_PRINTABLE, line, want);
	memset(line, 'x', sizeof(line));
	line[77] = '\0';
	(void)snprintf(want, sizeof(want), "%.75s=\r\nxx\r\n", line);
	check_body(MIME_QUOTED_PRINTABLE, line, want);
	line[75] = '.';
	(void)snprintf(want, sizeof(want), "%.75s=\r\n=2Ex\r\n", line);
	check_body(MIME_QUOTED_PRINTABLE, line, want);
}

// Decodes quoted-printable as RFC 2045 says, strictly.
static void decode_quoted_printable(const char *in, struct strbuf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t column = 0; *in; in++) {
		if (in[0] == '\r' && in[1] == '\n') {
			assert_true(column <= 76);
			strbuf_add_char(out, '\n');
			column = 0;
			in++;
		} else if (in[0] == '=' && in[1] == '\r') {
			assert_int_equal(in[2], '\n');
			assert_true(column + 1 <= 76);
			column = 0;
			in += 2;
		} else if (in[0] == '=') {
			const char *high = strchr(hex, in[1]), *low = strchr(hex, in[2]);
			assert_true(high && low);
			strbuf_add_char(out, (char)((high - hex) * 16 + (low - hex)));
			column += 3;
			in += 2;
		} else {
			assert_true(in[0] == '\t' || (in[0] >= ' ' && in[0] <= '~'));
			strbuf_add_char(out, in[0]);
			column++;
		}
	}
}

static void quoted_printable_comes_back(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (int round = 0; round < 500; round++) {
		struct strbuf text = STRBUF_INIT(4096), out = STRBUF_INIT(65536), back = STRBUF_INIT(65536);
		for (int i = 0; i < round; i++) {
			static const char *const pieces[] = {
				"a", "F", ".", "=", " ", "\t", "\n", "\xc3\xa9", "longer piece", "\xe2\x82\xac"};
			seed = seed * 1664525 + 1013904223;
			strbuf_add_text(&text, pieces[(seed >> 16) % ARRAY_LEN(pieces)]);
		}
		strbuf_add_char(&text, '\n');
		mime_add_body(&out, MIME_QUOTED_PRINTABLE, strbuf_slice(&text));
		decode_quoted_printable(out.data, &back);
		assert_string_equal(back.data, text.data);
		strbuf_free(&text);
		strbuf_free(&out);
		strbuf_free(&back);
	}
}

static void base64_bodies(void **state)
{
	(void)state;
	check_body(MIME_BASE64, "", "");
	check_body(MIME_BASE64, "a\nb", "YQ0KYg0K\r\n");
	check_body(MIME_BASE64, "0123456789012345678901234567890123456789012345678901234567890123456789\n",
		   "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\nNzg5MDEyMzQ1Njc4OQ0K\r\n");
	assert_int_equal(mime_encoding_for(SLICE_LIT("mostly plain text with one \xc3\xa9")), MIME_QUOTED_PRINTABLE);
	assert_int_equal(mime_encoding_for(SLICE_LIT("\xd8\xb1\xd9\x85\xd8\xb2")), MIME_BASE64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_mail),       cmocka_unit_test(text_only_mail),
		cmocka_unit_test(nothing_injects),  cmocka_unit_test(limit_of_size),
		cmocka_unit_test(text_fields),      cmocka_unit_test(long_fields),
		cmocka_unit_test(mailbox_fields),   cmocka_unit_test(dates),
		cmocka_unit_test(quoted_printable), cmocka_unit_test(quoted_printable_comes_back),
		cmocka_unit_test(base64_bodies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
