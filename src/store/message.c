// SPDX-License-Identifier: Apache-2.0
// Table message: the moves of the courier. Each is one conditional UPDATE, so that of two who try only one succeeds; the condition
// names the states it may come from, so that nothing else is a move.
#include "enrolld/store/message.h"

#include "enrolld/base/fault.h"
#include "store/handle.h"
#include "store/notice.h"
#include "store/result.h"

#define SETTLE_MAX 200 // overdue rows that one claim settles, so that a backlog does not outlast the statement timeout

static const char *const state_names[] = {
	[MESSAGE_ACCEPTED] = "accepted", [MESSAGE_DEFERRED] = "deferred", [MESSAGE_REFUSED] = "refused",
	[MESSAGE_UNKNOWN] = "unknown",   [MESSAGE_EXPIRED] = "expired",
};

// clang-format off
// What the world is told of a final state. "done" is the name of the rows that just reached one.
#define NOTICE NOTICE_INSERT \
	"SELECT d.realm, 'message.' || d.state, d.message_id::text, coalesce(c.account_id, d.message_id)::text, " \
		"json_strip_nulls(json_build_object('message_id', d.message_id, 'account_id', c.account_id, 'challenge_id', d.challenge_id, " \
			"'realm', d.realm, 'channel', d.channel, 'state', d.state, 'code', d.code, 'attempts', d.attempts, " \
			"'at', " NOTICE_MOMENT("now()") "))::text " \
	"FROM done AS d LEFT JOIN enrolld.challenge AS c ON c.challenge_id = d.challenge_id"

// What is told once a day has one id that day.
static const struct statement insert = {"message_insert",
	"INSERT INTO enrolld.message (message_id, realm, challenge_id, channel, template, sealed, expires_at) "
	"SELECT k.message_id, k.realm, k.challenge_id, k.channel, k.template, k.sealed, now() + k.life * interval '1 millisecond' "
	"FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::int8[]) "
		"AS k(message_id, realm, challenge_id, channel, template, sealed, life) "
	"ORDER BY k.message_id ON CONFLICT (message_id) DO NOTHING"};

// Past the life of what they carry, or found transmitting when the lease is over: nobody knows then whether the last byte was sent.
#define ONCE_MORE "o.state = 'transmitting' AND m.unknowns = 0 AND $3::int8 > 0 AND m.expires_at > now()"
static const struct statement settle_overdue = {"message_settle_overdue",
	"WITH overdue AS (SELECT message_id, state FROM enrolld.message WHERE channel = $1 AND due_at <= now() "
			"AND (state = 'transmitting' OR expires_at <= now()) "
			"ORDER BY due_at, message_id LIMIT $2::int4 FOR UPDATE SKIP LOCKED), "
		"moved AS (UPDATE enrolld.message AS m "
			"SET state = CASE WHEN o.state = 'transmitting' OR m.unknowns > 0 THEN 'unknown' ELSE 'expired' END, "
			"unknowns = m.unknowns + (o.state = 'transmitting')::int4, "
			"due_at = CASE WHEN " ONCE_MORE " THEN now() + least((m.expires_at - now()) / 2, $3::int8 * interval '1 millisecond') END, "
			"sealed = CASE WHEN " ONCE_MORE " THEN m.sealed END, settled_at = CASE WHEN " ONCE_MORE " THEN NULL ELSE now() END "
			"FROM overdue AS o WHERE m.message_id = o.message_id "
			"RETURNING m.message_id, m.realm, m.channel, m.state, m.code, m.attempts, m.challenge_id, m.due_at, o.state AS was), "
		"done AS (SELECT * FROM moved WHERE due_at IS NULL), "
		"told AS (" NOTICE ") "
	"SELECT count(*) FILTER (WHERE was = 'transmitting'), count(*) FILTER (WHERE state = 'expired') FROM moved"};

// Of a challenge c: its address has a newer one for the same purpose, so that nobody can use its code any more.
#define SUPERSEDED "EXISTS (SELECT 1 FROM enrolld.challenge AS n WHERE n.realm = c.realm AND n.claim_kind = c.claim_kind " \
	"AND n.claim_value = c.claim_value AND n.purpose = c.purpose AND n.created_at > c.created_at AND NOT n.decoy)"

// Whose the row is, as somebody who was stopped and wakes may act for a claim that another has followed.
#define CLAIM "(extract(epoch FROM m.claimed_at) * 1000000)::int8"
static const struct statement claim_due = {"message_claim",
	"WITH due AS (SELECT message_id FROM enrolld.message WHERE channel = $1 AND due_at <= now() AND expires_at > now() "
			"AND state <> 'transmitting' ORDER BY due_at, message_id LIMIT $2::int4 FOR UPDATE SKIP LOCKED), "
		"taken AS (UPDATE enrolld.message AS m SET state = 'claimed', claimed_at = now(), "
			"due_at = now() + $3::int8 * interval '1 millisecond' "
			"FROM due AS d WHERE m.message_id = d.message_id "
			"RETURNING m.message_id, m.realm, m.template, m.sealed, m.challenge_id, m.attempts, m.unknowns, m.created_at, "
				"m.expires_at, " CLAIM " AS claim) "
	"SELECT t.message_id, t.realm, t.template, t.sealed, coalesce(c.purpose, ''), c.nonce, coalesce(c.key_epoch, 0), "
		"coalesce(c.serial, 0), t.attempts, t.unknowns, (extract(epoch FROM t.expires_at - now()) * 1000)::int8, t.claim, "
		"coalesce(c.length, 0), coalesce(c.alphabet, ''), " SUPERSEDED " "
	"FROM taken AS t LEFT JOIN enrolld.challenge AS c ON c.challenge_id = t.challenge_id ORDER BY t.created_at, t.message_id"};

// The lease starts anew: the claim's is short, so that rows of a dead process come back soon, this one as long as an answer may take.
static const struct statement transmit = {"message_transmitting",
	"UPDATE enrolld.message AS m SET state = 'transmitting', attempts = attempts + 1, due_at = now() + $2::int8 * interval '1 millisecond' "
	"WHERE message_id = $1::uuid AND " CLAIM " = $3::int8 AND state = 'claimed' AND due_at > now() AND expires_at > now() "
		"AND NOT EXISTS (SELECT 1 FROM enrolld.challenge AS c WHERE c.challenge_id = m.challenge_id AND " SUPERSEDED ")"};

// A true answer that comes after the lease was over still corrects "unknown".
static const struct statement settle = {"message_settle",
	"WITH moved AS (UPDATE enrolld.message AS m SET state = CASE WHEN $2 = 'expired' AND unknowns > 0 THEN 'unknown' ELSE $2 END, "
			"code = nullif($4, ''), remote_id = nullif($5, ''), "
			"unknowns = unknowns + ($2 = 'unknown')::int4, "
			"due_at = CASE WHEN $3::int8 > 0 THEN least(now() + $3::int8 * interval '1 millisecond', expires_at) END, "
			"sealed = CASE WHEN $3::int8 > 0 THEN sealed END, settled_at = CASE WHEN $3::int8 > 0 THEN NULL ELSE now() END "
			"WHERE m.message_id = $1::uuid AND " CLAIM " = $6::int8 AND (m.state = 'transmitting' "
				"OR m.state = 'claimed' AND $2 IN ('deferred', 'refused', 'expired') "
				"OR m.state = 'unknown' AND $2 IN ('accepted', 'refused')) "
			"RETURNING m.message_id, m.realm, m.channel, m.state, m.code, m.attempts, m.challenge_id, m.due_at), "
		"done AS (SELECT * FROM moved WHERE due_at IS NULL) "
	NOTICE};

static const struct statement waiting = {"message_waiting",
	"SELECT count(*) FROM enrolld.message WHERE channel = $1 AND due_at IS NOT NULL"};
// clang-format on

const char *message_state_name(enum message_state state)
{
	if ((size_t)state >= ARRAY_LEN(state_names))
		PANIC("message_state_name: %d", (int)state);
	return state_names[state];
}

static void add_row(struct params *params, const struct request *request, const struct message_row *row)
{
	param_add_uuid(&params->at[0], &row->message_id);
	param_add_text(&params->at[1], request->realm);
	param_add_uuid(&params->at[2], uuid_is_nil(&row->challenge_id) ? NULL : &row->challenge_id);
	param_add_text(&params->at[3], slice_of(row->channel));
	param_add_text(&params->at[4], slice_of(row->template_name));
	param_add_bytes(&params->at[5], row->sealed.ptr, row->sealed.len);
	param_add_int(&params->at[6], row->life_ms);
}

void message_insert(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 7);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome != STORE_WON)
			continue;
		for (size_t j = 0; j < items[i].changes->message_count; j++) {
			add_row(&params, items[i].request, &items[i].changes->messages[j]);
			any = true;
		}
	}
	if (any)
		(void)pipeline_add(p, &insert, &params);
	else
		params_free(&params);
}

static void read_lease(const PGresult *result, size_t row, const char *channel, struct arena *arena, struct message_lease *out)
{
	*out = (struct message_lease){
		.message_id = result_uuid(result, row, 0),
		.realm = result_text(result, row, 1, arena),
		.channel = channel,
		.template_name = result_text(result, row, 2, arena),
		.sealed = result_bytes(result, row, 3, arena),
		.purpose = result_text(result, row, 4, arena),
		.seed = {.epoch = (uint16_t)result_int(result, row, 6), .serial = (uint32_t)result_int(result, row, 7)},
		.attempts = (int)result_int(result, row, 8),
		.unknowns = (int)result_int(result, row, 9),
		.expires_in_ms = result_int(result, row, 10),
		.claim = result_int(result, row, 11),
		.form = {(unsigned)result_int(result, row, 12), code_alphabet_find(result_text(result, row, 13, arena))},
		.superseded = result_bool(result, row, 14),
	};
	result_fixed(result, row, 5, out->seed.nonce.bytes, NONCE_SIZE);
}

enum reason store_message_claim(struct store *store, const char *channel, int64_t lease_ms, int64_t resend_ms, size_t max,
				struct arena *arena, struct message_lease *out, size_t *ret_count,
				struct message_overdue *ret_overdue, struct fault *f)
{
	struct pipeline p;
	struct params params;
	pipeline_begin(&p, &store->link);
	params_init(&params, 3);
	param_set_text(&params.at[0], slice_of(channel));
	param_set_int(&params.at[1], SETTLE_MAX);
	param_set_int(&params.at[2], resend_ms);
	size_t overdue = pipeline_add(&p, &settle_overdue, &params);
	params_init(&params, 3);
	param_set_text(&params.at[0], slice_of(channel));
	param_set_int(&params.at[1], (int64_t)max);
	param_set_int(&params.at[2], lease_ms);
	size_t taken = pipeline_add(&p, &claim_due, &params);
	pipeline_commit(&p);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;

	const PGresult *result = pipeline_result(&p, taken);
	const char *channel_copy = arena_text(arena, channel);
	size_t count = result_rows(result);
	for (size_t r = 0; r < count; r++)
		read_lease(result, r, channel_copy, arena, &out[r]);
	*ret_count = count;
	result = pipeline_result(&p, overdue);
	*ret_overdue = (struct message_overdue){(size_t)result_int(result, 0, 0), (size_t)result_int(result, 0, 1)};
	pipeline_end(&p);
	return REASON_OK;
}

enum reason store_message_transmitting(struct store *store, const struct uuid *id, int64_t claim, int64_t lease_ms, bool *ret_ours,
				       struct fault *f)
{
	struct pipeline p;
	struct params params;
	params_init(&params, 3);
	param_set_uuid(&params.at[0], id);
	param_set_int(&params.at[1], lease_ms);
	param_set_int(&params.at[2], claim);
	size_t handle;
	enum reason reason = store_single(store, &p, &transmit, &params, &handle, f);
	if (reason != REASON_OK)
		return reason;
	*ret_ours = pipeline_touched(&p, handle) == 1;
	pipeline_end(&p);
	return REASON_OK;
}

enum reason store_message_settle(struct store *store, const struct uuid *id, int64_t claim, const struct message_settlement *s,
				 struct fault *f)
{
	bool waits = s->state == MESSAGE_DEFERRED || (s->state == MESSAGE_UNKNOWN && s->again_in_ms > 0);
	int64_t again_in_ms = waits && s->again_in_ms < 1 ? 1 : waits ? s->again_in_ms : 0;
	struct params params;
	params_init(&params, 6);
	param_set_uuid(&params.at[0], id);
	param_set_text(&params.at[1], slice_of(message_state_name(s->state)));
	param_set_int(&params.at[2], again_in_ms);
	param_set_text(&params.at[3], slice_of(s->code));
	param_set_text(&params.at[4], slice_of(s->remote_id));
	param_set_int(&params.at[5], claim);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &settle, &params, &handle, f);
	pipeline_end(&p);
	return reason;
}

enum reason store_message_waiting(struct store *store, const char *channel, int64_t *ret_count, struct fault *f)
{
	struct params params;
	params_init(&params, 1);
	param_set_text(&params.at[0], slice_of(channel));
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &waiting, &params, &handle, f);
	if (reason != REASON_OK)
		return reason;
	*ret_count = result_int(pipeline_result(&p, handle), 0, 0);
	pipeline_end(&p);
	return REASON_OK;
}
