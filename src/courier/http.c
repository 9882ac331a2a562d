// SPDX-License-Identifier: Apache-2.0
// HTTP by libcurl: slots with an easy handle each, one multi handle.
#include "courier/http.h"

#include <stdlib.h>
#include <strings.h>

#include "courier/curl_setup.h"
#include "enrolld/base/clock.h"

#define ANSWER_BYTES_MAX ((size_t)64 << 10)
#define IDLE_MAX_S 30 // a kept connection older than this is not trusted

// A place for one exchange.
struct slot {
	struct http *http;
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	struct curl_slist *headers;
	struct http_job *job; // NULL: free
	struct slice left;    // of the body
	struct exchange exchange;
	int64_t start_ns;
};

struct http {
	const struct courier_conf *conf;
	const struct provider *provider;
	struct stopper *stop;
	CURLM *multi;
	struct slot *slots;
	size_t slot_count;
	size_t running;
};

// Not offering a way to rewind keeps libcurl from sending the body again by itself when a kept connection breaks before the answer.
static size_t on_read(char *buffer, size_t size, size_t count, void *ctx)
{
	struct slot *slot = ctx;
	struct exchange *e = &slot->exchange;
	if (!e->begun) {
		if (!slot->job->gate.open(slot->job->gate.ctx)) {
			e->aborted = EXCHANGE_ABORTED_GATE;
			return CURL_READFUNC_ABORT;
		}
		e->begun = true;
	}
	size_t n = size * count < slot->left.len ? size * count : slot->left.len;
	if (n > 0)
		memcpy(buffer, slot->left.ptr, n);
	slot->left = (struct slice){slot->left.ptr + n, slot->left.len - n};
	e->ended = slot->left.len == 0;
	return n;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct slot *slot = ctx;
	strbuf_add(&slot->exchange.body, data, size * count);
	return strbuf_overflowed(&slot->exchange.body) ? 0 : size * count; // fewer: the exchange ends, its status stands
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct slot *slot = ctx;
	const char *name = provider_id_header(slot->http->provider);
	size_t len = size * count, name_len = name ? strlen(name) : 0;
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
		slot->exchange.id_header[0] = '\0';
	} else if (name && len > name_len && data[name_len] == ':' && strncasecmp(data, name, name_len) == 0) {
		struct slice value = {data + name_len + 1, len - name_len - 1};
		while (value.len > 0 && value.ptr[0] == ' ')
			value = (struct slice){value.ptr + 1, value.len - 1};
		handover_copy(slot->exchange.id_header, sizeof(slot->exchange.id_header), value);
	}
	return len;
}

static int on_progress(void *ctx, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total, curl_off_t ul_now)
{
	(void)dl_total, (void)dl_now, (void)ul_total, (void)ul_now;
	struct slot *slot = ctx;
	struct stopper *stop = slot->http->stop;
	if (!stop || !(stopper_overdue(stop) || (stopper_asked(stop) && !slot->exchange.begun)))
		return 0;
	slot->exchange.aborted = EXCHANGE_ABORTED_STOP;
	return 1;
}

static bool set_endpoint(CURL *easy, const struct courier_conf *conf)
{
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_setup_tls(easy, conf->text_ca_file) &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, conf->text_proxy ? conf->text_proxy : "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)conf->connect_timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)conf->text_answer_timeout_ms) == CURLE_OK;
}

static bool set_auth(CURL *easy, const struct courier_conf *conf, const struct provider *provider)
{
	const char *password = conf->text_password ? conf->text_password : "";
	switch (provider_auth(provider, conf->text_user, conf->text_password)) {
	case PROVIDER_AUTH_BASIC:
		return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_USERNAME, conf->text_user ? conf->text_user : "") == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_PASSWORD, password) == CURLE_OK;
	case PROVIDER_AUTH_BEARER:
		return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, password) == CURLE_OK;
	default: return true;
	}
}

static bool set_callbacks(struct slot *slot)
{
	CURL *easy = slot->easy;
	return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_READDATA, slot) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_XFERINFODATA, slot) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, slot) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S) == CURLE_OK;
}

static bool open_slots(struct http *http)
{
	for (size_t i = 0; i < http->slot_count; i++) {
		struct slot *slot = &http->slots[i];
		slot->http = http;
		slot->exchange.body = STRBUF_INIT(ANSWER_BYTES_MAX);
		slot->easy = curl_setup_easy();
		if (!slot->easy || !set_endpoint(slot->easy, http->conf) || !set_auth(slot->easy, http->conf, http->provider) ||
		    !set_callbacks(slot))
			return false;
	}
	return true;
}

enum reason http_open(const struct courier_conf *conf, const struct provider *provider, struct stopper *stop,
		      struct http **ret_http, struct fault *f)
{
	struct http *http = calloc(1, sizeof(*http));
	struct slot *slots = calloc((size_t)conf->text_connections, sizeof(*slots));
	if (!http || !slots) {
		free(http);
		free(slots);
		return fault_set(f, REASON_NO_MEMORY, "no memory for %d connections", (int)conf->text_connections);
	}
	*http = (struct http){
		.conf = conf, .provider = provider, .stop = stop, .slots = slots, .slot_count = (size_t)conf->text_connections};
	bool good = open_slots(http); // starts the library
	http->multi = good ? curl_multi_init() : NULL;
	if (!http->multi || curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)http->slot_count) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)http->slot_count) != CURLM_OK) {
		http_close(http);
		return fault_set(f, REASON_SETTING_INVALID, "courier.text_*: libcurl does not take these settings");
	}
	*ret_http = http;
	return REASON_OK;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	for (size_t i = 0; i < http->slot_count; i++) {
		struct slot *slot = &http->slots[i];
		if (slot->job)
			(void)curl_multi_remove_handle(http->multi, slot->easy);
		curl_easy_cleanup(slot->easy);
		curl_slist_free_all(slot->headers);
		strbuf_free(&slot->exchange.body);
	}
	if (http->multi)
		(void)curl_multi_cleanup(http->multi);
	free(http->slots);
	free(http);
}

size_t http_room(const struct http *http)
{
	return http->slot_count - http->running;
}

size_t http_running(const struct http *http)
{
	return http->running;
}

static struct curl_slist *headers_of(const struct provider_request *request)
{
	// No "Expect: 100-continue": it would cost a round trip, and servers that do not know it a second.
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	for (size_t i = 0; list && i < request->header_count; i++) {
		struct curl_slist *longer = curl_slist_append(list, request->headers[i].data);
		if (!longer)
			curl_slist_free_all(list);
		list = longer;
	}
	return list;
}

void http_start(struct http *http, struct http_job *job)
{
	struct slot *slot = http->slots;
	while (slot->job)
		slot++;
	struct strbuf body = slot->exchange.body;
	strbuf_reset(&body);
	slot->exchange = (struct exchange){.body = body, .error = ""};
	slot->job = job;
	slot->left = strbuf_slice(&job->request.body);
	slot->start_ns = clock_mono_ns();
	slot->error[0] = '\0';
	slot->headers = headers_of(&job->request);
	CURL *easy = slot->easy;
	bool post = strcmp(job->request.method, "POST") == 0;
	if (!slot->headers || curl_easy_setopt(easy, CURLOPT_URL, job->request.url.data) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_POST, 1L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, post ? NULL : job->request.method) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)slot->left.len) != CURLE_OK ||
	    curl_multi_add_handle(http->multi, easy) != CURLM_OK)
		PANIC("http: no memory to start an exchange");
	http->running++;
}

void http_run(struct http *http, int timeout_ms)
{
	int running = 0;
	(void)curl_multi_perform(http->multi, &running);
	if ((size_t)running < http->running) // something is done already
		return;
	(void)curl_multi_poll(http->multi, NULL, 0, timeout_ms, NULL);
	(void)curl_multi_perform(http->multi, &running);
}

void http_wake(struct http *http)
{
	(void)curl_multi_wakeup(http->multi);
}

static void read_answer(struct slot *slot)
{
	long status = 0;
	curl_off_t retry_after_s = 0;
	if (curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status < 1000)
		slot->exchange.status = (int)status;
	// Seconds, also where the header holds a date (RFC 9110 section 10.2.3).
	if (curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER, &retry_after_s) == CURLE_OK && retry_after_s > 0 &&
	    retry_after_s < 86400)
		slot->exchange.retry_after_ms = retry_after_s * 1000;
}

struct http_job *http_done(struct http *http)
{
	int left;
	CURLMsg *message = curl_multi_info_read(http->multi, &left);
	if (!message || message->msg != CURLMSG_DONE)
		return NULL;
	CURLcode code = message->data.result;
	struct slot *slot = NULL;
	if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot) != CURLE_OK || !slot || !slot->job)
		PANIC("http: an exchange without a slot");
	read_answer(slot);
	if (code != CURLE_OK)
		slot->exchange.error = curl_setup_error(code, slot->error);
	(void)curl_multi_remove_handle(http->multi, slot->easy);
	struct http_job *job = slot->job;
	provider_judge(http->provider, &slot->exchange, &job->handover);
	job->took_ns = clock_mono_ns() - slot->start_ns;
	strbuf_reset(&slot->exchange.body); // some providers echo the text
	curl_slist_free_all(slot->headers);
	slot->headers = NULL;
	slot->left = SLICE_ABSENT;
	slot->job = NULL;
	http->running--;
	return job;
}

enum reason http_probe(const struct courier_conf *conf, struct fault *f)
{
	char error[CURL_ERROR_SIZE] = "";
	CURL *easy = curl_setup_easy();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	if (easy && set_endpoint(easy, conf) && curl_easy_setopt(easy, CURLOPT_URL, conf->text_url) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK)
		code = curl_easy_perform(easy);
	enum reason reason = REASON_OK;
	if (code != CURLE_OK)
		reason = fault_set(f, REASON_DELIVERY_UNREACHABLE, "%s", curl_setup_error(code, error));
	curl_easy_cleanup(easy);
	return reason;
}
