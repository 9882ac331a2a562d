// SPDX-License-Identifier: Apache-2.0
// The courier against the mailbox and the text provider of scripts/services: other people's protocol code, TLS and logins.
#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(const char *name)
{
	const char *value = getenv(name);
	if (!value)
		fail_msg("%s is not set: scripts/services up, then eval \"$(scripts/services env)\" with set -a", name);
	return value;
}

// The last line of a .jsonl file that holds the text.
static const char *line_with(struct post *p, const char *folder, const char *file, const char *text)
{
	static char line[65536];
	struct slice path = arena_printf(p->arena, "%s/%s", folder, file);
	FILE *in = fopen(path.ptr, "r");
	assert_non_null(in);
	const char *found = NULL;
	while (fgets(line, sizeof(line), in)) {
		if (strstr(line, text))
			found = arena_text(p->arena, line);
	}
	fclose(in);
	return found;
}

static void has(const char *line, const char *part)
{
	if (!line || !strstr(line, part))
		fail_msg("%s is not in %s", part, line ? line : "(nothing)");
}

static struct post *open_mails(const char *scheme, const char *address)
{
	struct post *p = post_open();
	p->conf.smtp_url = arena_printf(p->arena, "%s://%s", scheme, setting(address)).ptr;
	p->conf.smtp_ca_file = setting("ENROLLD_SMTP_CA");
	p->conf.smtp_user = "enrolld";
	p->conf.smtp_password = "mail-secret";
	p->conf.mail_from_name = "Entradas & Más";
	return p;
}

static void check_mail(struct post *p, struct posted m, const char *subject)
{
	const char *line = line_with(p, setting("ENROLLD_MAIL_DIR"), "mails.jsonl", m.id);
	has(line, "\"tls\": true");
	has(line, "\"user\": \"enrolld\"");
	has(line, "\"from\": \"no-reply@mail.example.com\"");
	has(line, subject); // as Python's email module reads the field
}

static void encrypted_mails(void **state)
{
	(void)state;
	static const struct {
		const char *scheme, *address;
		enum courier_tls tls;
	} ways[] = {{"smtp", "ENROLLD_SMTP", COURIER_TLS_STARTTLS}, {"smtps", "ENROLLD_SMTPS", COURIER_TLS_NONE}};
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct post *p = open_mails(ways[i].scheme, ways[i].address);
		p->conf.smtp_tls = ways[i].tls;
		struct fault f = {0};
		if (courier_probe_mail(&p->conf, &f) != REASON_OK)
			fail_msg("%s", f.detail);
		struct posted es = post_message(p, "email", "ada@example.com", "es", "José", 600000);
		struct posted ar = post_message(p, "email", "ada@example.com", "ar", NULL, 600000);
		struct posted refused = post_message(p, "email", "refuse+x@example.com", "en", NULL, 600000);
		struct posted dropped = post_message(p, "email", "drop+x@example.com", "en", NULL, 4000);
		post_start(p);
		post_wait(p, 2, "state = 'accepted'");
		post_wait(p, 1, "state = 'refused' AND code = '550 5.1.1'");
		post_wait(p, 1, "state = 'unknown' AND attempts = 2 AND due_at IS NULL");
		check_mail(p, es, "\"subject\": \"Confirma tu dirección de correo electrónico\"");
		check_mail(p, ar, "\"subject\": \"تأكيد عنوان بريدك الإلكتروني\"");
		check_mail(p, dropped, "\"subject\": \"Confirm your e-mail address\"");
		assert_null(line_with(p, setting("ENROLLD_MAIL_DIR"), "mails.jsonl", refused.id));
		post_close(p);
	}
}

static void untrusted_servers(void **state)
{
	(void)state;
	struct post *p = open_mails("smtps", "ENROLLD_SMTPS");
	struct fault f = {0};
	p->conf.smtp_ca_file = NULL;
	assert_int_equal(courier_probe_mail(&p->conf, &f), REASON_DELIVERY_UNREACHABLE);
	has(f.detail, "certificate");
	p->conf.smtp_ca_file = setting("ENROLLD_SMTP_CA");
	p->conf.smtp_password = "wrong";
	assert_int_equal(courier_probe_mail(&p->conf, &f), REASON_DELIVERY_UNREACHABLE);
	has(f.detail, "courier.smtp_password");
	post_message(p, "email", "ada@example.com", "en", NULL, 600000);
	post_start(p);
	post_wait(p, 1, "state = 'deferred' AND attempts = 0");
	post_close(p);
}

static void texts(void **state)
{
	(void)state;
	struct post *p = post_open();
	p->conf.text_url = arena_printf(p->arena, "%s/messages", setting("ENROLLD_TEXTS")).ptr;
	p->conf.text_password = "token-1";
	p->conf.text_from = "Example";
	assert_int_equal(courier_probe_texts(&p->conf, NULL), REASON_OK);
	struct posted m = post_message(p, "sms", "+4915112345678", "ar", NULL, 600000);
	post_start(p);
	post_wait(p, 1, "state = 'accepted' AND code = '201' AND remote_id LIKE 'SM%'");
	const char *line = line_with(p, setting("ENROLLD_TEXT_DIR"), "texts.jsonl", m.id);
	has(line, m.code);
	has(line, "\"authorization\": \"Bearer token-1\"");
	has(line, "\"to\": \"+4915112345678\", \"from\": \"Example\"");
	has(line, "رمزك");
	post_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(encrypted_mails), cmocka_unit_test(untrusted_servers),
					   cmocka_unit_test(texts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
