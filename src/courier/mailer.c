// SPDX-License-Identifier: Apache-2.0
// The mail thread: claim a few, write each, hand it over, write down what became of it.
//
// After a failure it is careful: it waits (back-off), proves the link with NOOP and takes one mail. So an outage costs no attempt, and a server that
// swallows mails without an answer gets one at a time.
#include "courier/mailer.h"

#include <stdio.h>
#include <stdlib.h>

#include "courier/desk.h"
#include "courier/draft.h"
#include "courier/mime.h"
#include "courier/smtp.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/thread.h"

#define BATCH 4 // rows that one claim takes: as many wait for their lease to end if the process dies
#define GIVE_BACK_MS 1000
#define LAST_TRY_MS 100
#define ARENA_BLOCK ((size_t)16 << 10)

struct mailer {
	struct parts *parts;
	struct desk desk;
	struct smtp *smtp;
	struct arena *arena; // of one batch
	struct draft draft;
	struct strbuf mail;
	bool careful;
	bool unwanted; // the server refused the sender: NOOP proves nothing
	pthread_t thread;
};

enum round { ROUND_WORKED, ROUND_IDLE, ROUND_FAILED };

// Tries again until the database takes it: the answer is known here only. false if the time of a stop is over before.
static bool persist(struct mailer *m, enum reason (*write)(struct ticket *t, void *ctx, struct fault *f), struct ticket *t,
		    void *ctx)
{
	struct fault f;
	while (write(t, ctx, &f) != REASON_OK) {
		parts_failed(m->parts, CHANNEL_MAIL, &m->careful, &f);
		if (stopper_overdue(&m->parts->stop))
			return false;
		if (stopper_asked(&m->parts->stop))
			clock_sleep_ms(LAST_TRY_MS);
		else
			parts_sleep(m->parts, backoff_next_ms(&m->desk.backoff));
	}
	return true;
}

struct settling {
	struct handover handover;
	int64_t took_ns;
};

static enum reason write_settled(struct ticket *t, void *ctx, struct fault *f)
{
	const struct settling *s = ctx;
	return desk_settle(t, &s->handover, s->took_ns, f);
}

static enum reason write_back(struct ticket *t, void *ctx, struct fault *f)
{
	(void)ctx;
	return desk_give_back(t, GIVE_BACK_MS, f);
}

static enum reason write_aside(struct ticket *t, void *ctx, struct fault *f)
{
	return desk_set_aside(t, ctx, f);
}

static struct slice domain_of(const char *address)
{
	const char *at = strchr(address, '@');
	return slice_of(at ? at + 1 : "localhost");
}

static enum reason write_mail(struct mailer *m, const struct message_lease *lease, struct fault *f)
{
	const struct courier_conf *conf = m->parts->conf;
	enum reason reason = draft_write(m->parts, lease, m->arena, &m->draft, f);
	if (reason != REASON_OK)
		return reason;
	char id[UUID_TEXT_SIZE];
	const struct wording_text *words = &m->draft.words;
	const struct mail mail = {
		.from_address = slice_of(conf->mail_from),
		.from_name = slice_of(conf->mail_from_name && conf->mail_from_name[0] ? conf->mail_from_name : conf->brand),
		.to_address = m->draft.payload.recipient,
		.subject = words->subject.len > 0 ? strbuf_slice(&words->subject) : slice_of(conf->brand),
		.id = slice_of(uuid_format(&lease->message_id, id)),
		.id_domain = conf->message_id_domain ? slice_of(conf->message_id_domain) : domain_of(conf->mail_from),
		.language = words->language,
		.date_ms = clock_wall_ms(),
		.text = strbuf_slice(&words->text),
		.html = words->html.len > 0 ? strbuf_slice(&words->html) : SLICE_ABSENT,
	};
	strbuf_reset(&m->mail);
	return mime_write(&mail, &m->mail, f);
}

static enum round finish(struct mailer *m, struct ticket *t, struct settling *s, struct fault *f)
{
	struct handover *h = &s->handover;
	if (t->lost)
		return ROUND_WORKED;
	if (h->kind == HANDOVER_AWAY || h->kind == HANDOVER_HELD) {
		// Kept shut by the database: the row may say transmitting, so this one has to be written.
		bool database = h->kind == HANDOVER_HELD && t->fault.reason != REASON_OK;
		*f = database ? t->fault : h->fault;
		m->unwanted = h->refused_us;
		(void)persist(m, write_back, t, NULL);
		return ROUND_FAILED;
	}
	(void)persist(m, write_settled, t, s);
	if (!h->answered)
		*f = h->fault;
	else
		m->unwanted = false;
	return h->answered ? ROUND_WORKED : ROUND_FAILED;
}

static enum round hand_over(struct mailer *m, const struct message_lease *lease, struct fault *f)
{
	struct ticket ticket = desk_ticket(&m->desk, lease);
	if (write_mail(m, lease, f) != REASON_OK) {
		(void)persist(m, write_aside, &ticket, f);
		return ROUND_WORKED;
	}
	char to[300];
	struct slice recipient = m->draft.payload.recipient;
	(void)snprintf(to, sizeof(to), "%.*s", (int)recipient.len, recipient.ptr);
	struct settling s;
	const struct gate gate = {desk_gate, &ticket};
	int64_t start = clock_mono_ns();
	smtp_send(m->smtp, m->parts->conf->mail_from, to, strbuf_slice(&m->mail), &gate, &s.handover);
	s.took_ns = clock_mono_ns() - start;
	strbuf_reset(&m->mail);
	draft_free(&m->draft);
	secret_wipe_traces();
	return finish(m, &ticket, &s, f);
}

static enum round work(struct mailer *m, struct fault *f)
{
	struct message_lease leases[BATCH];
	size_t count = 0;
	desk_meter(&m->desk);
	if (m->careful && smtp_probe(m->smtp, f) != REASON_OK)
		return ROUND_FAILED;
	if (desk_claim(&m->desk, m->careful ? 1 : BATCH, m->arena, leases, &count, f) != REASON_OK)
		return ROUND_FAILED;
	enum round round = count > 0 ? ROUND_WORKED : ROUND_IDLE;
	for (size_t i = 0; i < count; i++) {
		if (round != ROUND_FAILED && !stopper_asked(&m->parts->stop)) {
			round = hand_over(m, &leases[i], f);
			continue;
		}
		struct ticket ticket = desk_ticket(&m->desk, &leases[i]);
		struct fault ignored;
		if (desk_give_back(&ticket, GIVE_BACK_MS, &ignored) != REASON_OK)
			break; // their leases end by themselves
	}
	arena_reset(m->arena);
	return round;
}

static void run(void *ctx)
{
	struct mailer *m = ctx;
	struct parts *parts = m->parts;
	while (!stopper_asked(&parts->stop)) {
		uint64_t generation = parts_generation(parts);
		struct fault f = {0};
		enum round round = work(m, &f);
		if (round == ROUND_FAILED) {
			if (stopper_asked(&parts->stop))
				break;
			parts_failed(parts, CHANNEL_MAIL, &m->careful, &f);
			parts_sleep(parts, backoff_next_ms(&m->desk.backoff));
			continue;
		}
		// What the server did not want is gone, so that there is nothing to see whether it still does.
		if (m->careful && m->unwanted && round == ROUND_IDLE && desk_empty(&m->desk))
			m->unwanted = false;
		if (m->careful && !m->unwanted) {
			backoff_reset(&m->desk.backoff);
			parts_worked(parts, CHANNEL_MAIL, &m->careful);
		}
		if (round == ROUND_IDLE)
			parts_wait(parts, generation, parts->conf->poll_ms);
	}
}

static void discard(struct mailer *m)
{
	desk_close(&m->desk);
	smtp_close(m->smtp);
	draft_free(&m->draft);
	strbuf_free(&m->mail);
	arena_destroy(m->arena);
	free(m);
}

enum reason mailer_start(struct parts *parts, size_t number, struct mailer **mailer, struct fault *f)
{
	struct mailer *m = calloc(1, sizeof(*m));
	if (!m)
		return fault_set(f, REASON_NO_MEMORY, "no memory for a mail thread");
	m->parts = parts;
	m->mail = STRBUF_INIT(MAIL_BYTES_MAX);
	m->arena = arena_create(ARENA_BLOCK);
	char name[128], thread[16];
	(void)snprintf(name, sizeof(name), "enrolld/%s/courier/mail-%zu", parts->instance, number);
	(void)snprintf(thread, sizeof(thread), "mail-%zu", number);
	enum reason reason = smtp_open(parts->conf, &parts->stop, &m->smtp, f);
	if (reason == REASON_OK)
		reason = desk_open(parts, CHANNEL_MAIL, number == 0, name, &m->desk, f);
	if (reason == REASON_OK)
		reason = thread_start(thread, run, m, &m->thread, f);
	if (reason != REASON_OK) {
		discard(m);
		return reason;
	}
	*mailer = m;
	return REASON_OK;
}

void mailer_join(struct mailer *m)
{
	thread_join(m->thread);
	discard(m);
}
