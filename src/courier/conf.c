// SPDX-License-Identifier: Apache-2.0
// Settings of the courier.
#include "courier/address.h"
#include "courier/endpoint.h"
#include "enrolld/courier/courier.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define AT(type, member) SETTING_AT(type, struct courier_conf, member)

static const struct setting_choice tls[] = {
	{"none", COURIER_TLS_NONE, "In clear: to loopback only, unless courier.allow_cleartext."},
	{"starttls", COURIER_TLS_STARTTLS, "TLS before anything else is said; a server that does not offer it gets no mail."},
	{0},
};

static const struct setting rows[] = {
	{"courier.enabled", AT(BOOL, enabled), .fallback = "true",
	 .doc = "Whether this worker sends messages; another one may do it instead."},
	{"courier.smtp_url", AT(TEXT, smtp_url), .min = 1, .max = 300,
	 .doc = "Mail server: smtp://host:port, or smtps://host:port for TLS from the first byte. A relay nearby that answers at once is best. Without "
		"it mails wait in the database."},
	{"courier.smtp_tls", AT(CHOICE, smtp_tls), .choices = tls, .fallback = "starttls",
	 .doc = "TLS on smtp://; never falls back."},
	{"courier.smtp_user", AT(TEXT, smtp_user), .min = 1, .max = 256,
	 .doc = "Login at the mail server (PLAIN or LOGIN). Without it there is none."},
	{"courier.smtp_password", AT(SECRET, smtp_password), .doc = "Its password."},
	{"courier.smtp_ca_file", AT(PATH, smtp_ca_file),
	 .doc = "Authorities that may vouch for the mail server, PEM. Without it those of the system."},
	{"courier.smtp_hello", AT(TEXT, smtp_hello), .min = 1, .max = 253,
	 .doc = "Name this worker gives in EHLO. Without it the host's name."},
	{"courier.smtp_connections", AT(INT, smtp_connections), .min = 1, .max = 64, .unit = "threads", .fallback = "4",
	 .doc = "Mails that are handed over at once, each by its own thread, SMTP connection and database connection."},
	{"courier.smtp_command_timeout", AT(DURATION, smtp_command_timeout_ms), .min = SECOND, .max = 10 * MINUTE,
	 .fallback = "60s", .doc = "How long the mail server may be silent before a mail's end; the mail is then tried again."},
	{"courier.smtp_answer_timeout", AT(DURATION, answer_timeout_ms), .min = SECOND, .max = 30 * MINUTE, .fallback = "10m",
	 .doc = "How long the mail server may take to answer a mail's end (RFC 5321 section 4.5.3.2.6: at least 10 minutes, or mails come twice)."},
	{"courier.mail_from", AT(TEXT, mail_from), .min = 3, .max = 254, .fallback = "no-reply@localhost",
	 .doc = "Sender's address, also for bounces."},
	{"courier.mail_from_name", AT(TEXT, mail_from_name), .max = 100, .doc = "Sender's name; without it that of courier.brand."},
	{"courier.message_id_domain", AT(TEXT, message_id_domain), .min = 1, .max = 253,
	 .doc = "Right side of Message-ID; without it the domain of courier.mail_from."},
	{"courier.text_url", AT(TEXT, text_url), .min = 1, .max = 1000,
	 .doc = "Address of the provider of text messages, https://. Without it texts wait in the database."},
	{"courier.text_provider", AT(TEXT, text_provider), .min = 1, .max = 64, .fallback = "generic",
	 .doc = "How the provider is spoken to: the name of a file in providers/, without \".yaml\"."},
	{"courier.text_user", AT(TEXT, text_user), .min = 1, .max = 256, .doc = "Account at the provider."},
	{"courier.text_password", AT(SECRET, text_password), .doc = "Its password or token."},
	{"courier.text_ca_file", AT(PATH, text_ca_file),
	 .doc = "Authorities that may vouch for the provider, PEM. Without it those of the system."},
	{"courier.text_proxy", AT(TEXT, text_proxy), .min = 1, .max = 300,
	 .doc = "Proxy to the provider, http://host:port. Variables like https_proxy do not count."},
	{"courier.text_from", AT(TEXT, text_from), .min = 1, .max = 64,
	 .doc = "Sender of texts: a number or name that the provider knows."},
	{"courier.text_connections", AT(INT, text_connections), .min = 1, .max = 64, .unit = "connections", .fallback = "8",
	 .doc = "Texts that are handed over at once."},
	{"courier.text_timeout", AT(DURATION, text_answer_timeout_ms), .min = SECOND, .max = 10 * MINUTE, .fallback = "30s",
	 .doc = "How long one exchange with the provider may take; when it passes the outcome is unknown."},
	{"courier.allow_cleartext", AT(BOOL, allow_cleartext), .fallback = "false",
	 .doc = "Lets mails, texts and logins leave without TLS to hosts other than loopback."},
	{"courier.link_url", AT(TEXT, link_url), .min = 1, .max = 1000,
	 .doc = "Where a mailed link leads, with {{token}} in it: https://example.com/verify?token={{token}}. Without it mails carry a code only."},
	{"courier.brand", AT(TEXT, brand), .min = 1, .max = 60, .fallback = "enrolld",
	 .doc = "Name by which messages speak of the service."},
	{"courier.default_locale", AT(TEXT, default_locale), .min = 2, .max = 35, .fallback = "en",
	 .doc = "Language of messages to people who named none."},
	{"courier.messages", AT(PATH, messages_dir),
	 .doc = "Folder of the message templates; without it messages/ in data.directory."},
	{"courier.providers", AT(PATH, providers_dir), .doc = "Folder of the providers; without it providers/ in data.directory."},
	{"courier.lease", AT(DURATION, lease_ms), .min = 5 * SECOND, .max = 10 * MINUTE, .fallback = "20s",
	 .doc = "How long a message that a worker has taken and not begun to send waits for it before another one may take it."},
	{"courier.connect_timeout", AT(DURATION, connect_timeout_ms), .min = 100, .max = MINUTE, .fallback = "10s",
	 .doc = "How long connecting to a mail server or provider may take."},
	{"courier.poll", AT(DURATION, poll_ms), .min = 10, .max = MINUTE, .fallback = "1s",
	 .doc = "How often due messages are looked for; new ones of this process are taken at once."},
	{"courier.retry_min", AT(DURATION, retry_min_ms), .min = 100, .max = 60 * MINUTE, .fallback = "1m",
	 .doc = "Wait before the first retry of a message that was put off; doubled for each further one."},
	{"courier.retry_max", AT(DURATION, retry_max_ms), .min = 100, .max = 1440 * MINUTE, .fallback = "30m",
	 .doc = "Longest wait between two tries of one message."},
	{"courier.resend_unknown_mail", AT(BOOL, resend_unknown_mail), .fallback = "true",
	 .doc = "Sends a mail of unknown outcome once more, with the same code and Message-ID, when half the code's life but at most 30 minutes are over."},
};

static enum reason check_mail(const struct courier_conf *c, struct fault *f)
{
	struct endpoint e;
	enum reason reason = endpoint_parse(c->smtp_url, "smtp", "smtps", &e, f);
	if (reason != REASON_OK)
		return fault_prefix(f, "courier.smtp_url");
	if (!e.tls && c->smtp_tls == COURIER_TLS_NONE && !e.loopback && !c->allow_cleartext)
		return fault_set(f, REASON_SETTING_INVALID,
				 "courier.smtp_tls: none is for loopback only, or needs courier.allow_cleartext");
	if (c->smtp_hello && !endpoint_is_host(slice_of(c->smtp_hello)))
		return fault_set(f, REASON_SETTING_INVALID, "courier.smtp_hello: not a host name");
	if (!address_is_mail(slice_of(c->mail_from)))
		return fault_set(f, REASON_SETTING_INVALID, "courier.mail_from: not a mail address");
	if (!address_is_one_line(slice_of(c->mail_from_name)) || !address_is_one_line(slice_of(c->smtp_user)))
		return fault_set(f, REASON_SETTING_INVALID,
				 "courier.mail_from_name, courier.smtp_user: control characters are not allowed");
	if (c->message_id_domain && !endpoint_is_host(slice_of(c->message_id_domain)))
		return fault_set(f, REASON_SETTING_INVALID, "courier.message_id_domain: not a host name");
	return REASON_OK;
}

static enum reason check_texts(const struct courier_conf *c, struct fault *f)
{
	struct endpoint e;
	enum reason reason = endpoint_parse(c->text_url, "http", "https", &e, f);
	if (reason != REASON_OK)
		return fault_prefix(f, "courier.text_url");
	if (!e.tls && !e.loopback && !c->allow_cleartext)
		return fault_set(f, REASON_SETTING_INVALID,
				 "courier.text_url: http:// is for loopback only, or needs courier.allow_cleartext");
	for (const char *at = c->text_provider; *at; at++) {
		if (!(*at >= 'a' && *at <= 'z') && !(*at >= '0' && *at <= '9') && *at != '-' && *at != '_')
			return fault_set(f, REASON_SETTING_INVALID, "courier.text_provider: a name of a-z, 0-9, - and _");
	}
	return REASON_OK;
}

static enum reason check(const void *conf, struct fault *f)
{
	const struct courier_conf *c = conf;
	enum reason reason = c->smtp_url ? check_mail(c, f) : REASON_OK;
	if (reason == REASON_OK && c->text_url)
		reason = check_texts(c, f);
	if (reason != REASON_OK)
		return reason;
	if (c->retry_max_ms < c->retry_min_ms)
		return fault_set(f, REASON_SETTING_INVALID, "courier.retry_max: must not be below courier.retry_min");
	if (c->link_url && (!strstr(c->link_url, "{{token}}") || strncmp(c->link_url, "http", 4) != 0))
		return fault_set(f, REASON_SETTING_INVALID,
				 "courier.link_url: must be a http or https address with {{token}} in it");
	if (!address_is_one_line(slice_of(c->brand)))
		return fault_set(f, REASON_SETTING_INVALID, "courier.brand: control characters are not allowed");
	return REASON_OK;
}

const struct setting_table courier_settings = {
	.module = "courier",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct courier_conf),
	.doc = "Mails and texts: where they are handed to, how often, what they look like.",
	.check = check,
};
