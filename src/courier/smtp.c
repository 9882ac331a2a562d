// SPDX-License-Identifier: Apache-2.0
// SMTP by libcurl: one easy handle, its callbacks, and their timeouts.
#include "courier/smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "courier/curl_setup.h"
#include "courier/smtp_reply.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/strbuf.h"

#define QUIT_LIMIT_MS 1000
#define IDLE_MAX_S 30 // a kept connection older than this is not trusted: servers close idle ones after 60 s or more

struct smtp {
	const struct courier_conf *conf;
	struct stopper *stop;
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	bool starttls;
	bool quitting;
	// Of the transfer that runs:
	struct smtp_trace trace;
	const struct gate *gate;
	struct slice left; // of the message
	int64_t limit_ms;  // how long the server may be silent before the end of the message
	int64_t sign_ns;   // when something last moved
};

static size_t on_line(char *data, size_t size, size_t count, void *ctx)
{
	struct smtp *smtp = ctx;
	smtp_trace_line(&smtp->trace, (struct slice){data, size * count});
	smtp->sign_ns = clock_mono_ns();
	return size * count;
}

// libcurl asks for the first bytes after 354, and sends the final dot only after it got 0 (its size is not told beforehand).
static size_t on_read(char *buffer, size_t size, size_t count, void *ctx)
{
	struct smtp *smtp = ctx;
	if (!smtp->trace.begun) {
		if (!smtp->gate->open(smtp->gate->ctx)) {
			smtp->trace.aborted = SMTP_ABORTED_GATE;
			return CURL_READFUNC_ABORT;
		}
		smtp->trace.begun = true;
	}
	size_t n = size * count < smtp->left.len ? size * count : smtp->left.len;
	if (n == 0)
		smtp->trace.ended = true;
	else
		memcpy(buffer, smtp->left.ptr, n);
	smtp->left = (struct slice){smtp->left.ptr + n, smtp->left.len - n};
	smtp->sign_ns = clock_mono_ns();
	return n;
}

// Called at least once a second. After the end of the message only libcurl's own, long reply timeout counts (RFC 5321 section 4.5.3.2.6).
static int on_progress(void *ctx, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total, curl_off_t ul_now)
{
	(void)dl_total, (void)dl_now, (void)ul_total, (void)ul_now;
	struct smtp *smtp = ctx;
	if (smtp->stop && !smtp->quitting && (stopper_overdue(smtp->stop) || (stopper_asked(smtp->stop) && !smtp->trace.begun))) {
		smtp->trace.aborted = SMTP_ABORTED_STOP;
		return 1;
	}
	if (!smtp->trace.ended && clock_mono_ns() - smtp->sign_ns > smtp->limit_ms * 1000000) {
		smtp->trace.aborted = SMTP_ABORTED_SILENCE;
		return 1;
	}
	return 0;
}

static bool set_url(struct smtp *smtp)
{
	const struct courier_conf *conf = smtp->conf;
	struct strbuf url = STRBUF_INIT(1024);
	strbuf_add_text(&url, conf->smtp_url);
	// libcurl takes the EHLO name from the path.
	if (conf->smtp_hello && conf->smtp_hello[0]) {
		if (url.len > 0 && url.data[url.len - 1] != '/')
			strbuf_add_char(&url, '/');
		strbuf_add_text(&url, conf->smtp_hello);
	}
	bool good = url.len > 0 && !strbuf_overflowed(&url) && curl_easy_setopt(smtp->easy, CURLOPT_URL, url.data) == CURLE_OK;
	strbuf_free(&url);
	return good;
}

static bool set_session(struct smtp *smtp)
{
	const struct courier_conf *conf = smtp->conf;
	CURL *easy = smtp->easy;
	bool good = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK;
	good = good &&
	       curl_easy_setopt(easy, CURLOPT_USE_SSL, smtp->starttls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE) == CURLE_OK;
	if (conf->smtp_user && conf->smtp_user[0]) {
		good = good && curl_easy_setopt(easy, CURLOPT_USERNAME, conf->smtp_user) == CURLE_OK;
		good = good && curl_easy_setopt(easy, CURLOPT_PASSWORD, conf->smtp_password ? conf->smtp_password : "") == CURLE_OK;
		good = good && curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN") == CURLE_OK;
		good = good && curl_easy_setopt(easy, CURLOPT_SASL_IR, 1L) == CURLE_OK;
	}
	good = good && curl_setup_tls(easy, conf->smtp_ca_file);
	good = good && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
	good = good && curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)conf->connect_timeout_ms) == CURLE_OK;
	good = good &&
	       curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((conf->answer_timeout_ms + 999) / 1000)) == CURLE_OK;
	return good && curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S) == CURLE_OK;
}

static bool set_callbacks(struct smtp *smtp)
{
	CURL *easy = smtp->easy;
	return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, smtp->error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, smtp) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READDATA, smtp) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_setup_discard) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_XFERINFODATA, smtp) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

enum reason smtp_open(const struct courier_conf *conf, struct stopper *stop, struct smtp **ret_smtp, struct fault *f)
{
	struct smtp *smtp = calloc(1, sizeof(*smtp));
	if (!smtp)
		return fault_set(f, REASON_NO_MEMORY, "no memory for an SMTP connection");
	smtp->conf = conf;
	smtp->stop = stop;
	smtp->starttls = conf->smtp_tls == COURIER_TLS_STARTTLS && strncmp(conf->smtp_url, "smtps:", 6) != 0;
	smtp->easy = curl_setup_easy();
	if (!smtp->easy || !set_url(smtp) || !set_session(smtp) || !set_callbacks(smtp)) {
		smtp_close(smtp);
		return fault_set(f, REASON_SETTING_INVALID, "courier.smtp_*: libcurl does not take these settings");
	}
	*ret_smtp = smtp;
	return REASON_OK;
}

static bool reused(CURL *easy)
{
	long connects = 1;
	return curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK && connects == 0;
}

static CURLcode transfer(struct smtp *smtp, struct slice message, const struct gate *gate)
{
	smtp->trace = (struct smtp_trace){0};
	smtp->error[0] = '\0';
	smtp->gate = gate;
	smtp->left = message;
	smtp->sign_ns = clock_mono_ns();
	CURLcode code = curl_easy_perform(smtp->easy);
	smtp->gate = NULL;
	smtp->left = SLICE_ABSENT;
	return code;
}

// Cuts a link on which a late answer could be taken for that to another command, as libcurl 7.88 would after a silence; also where its own
// QUIT would wait for minutes. libcurl finds it dead and makes a new one.
static void cut_link(struct smtp *smtp)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (curl_easy_getinfo(smtp->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
		(void)shutdown(fd, SHUT_RDWR);
}

// A command without a mail.
static CURLcode command(struct smtp *smtp, const char *word, int64_t limit_ms)
{
	if (curl_easy_setopt(smtp->easy, CURLOPT_MAIL_RCPT, NULL) != CURLE_OK ||
	    curl_easy_setopt(smtp->easy, CURLOPT_UPLOAD, 0L) != CURLE_OK ||
	    curl_easy_setopt(smtp->easy, CURLOPT_NOBODY, 1L) != CURLE_OK ||
	    curl_easy_setopt(smtp->easy, CURLOPT_CUSTOMREQUEST, word) != CURLE_OK)
		return CURLE_OUT_OF_MEMORY;
	smtp->limit_ms = limit_ms;
	CURLcode code = transfer(smtp, SLICE_ABSENT, NULL);
	if (code != CURLE_OK)
		cut_link(smtp);
	return code;
}

void smtp_close(struct smtp *smtp)
{
	if (!smtp)
		return;
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (smtp->easy && curl_easy_getinfo(smtp->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD) {
		smtp->quitting = true;
		(void)command(smtp, "QUIT", QUIT_LIMIT_MS);
		cut_link(smtp);
	}
	curl_easy_cleanup(smtp->easy);
	free(smtp);
}

static bool set_envelope(struct smtp *smtp, const char *from, const char *to, struct curl_slist **list)
{
	char path[300];
	int n = snprintf(path, sizeof(path), "<%s>", to);
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	*list = curl_slist_append(NULL, path);
	if (!*list || curl_easy_setopt(smtp->easy, CURLOPT_MAIL_RCPT, *list) != CURLE_OK)
		return false;
	n = snprintf(path, sizeof(path), "<%s>", from);
	return n > 0 && (size_t)n < sizeof(path) && curl_easy_setopt(smtp->easy, CURLOPT_MAIL_FROM, path) == CURLE_OK &&
	       curl_easy_setopt(smtp->easy, CURLOPT_NOBODY, 0L) == CURLE_OK &&
	       curl_easy_setopt(smtp->easy, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK &&
	       curl_easy_setopt(smtp->easy, CURLOPT_UPLOAD, 1L) == CURLE_OK;
}

void smtp_send(struct smtp *smtp, const char *from, const char *to, struct slice message, const struct gate *gate,
	       struct handover *handover)
{
	struct curl_slist *list = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	smtp->trace = (struct smtp_trace){0};
	smtp->limit_ms = smtp->conf->smtp_command_timeout_ms;
	if (set_envelope(smtp, from, to, &list)) {
		code = transfer(smtp, message, gate);
		if (code != CURLE_OK && smtp_trace_stale(&smtp->trace, code, reused(smtp->easy))) {
			(void)curl_easy_setopt(smtp->easy, CURLOPT_FRESH_CONNECT, 1L);
			code = transfer(smtp, message, gate);
			(void)curl_easy_setopt(smtp->easy, CURLOPT_FRESH_CONNECT, 0L);
		}
	}
	smtp_judge(&smtp->trace, code, smtp->starttls, curl_setup_error(code, smtp->error), handover);
	if (code != CURLE_OK && smtp->trace.answer == 0)
		cut_link(smtp);
	(void)curl_easy_setopt(smtp->easy, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(list);
}

enum reason smtp_probe(struct smtp *smtp, struct fault *f)
{
	CURLcode code = command(smtp, "NOOP", smtp->conf->smtp_command_timeout_ms);
	if (code == CURLE_OK)
		return REASON_OK;
	struct handover handover;
	smtp_judge(&smtp->trace, code, smtp->starttls, curl_setup_error(code, smtp->error), &handover);
	return fault_set(f, REASON_DELIVERY_UNREACHABLE, "%s", handover.fault.detail);
}
