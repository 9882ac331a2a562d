// SPDX-License-Identifier: Apache-2.0
// The courier: takes message rows from the database and hands them to SMTP servers and HTTP providers.
//
// Own threads and database connections; may log (it is a main loop of its own). DESIGN section 3 "Courier and notices".
#pragma once

#include <stdbool.h>

#include "enrolld/crypto/keys.h"
#include "enrolld/model/settings.h"
#include "enrolld/store/message.h"

struct courier_conf {
	bool enabled;
	// SMTP
	const char *smtp_url;        // smtp://host:25 or smtps://host:465; "" : mails are not sent
	int smtp_tls;                // none, starttls, (smtps by URL); refuse to fall back
	const char *smtp_user;
	const char *smtp_password;   // secret
	const char *smtp_ca_file;
	const char *smtp_hello;      // EHLO name
	int64_t smtp_connections;    // threads, each with one reused connection
	const char *mail_from;       // address
	const char *mail_from_name;
	const char *message_id_domain;
	// HTTP texts
	const char *text_url;        // "" : texts are not sent
	const char *text_provider;   // folder file under schemas/providers
	const char *text_user;
	const char *text_password;   // secret
	const char *text_from;
	int64_t text_connections;
	// Both
	const char *link_url;        // e.g. https://example.com/verify?token={{token}}
	const char *brand;           // name shown in messages
	const char *messages_dir;    // schemas/messages
	const char *providers_dir;   // schemas/providers
	int64_t lease_ms, connect_timeout_ms, answer_timeout_ms, poll_ms, retry_min_ms, retry_max_ms;
	int64_t resend_unknown_mail; // 0 or 1 further attempt of a mail whose outcome is unknown
};
extern const struct setting_table courier_settings; // "courier.*"

struct courier;
enum reason courier_create(const struct courier_conf *conf, const struct store_conf *store, const struct keyring *keys, const char *instance,
			   struct courier **courier, struct fault *f) ATTR_MUST_USE;
void courier_wake(struct courier *courier); // new messages were stored; thread-safe, cheap
bool courier_ready(const struct courier *courier) ATTR_MUST_USE;
// Finishes what is being transmitted within deadline_ms, then stops.
void courier_stop(struct courier *courier, int64_t deadline_ms);
void courier_destroy(struct courier *courier);

// For "enrolld check": can the sinks be reached (EHLO; HTTP connect), without sending anything.
enum reason courier_probe_mail(const struct courier_conf *conf, struct fault *f) ATTR_MUST_USE;
enum reason courier_probe_texts(const struct courier_conf *conf, struct fault *f) ATTR_MUST_USE;
