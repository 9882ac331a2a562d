// SPDX-License-Identifier: Apache-2.0
// The courier's moves on table message.
#include "courier/desk.h"

#include "courier/schedule.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"

#define NS_PER_MS 1000000
#define METER_NS (INT64_C(10) * 1000 * NS_PER_MS)
#define ANSWER_MARGIN_MS 30000
#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 5000 // an outage that is over is noticed soon; a probe costs little

enum reason desk_open(struct parts *parts, enum channel channel, bool meters, const char *name, struct desk *desk, struct fault *f)
{
	*desk = (struct desk){.parts = parts,
			      .channel = channel,
			      .backoff = BACKOFF_INIT(BACKOFF_MIN_MS, BACKOFF_MAX_MS),
			      .metered_ns = meters ? 1 : 0};
	return store_open(parts->store, name, &desk->store, f);
}

void desk_close(struct desk *desk)
{
	store_close(desk->store);
	desk->store = NULL;
}

static void tell_listener(const struct desk *desk)
{
	const struct courier_listener *listener = &desk->parts->listener;
	if (listener->settled)
		listener->settled(listener->ctx);
}

static void count_state(const struct desk *desk, const char *state, uint64_t n)
{
	metric_add(METRIC_messages, METRIC_LABELS(channel_name(desk->channel), state), n);
}

void desk_meter(struct desk *desk)
{
	int64_t now = clock_mono_ns(), waiting;
	if (desk->metered_ns == 0 || (desk->metered_ns > 1 && now - desk->metered_ns < METER_NS))
		return;
	desk->metered_ns = now;
	if (store_message_waiting(desk->store, channel_name(desk->channel), &waiting, NULL) == REASON_OK)
		metric_set(METRIC_messages_waiting, METRIC_LABELS(channel_name(desk->channel)), (double)waiting);
}

bool desk_empty(struct desk *desk)
{
	int64_t waiting;
	return store_message_waiting(desk->store, channel_name(desk->channel), &waiting, NULL) == REASON_OK && waiting == 0;
}

// How long a message found transmitting waits before it is sent once more; 0: it is not.
static int64_t resend_ms(const struct desk *desk)
{
	const struct courier_conf *conf = desk->parts->conf;
	if (desk->channel == CHANNEL_MAIL)
		return conf->resend_unknown_mail ? SCHEDULE_RESEND_MAX_MS : 0;
	return provider_idempotent(desk->parts->provider) ? conf->retry_min_ms : 0;
}

// How long a hand-over may take at most once the gate is open, with some time for the database.
static int64_t answer_ms(const struct desk *desk)
{
	const struct courier_conf *conf = desk->parts->conf;
	int64_t limit = desk->channel == CHANNEL_MAIL ? conf->smtp_command_timeout_ms + conf->answer_timeout_ms
						      : conf->text_answer_timeout_ms;
	return limit + ANSWER_MARGIN_MS;
}

enum reason desk_claim(struct desk *desk, size_t max, struct arena *arena, struct message_lease *leases, size_t *ret_count,
		       struct fault *f)
{
	size_t count = 0;
	struct message_overdue overdue = {0};
	enum reason reason = store_message_claim(desk->store, channel_name(desk->channel), desk->parts->conf->lease_ms,
						 resend_ms(desk), max < DESK_BATCH_MAX ? max : DESK_BATCH_MAX, arena, leases,
						 &count, &overdue, f);
	if (reason != REASON_OK)
		return reason;
	if (overdue.unknown > 0) { // their thread or process died in between
		count_state(desk, "unknown", overdue.unknown);
		LOG(message_unknown, log_text("channel", channel_name(desk->channel)),
		    log_int("messages", (int64_t)overdue.unknown));
	}
	if (overdue.expired > 0)
		count_state(desk, "expired", overdue.expired);
	if (overdue.unknown > 0 || overdue.expired > 0)
		tell_listener(desk);
	if (count > 0)
		(void)FAILPOINT(courier_claimed);
	*ret_count = count;
	return REASON_OK;
}

struct ticket desk_ticket(struct desk *desk, const struct message_lease *lease)
{
	return (struct ticket){
		.desk = desk,
		.message_id = lease->message_id,
		.claim = lease->claim,
		.attempts = lease->attempts,
		.unknowns = lease->unknowns,
		.end_ns = clock_mono_ns() + lease->expires_in_ms * NS_PER_MS,
	};
}

bool desk_gate(void *ctx)
{
	struct ticket *t = ctx;
	bool ours = false;
	t->transmitting = true; // also if the answer to COMMIT is lost
	if (store_message_transmitting(t->desk->store, &t->message_id, t->claim, answer_ms(t->desk), &ours, &t->fault) != REASON_OK)
		return false;
	t->lost = !ours;
	t->transmitting = ours;
	if (ours)
		(void)FAILPOINT(courier_transmitting);
	return ours;
}

static void log_settled(const struct ticket *t, const char *state, const struct handover *h, int64_t took_ns)
{
	char id[UUID_TEXT_SIZE];
	uuid_format(&t->message_id, id);
	LOG(message_settled, log_text("message_id", id), log_text("channel", channel_name(t->desk->channel)),
	    log_text("state", state), log_text("code", h->code), log_int("attempt", t->attempts + 1),
	    log_int("ms", took_ns / NS_PER_MS));
	if (h->kind == HANDOVER_UNKNOWN)
		LOG_FAULT(message_unknown, &h->fault, log_text("message_id", id),
			  log_text("channel", channel_name(t->desk->channel)));
}

static struct message_settlement settlement_for(const struct ticket *t, const struct handover *h)
{
	const struct courier_conf *conf = t->desk->parts->conf;
	int64_t left_ms = (t->end_ns - clock_mono_ns()) / NS_PER_MS;
	struct message_settlement s = {.code = h->code, .remote_id = h->remote_id};
	switch (h->kind) {
	case HANDOVER_ACCEPTED: s.state = MESSAGE_ACCEPTED; break;
	case HANDOVER_REFUSED: s.state = MESSAGE_REFUSED; break;
	case HANDOVER_UNKNOWN:
		s.state = MESSAGE_UNKNOWN;
		s.again_in_ms = t->desk->channel == CHANNEL_MAIL ? schedule_resend_ms(conf, t->unknowns, left_ms) : 0;
		break;
	default:
		s.state = MESSAGE_DEFERRED;
		s.again_in_ms = schedule_retry_ms(conf, t->attempts, h->retry_after_ms, left_ms);
		break;
	}
	return s;
}

enum reason desk_settle(struct ticket *t, const struct handover *h, int64_t took_ns, struct fault *f)
{
	if (!t->transmitting && !t->lost && !desk_gate(t) && !t->lost) {
		*f = t->fault;
		return f->reason;
	}
	if (t->lost)
		return REASON_OK;
	(void)FAILPOINT(courier_sent);
	struct message_settlement s = settlement_for(t, h);
	enum reason reason = store_message_settle(t->desk->store, &t->message_id, t->claim, &s, f);
	if (reason != REASON_OK)
		return reason;
	(void)FAILPOINT(courier_settled);
	if (s.state != MESSAGE_DEFERRED)
		tell_listener(t->desk);
	const char *state = message_state_name(s.state);
	count_state(t->desk, state, 1);
	metric_observe(METRIC_message_seconds, METRIC_LABELS(channel_name(t->desk->channel)), (double)took_ns / 1e9);
	log_settled(t, state, h, took_ns);
	return REASON_OK;
}

enum reason desk_give_back(struct ticket *t, int64_t again_ms, struct fault *f)
{
	if (t->lost)
		return REASON_OK;
	const struct message_settlement s = {
		.state = MESSAGE_DEFERRED, .again_in_ms = again_ms > 0 ? again_ms : 1, .code = "", .remote_id = ""};
	return store_message_settle(t->desk->store, &t->message_id, t->claim, &s, f);
}

enum reason desk_set_aside(struct ticket *t, const struct fault *why, struct fault *f)
{
	bool superseded = why->reason == REASON_CODE_SUPERSEDED, refused = reason_verdict(why->reason) == VERDICT_REFUSE;
	struct handover h = {.kind = refused ? HANDOVER_REFUSED : HANDOVER_DEFERRED};
	handover_copy(h.code, sizeof(h.code), slice_of(reason_code(why->reason)));
	struct message_settlement s = settlement_for(t, &h);
	if (superseded)
		s.state = MESSAGE_EXPIRED;
	enum reason reason = store_message_settle(t->desk->store, &t->message_id, t->claim, &s, f);
	if (reason != REASON_OK)
		return reason;
	count_state(t->desk, message_state_name(s.state), 1);
	if (s.state != MESSAGE_DEFERRED)
		tell_listener(t->desk);
	if (superseded)
		return REASON_OK;
	char id[UUID_TEXT_SIZE];
	uuid_format(&t->message_id, id);
	LOG_FAULT(message_unwritten, why, log_text("message_id", id), log_text("channel", channel_name(t->desk->channel)),
		  log_text("state", message_state_name(s.state)));
	return REASON_OK;
}
