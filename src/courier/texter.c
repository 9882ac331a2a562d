// SPDX-License-Identifier: Apache-2.0
// The text thread. The queue in front of libcurl is the table itself: no more rows are taken than connections are free.
//
// After a failure it is careful: it waits (back-off, or as long as the provider asked), proves that a connection can be made and has one text at
// a time in hand until one is answered. So an outage costs no attempt, and a provider that swallows texts without an answer gets one at a time.
#include "courier/texter.h"

#include <stdio.h>
#include <stdlib.h>

#include "courier/desk.h"
#include "courier/draft.h"
#include "courier/http.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/thread.h"

#define NS_PER_MS 1000000
#define GIVE_BACK_MS 1000
#define RUN_MAX_MS 500 // between two looks at the stop
#define PAUSE_MAX_MS (5 * 60000)
#define ARENA_BLOCK ((size_t)16 << 10)

// A text in hand. Once ended its outcome stays here until the database has it.
struct text {
	struct http_job job; // first member
	struct ticket ticket;
	enum { TEXT_FREE, TEXT_RUNNING, TEXT_ENDED } state;
};

struct texter {
	struct parts *parts;
	struct desk desk;
	struct http *http;
	struct arena *arena; // of one claim
	struct draft draft;
	struct text *texts;
	size_t count;
	size_t unsettled; // ended and not written down
	bool careful;
	bool unwanted;       // the provider answered that it does not want messages from us: a connection proves nothing
	bool more;           // the last claim was full
	uint64_t generation; // that the last claim saw
	int64_t claimed_ns;
	int64_t not_before_ns; // of the next claim, and of the next try to write down
	pthread_t thread;
};

static void fail(struct texter *t, const struct fault *f, int64_t least_ms)
{
	int64_t wait = backoff_next_ms(&t->desk.backoff);
	wait = least_ms > wait ? least_ms : wait;
	int64_t until_ns = clock_mono_ns() + (wait < PAUSE_MAX_MS ? wait : PAUSE_MAX_MS) * NS_PER_MS;
	if (until_ns > t->not_before_ns) // a second failure does not cut short what the first one asked for
		t->not_before_ns = until_ns;
	if (!stopper_asked(&t->parts->stop))
		parts_failed(t->parts, CHANNEL_TEXT, &t->careful, f);
}

static void recover(struct texter *t)
{
	t->unwanted = false;
	t->not_before_ns = 0;
	backoff_reset(&t->desk.backoff);
	parts_worked(t->parts, CHANNEL_TEXT, &t->careful);
}

static enum reason write_down(struct text *text, struct fault *f)
{
	const struct handover *h = &text->job.handover;
	if (h->kind == HANDOVER_AWAY || h->kind == HANDOVER_HELD)
		return desk_give_back(&text->ticket, GIVE_BACK_MS, f);
	return desk_settle(&text->ticket, h, text->job.took_ns, f);
}

// Writes down what has ended, until the database fails.
static void settle(struct texter *t)
{
	for (size_t i = 0; i < t->count && t->unsettled > 0; i++) {
		struct text *text = &t->texts[i];
		struct fault f;
		if (text->state != TEXT_ENDED)
			continue;
		if (write_down(text, &f) != REASON_OK) {
			fail(t, &f, 0);
			return;
		}
		text->state = TEXT_FREE;
		t->unsettled--;
		if (t->careful && text->job.handover.answered && !text->job.handover.busy)
			recover(t);
	}
}

static void judge_provider(struct texter *t, const struct text *text)
{
	const struct handover *h = &text->job.handover;
	if (text->ticket.lost)
		return;
	if (h->kind == HANDOVER_HELD) {
		if (text->ticket.fault.reason != REASON_OK)
			fail(t, &text->ticket.fault, 0);
	} else if (!h->answered || h->busy) {
		t->unwanted = h->refused_us;
		fail(t, &h->fault, h->retry_after_ms);
	}
}

static void collect(struct texter *t)
{
	for (struct http_job *job; (job = http_done(t->http));) {
		struct text *text = (struct text *)job;
		provider_request_free(&job->request);
		text->state = TEXT_ENDED;
		t->unsettled++;
		judge_provider(t, text);
	}
}

static enum reason write_request(struct texter *t, const struct message_lease *lease, struct provider_request *request,
				 struct fault *f)
{
	const struct courier_conf *conf = t->parts->conf;
	enum reason reason = draft_write(t->parts, lease, t->arena, &t->draft, f);
	if (reason != REASON_OK)
		return reason;
	char id[UUID_TEXT_SIZE];
	const struct provider_values values = {
		.url = slice_of(conf->text_url),
		.to = t->draft.payload.recipient,
		.from = slice_of(conf->text_from),
		.text = strbuf_slice(&t->draft.words.text),
		.message_id = slice_of(uuid_format(&lease->message_id, id)),
		.realm = lease->realm,
		.purpose = lease->purpose,
		.language = t->draft.words.language,
		.brand = slice_of(conf->brand),
		.user = slice_of(conf->text_user),
		.password = slice_of(conf->text_password),
	};
	return provider_write(t->parts->provider, &values, request, f);
}

static void start(struct texter *t, const struct message_lease *lease)
{
	struct text *text = t->texts;
	while (text->state != TEXT_FREE)
		text++;
	text->ticket = desk_ticket(&t->desk, lease);
	text->job = (struct http_job){.gate = {desk_gate, &text->ticket}};
	struct fault f = {0}, again;
	if (write_request(t, lease, &text->job.request, &f) == REASON_OK) {
		text->state = TEXT_RUNNING;
		http_start(t->http, &text->job);
	} else if (desk_set_aside(&text->ticket, &f, &again) != REASON_OK) { // its lease ends by itself
		fail(t, &again, 0);
	}
	draft_free(&t->draft);
}

static bool may_claim(const struct texter *t)
{
	int64_t now = clock_mono_ns();
	if (stopper_asked(&t->parts->stop) || t->unsettled > 0 || now < t->not_before_ns)
		return false;
	if (t->careful)
		return http_running(t->http) == 0;
	bool due = t->more || parts_generation(t->parts) != t->generation ||
		   now - t->claimed_ns >= t->parts->conf->poll_ms * NS_PER_MS;
	// Not for each place that falls free: a claim costs a round trip.
	return due && http_room(t->http) >= (t->count + 1) / 2;
}

static void claim(struct texter *t)
{
	struct message_lease leases[DESK_BATCH_MAX];
	size_t count = 0, room = http_room(t->http), max = t->careful ? 1 : room < DESK_BATCH_MAX ? room : DESK_BATCH_MAX;
	struct fault f;
	t->generation = parts_generation(t->parts);
	t->claimed_ns = clock_mono_ns();
	desk_meter(&t->desk);
	if (t->careful && http_probe(t->parts->conf, &f) != REASON_OK) {
		fail(t, &f, 0);
		return;
	}
	if (desk_claim(&t->desk, max, t->arena, leases, &count, &f) != REASON_OK) {
		t->more = false;
		fail(t, &f, 0);
		return;
	}
	t->more = count == max;
	// If what the provider did not want is gone, there is nothing to see whether it still does.
	if (count == 0 && t->careful && (!t->unwanted || desk_empty(&t->desk)))
		recover(t);
	for (size_t i = 0; i < count; i++)
		start(t, &leases[i]);
	arena_reset(t->arena);
	secret_wipe_traces();
}

static int wait_ms(const struct texter *t)
{
	if (t->more && may_claim(t))
		return 0;
	int64_t now = clock_mono_ns(), poll = t->parts->conf->poll_ms;
	int64_t wait = now < t->not_before_ns ? (t->not_before_ns - now) / NS_PER_MS + 1 : poll;
	return (int)(wait < RUN_MAX_MS ? wait : RUN_MAX_MS);
}

static void run(void *ctx)
{
	struct texter *t = ctx;
	struct stopper *stop = &t->parts->stop;
	for (;;) {
		bool stopping = stopper_asked(stop);
		if (stopping && http_running(t->http) == 0 && (t->unsettled == 0 || stopper_overdue(stop)))
			return;
		if (t->unsettled > 0 && (stopping || clock_mono_ns() >= t->not_before_ns))
			settle(t);
		if (may_claim(t))
			claim(t);
		http_run(t->http, wait_ms(t));
		collect(t);
		secret_wipe_traces();
		settle(t);
	}
}

static void discard(struct texter *t)
{
	http_close(t->http);
	desk_close(&t->desk);
	draft_free(&t->draft);
	arena_destroy(t->arena);
	free(t->texts);
	free(t);
}

enum reason texter_start(struct parts *parts, struct texter **texter, struct fault *f)
{
	struct texter *t = calloc(1, sizeof(*t));
	struct text *texts = calloc((size_t)parts->conf->text_connections, sizeof(*texts));
	if (!t || !texts) {
		free(t);
		free(texts);
		return fault_set(f, REASON_NO_MEMORY, "no memory for the text thread");
	}
	t->parts = parts;
	t->texts = texts;
	t->count = (size_t)parts->conf->text_connections;
	t->arena = arena_create(ARENA_BLOCK);
	char name[128];
	(void)snprintf(name, sizeof(name), "enrolld/%s/courier/texts", parts->instance);
	enum reason reason = http_open(parts->conf, parts->provider, &parts->stop, &t->http, f);
	if (reason == REASON_OK)
		reason = desk_open(parts, CHANNEL_TEXT, true, name, &t->desk, f);
	if (reason == REASON_OK)
		reason = thread_start("texts", run, t, &t->thread, f);
	if (reason != REASON_OK) {
		discard(t);
		return reason;
	}
	*texter = t;
	return REASON_OK;
}

void texter_wake(struct texter *t)
{
	http_wake(t->http);
}

void texter_join(struct texter *t)
{
	thread_join(t->thread);
	discard(t);
}
