// SPDX-License-Identifier: Apache-2.0
// The courier: takes message rows from the database and hands them to SMTP servers and HTTP providers.
//
// A message is handed over at most once per recorded attempt. A second copy is possible only if process or link dies between the last byte of
// the message and the record of its answer: each such case is counted as "unknown". Such a mail is sent once more at most, with the same code
// and Message-ID; such a text never, unless its provider drops repeats (RFC 1047, RFC 5321 section 6.1). Nothing is sent after its code expired.
//
// Own threads and database connections; logs by itself, ids and codes only (it is a main loop of its own).
#pragma once

#include <stdbool.h>

#include "enrolld/base/strbuf.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/model/settings.h"
#include "enrolld/store/message.h"

enum courier_tls { COURIER_TLS_NONE, COURIER_TLS_STARTTLS };

struct courier_conf {
	bool enabled;
	// Mails
	const char *smtp_url;            // smtp://host:port or smtps://host:port; NULL: mails are not sent
	enum courier_tls smtp_tls;       // of smtp://; never falls back
	const char *smtp_user;           // NULL: no login
	const char *smtp_password;       // secret
	const char *smtp_ca_file;        // NULL: the system's authorities
	const char *smtp_hello;          // EHLO name; NULL: the host's name
	int64_t smtp_connections;        // threads, each with one reused connection
	int64_t smtp_command_timeout_ms; // for each answer before the end of a mail; nothing is lost when it passes
	int64_t answer_timeout_ms;       // for the answer to the end of a mail; when it passes the outcome is unknown
	const char *mail_from;           // address
	const char *mail_from_name;
	const char *message_id_domain; // NULL: that of mail_from
	// Texts
	const char *text_url;      // NULL: texts are not sent
	const char *text_provider; // file under providers_dir, without ".yaml"
	const char *text_user;
	const char *text_password; // secret
	const char *text_ca_file;
	const char *text_proxy; // NULL: none; environment variables do not count
	const char *text_from;
	int64_t text_connections;
	int64_t text_answer_timeout_ms; // for a whole exchange
	// Both
	bool allow_cleartext;       // without TLS to hosts other than loopback
	const char *link_url;       // e.g. https://example.com/verify?token={{token}}; NULL: messages carry a code only
	const char *brand;          // name shown in messages
	const char *default_locale; // for messages whose person has none
	const char *messages_dir;
	const char *providers_dir;
	int64_t lease_ms; // of a claimed message that is not being transmitted
	int64_t connect_timeout_ms;
	int64_t poll_ms;      // how often a thread looks for due messages when nobody wakes it
	int64_t retry_min_ms; // first retry of a deferred message, doubled for each further one
	int64_t retry_max_ms;
	bool resend_unknown_mail;
};
extern const struct setting_table courier_settings; // "courier.*"

struct courier;

// Who wants to know that a message has reached a final state, whose notice is written then: called from any thread, must be cheap. May be NULL.
struct courier_listener {
	void (*settled)(void *ctx);
	void *ctx;
};

// Reads templates and provider (DIALECT_INVALID, FILE_UNREADABLE), then starts the threads. Nothing is started if neither URL is set or it is
// not enabled; *courier is valid all the same. conf, store and keys must outlive it. instance: part of the database connections' names.
enum reason courier_create(const struct courier_conf *conf, const struct store_conf *store, const struct keyring *keys,
			   const char *instance, struct courier_listener listener, struct courier **courier,
			   struct fault *f) ATTR_MUST_USE;
void courier_wake(struct courier *courier); // new messages were stored; thread-safe, cheap
// No channel is paused: the last use of the database and of each sink worked. why (or NULL) takes a line for each that is. Thread-safe.
bool courier_ready(const struct courier *courier, struct strbuf *why) ATTR_MUST_USE;
void courier_measure(const struct courier *courier); // sets its gauges
// Nothing new begins; waits at most deadline_ms for what is being transmitted, gives up what is left (its outcome is unknown then), and ends
// the threads. Once.
void courier_stop(struct courier *courier, int64_t deadline_ms);
void courier_destroy(struct courier *courier); // stops at once if it was not stopped; NULL is fine

// For "enrolld check": can the sinks be reached (EHLO, TLS, login, NOOP; HTTP connect, TLS), without sending anything.
enum reason courier_probe_mail(const struct courier_conf *conf, struct fault *f) ATTR_MUST_USE;
enum reason courier_probe_texts(const struct courier_conf *conf, struct fault *f) ATTR_MUST_USE;
// The same for the files that courier_create reads.
enum reason courier_probe_files(const struct courier_conf *conf, struct fault *f) ATTR_MUST_USE;

// Adds one line for each library this module is built on: its name and the version that is loaded.
void courier_libraries(struct strbuf *out);
