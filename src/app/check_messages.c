// SPDX-License-Identifier: Apache-2.0
// enrolld check: where mails and texts are handed to. Nothing is sent.
#include <string.h>

#include "app/check.h"
#include "app/parts.h"

// Scheme, host and port: the rest of a provider's address may be its password.
static const char *place_of(struct checkup *c, const char *url)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	return check_text(c, "%.*s", (int)((size_t)(host - url) + strcspn(host, "/?#")), url);
}

static void add_probe(struct checkup *c, const char *setting, const char *url, const char *remedy, enum reason reason,
		      const struct fault *f)
{
	if (reason == REASON_OK)
		check_add(c, CHECK_OK, setting, "", "%s answers", place_of(c, url));
	else
		check_add(c, CHECK_FAIL, setting, remedy, "%s: %s", place_of(c, url),
			  f->detail[0] ? f->detail : reason_text(reason));
}

static void check_link(struct checkup *c, const struct courier_conf *courier)
{
	static const char remedy[] = "courier.link_url: https://YOUR.SITE/verify?token={{token}}";
	const char *url = courier->link_url;
	if (!url) {
		check_add(c, CHECK_WARN, "courier.link_url", remedy, "not set: mails carry a code and no link");
		return;
	}
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	if (strncmp(url, "https://", 8) != 0 && !check_is_loopback(host, strcspn(host, ":/?")))
		check_add(c, CHECK_WARN, "courier.link_url", remedy, "not https: whoever sees the traffic can use the link");
	else
		check_add(c, CHECK_OK, "courier.link_url", "", "%s", url);
}

static void check_mails(struct checkup *c, const struct courier_conf *courier, bool wanted)
{
	struct fault f = {0};
	if (!courier->smtp_url) {
		if (wanted)
			check_add(c, CHECK_WARN, "courier.smtp_url",
				  "courier.smtp_url: smtp://HOST:PORT; or signup.verify_email: false",
				  "not set: verification mails wait in the database and expire");
		return;
	}
	enum reason reason = courier_probe_mail(courier, &f);
	add_probe(c, "courier.smtp_url", courier->smtp_url,
		  "start the mail server, or correct courier.smtp_url, courier.smtp_tls, courier.smtp_user, courier.smtp_ca_file",
		  reason, &f);
	const char *at = strrchr(courier->mail_from, '@');
	if (at && (strcmp(at, "@localhost") == 0 || strstr(at, "example.")))
		check_add(c, CHECK_WARN, "courier.mail_from", "courier.mail_from: no-reply@YOUR.DOMAIN",
			  "%s: no other server will take it", courier->mail_from);
	check_link(c, courier);
}

static bool bounds_texts(const struct setting_map *budgets)
{
	return setting_map_get(budgets, "+") != NULL;
}

// Whatever number a text goes to, in whatever realm, it must be counted on something.
static void check_budgets(struct checkup *c, const struct conf *conf)
{
	static const char remedy[] =
		"sending.budgets: {\"+\": 1000/1h 5000/1d}, or a \"+\" in the budgets of every realm and of \"*\"";
	const struct sending_conf *all = conf_get(conf, &sending_settings);
	size_t count;
	const struct realm_conf *realms = conf_get_named(conf, &realm_settings, &count);
	bool others = false, each = true, any = all->budgets.count > 0;
	for (size_t i = 0; i < count; i++) {
		bool bounded = bounds_texts(&realms[i].budgets);
		others = others || (bounded && strcmp(realms[i].name, "*") == 0);
		each = each && bounded;
		any = any || realms[i].budgets.count > 0;
	}
	if (bounds_texts(&all->budgets) || (others && each))
		check_add(c, CHECK_OK, "sending.budgets", "", "every text is counted");
	else
		check_add(c, CHECK_WARN, "sending.budgets", remedy,
			  any ? "some texts are counted on no budget: nothing bounds what they cost"
			      : "texts are sent without any budget: nothing bounds what they cost");
}

static void check_texts(struct checkup *c, const struct courier_conf *courier, bool wanted)
{
	struct fault f = {0};
	if (!courier->text_url) {
		if (wanted)
			check_add(c, CHECK_WARN, "courier.text_url",
				  "courier.text_url: https://PROVIDER; or signup.verify_phone: false",
				  "not set: texts wait in the database and expire");
		return;
	}
	enum reason reason = courier_probe_texts(courier, &f);
	add_probe(
		c, "courier.text_url", courier->text_url,
		"start the provider, or correct courier.text_url, courier.text_provider, courier.text_ca_file, courier.text_proxy",
		reason, &f);
}

static void check_files(struct checkup *c, const struct courier_conf *courier)
{
	struct fault f;
	if (courier_probe_files(courier, &f) != REASON_OK)
		check_add(c, CHECK_FAIL, "message files",
			  "correct the file, or name another place with data.directory, courier.messages, courier.providers or "
			  "courier.text_provider",
			  "%s", f.detail);
	else
		check_add(c, CHECK_OK, "message files", "", "%s loads", courier->messages_dir);
}

void check_messages(struct checkup *c, const struct conf *conf)
{
	const struct operation_conf *operation = conf_get(conf, &operation_settings);
	const struct courier_conf *courier = parts_courier(conf, c->arena);
	c->subject = "messages";
	if (!courier->enabled) {
		check_add(c, CHECK_OK, "courier.enabled", "", "false: another worker sends mails and texts");
		return;
	}
	if (courier->allow_cleartext)
		check_add(c, CHECK_WARN, "courier.allow_cleartext", "courier.allow_cleartext: false, and TLS at the servers",
			  "codes, links and logins may leave without TLS");
	check_files(c, courier);
	check_mails(c, courier, operation->verify_email);
	check_texts(c, courier, operation->verify_phone);
	if (courier->text_url)
		check_budgets(c, conf);
}
