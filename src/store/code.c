// SPDX-License-Identifier: Apache-2.0
// An address with its newest challenge of a purpose, its failures and the account that holds it, in one statement over four tables.
#include "store/code.h"

#include "store/result.h"

enum column {
	ASK,
	KIND,
	VALUE,
	PURPOSE,
	SUPERSEDED,
	CHALLENGE_ID,
	NONCE,
	EPOCH,
	SERIAL,
	LENGTH,
	ALPHABET,
	TRIES,
	CREATED,
	SENT,
	EXPIRES,
	CONSUMED,
	CALLER,
	DECOY,
	CHALLENGE_ACCOUNT,
	FAILURES,
	LOCKED,
	HOLDER,
	VERIFIED,
	PENDING,
	NUMBER,
	LOCALE,
	NAME,
	OPENING,
	HASH,
	PASSWORD_SERIAL,
	EMAIL,
	NOW,
};

// clang-format off
#define MS(moment) "(extract(epoch FROM " moment ") * 1000)::int8"
// Named by address and purpose, by the challenge's id, by its link, or by who asked for it last: that one says to which address it was sent.
//
// Each table is asked for one row at a time by its key: a join would be planned by how large the tables were when the first batches came, and a
// realm compared with "=" would be looked up in the index that begins with it, where all of a realm's challenges are.
#define POINTED "SELECT k.n, k.realm, t.claim_kind, t.claim_value, t.purpose, t.challenge_id, k.own, k.subject, k.tells, t.decoy FROM k " \
	"CROSS JOIN LATERAL (SELECT * FROM enrolld.challenge AS t WHERE t.realm IS NOT DISTINCT FROM k.realm AND "
// Who names an address alone is about a decoy where nothing that was sent is good any more.
#define NEWEST(which) "(SELECT * FROM enrolld.challenge AS n WHERE n.realm = d.realm AND n.claim_kind = d.kind AND n.claim_value = d.value " \
	"AND n.purpose = d.purpose AND " which " ORDER BY n.created_at DESC LIMIT 1)"
static const struct statement find = {"code_find",
	"WITH k AS (SELECT * FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::bytea[], "
			"$8::uuid[], $9::text[], $10::bytea[], $11::bool[]) "
			"AS k(n, realm, kind, value, purpose, challenge_id, digest, own, subject, caller, tells)), "
		"named AS (SELECT k.n, k.realm, k.kind, k.value, k.purpose, NULL::uuid AS challenge_id, k.own, k.subject, k.tells, NULL::bool AS decoy FROM k WHERE k.value IS NOT NULL "
			"UNION ALL " POINTED "t.challenge_id = k.challenge_id LIMIT 1) AS t "
			"UNION ALL " POINTED "t.token_digest = k.digest LIMIT 1) AS t "
			"UNION ALL SELECT * FROM (SELECT DISTINCT ON (k.n) k.n, k.realm, t.claim_kind, t.claim_value, t.purpose, NULL::uuid, k.own, k.subject, k.tells, t.decoy "
				"FROM k CROSS JOIN LATERAL (SELECT * FROM enrolld.challenge AS t WHERE t.realm IS NOT DISTINCT FROM k.realm AND t.caller = k.caller "
					"AND t.claim_kind = k.kind ORDER BY t.created_at DESC LIMIT 1) AS t ORDER BY k.n, t.created_at DESC) AS asked) "
	"SELECT d.n, d.kind, d.value, d.purpose, d.challenge_id <> c.challenge_id, c.challenge_id, c.nonce, c.key_epoch, c.serial, c.length, "
		"c.alphabet, c.attempts, " MS("c.created_at") ", " MS("coalesce(c.sent_at, c.created_at)") ", " MS("c.expires_at") ", "
		"c.consumed_at IS NOT NULL, c.caller, c.decoy, c.account_id, a.failures, " MS("a.locked_until") ", h.account_id, h.verified_at IS NOT NULL, "
		"o.state = 'pending', o.number, o.locale, coalesce(o.given_name, o.display_name), o.opening, "
		"CASE WHEN d.subject IS NOT NULL THEN o.password_hash END, o.password_serial, "
		// Whoever is told of a new password.
		"CASE WHEN d.tells THEN (SELECT v.value FROM enrolld.claim AS v WHERE v.account_id = h.account_id AND v.kind = 'email' "
			"AND v.verified_at IS NOT NULL ORDER BY v.verified_at LIMIT 1) END, " MS("clock_timestamp()") " "
	"FROM named AS d "
		"LEFT JOIN LATERAL (SELECT * FROM (" NEWEST("NOT n.decoy AND d.decoy IS NOT TRUE") " UNION ALL " NEWEST("n.decoy AND d.decoy IS NOT FALSE") ") AS u "
			"ORDER BY u.consumed_at IS NULL AND u.expires_at > now() DESC, u.decoy LIMIT 1) AS c ON true "
		"LEFT JOIN LATERAL (SELECT * FROM enrolld.address AS a WHERE a.realm = d.realm "
			"AND a.kind = CASE WHEN d.subject IS NULL THEN d.kind ELSE 'password:' || d.kind END "
			"AND a.value = coalesce(d.subject, d.value) LIMIT 1) AS a ON true "
		"LEFT JOIN LATERAL (SELECT * FROM enrolld.claim AS h WHERE h.realm = d.realm AND h.kind = d.kind AND h.value = d.value "
			"AND h.account_id IS DISTINCT FROM d.own LIMIT 1) AS h ON true "
		"LEFT JOIN LATERAL (SELECT o.state, o.number, o.locale, o.given_name, o.display_name, o.opening, o.password_hash, o.password_serial FROM enrolld.account AS o "
			"WHERE o.account_id = h.account_id LIMIT 1) AS o ON true"};
// clang-format on

bool code_asks(const struct registration *registration)
{
	const struct code_use *use = registration ? &registration->code : NULL;
	return use && ((use->has_address && (use->rule || use->by_password)) || use->has_challenge || use->token_count > 0 ||
		       use->by_caller);
}

static void add_digest(struct param *param, const uint8_t *digest)
{
	if (digest)
		param_add_bytes(param, digest, DIGEST_SIZE);
	else
		param_add_text(param, SLICE_ABSENT);
}

static void add_row(struct params *params, size_t n, const struct code_ask *ask, const uint8_t *digest, const uint8_t *caller)
{
	const struct code_use *use = ask->use;
	bool pointed = digest || caller || use->has_challenge;
	param_add_int(&params->at[0], (int64_t)n);
	param_add_text(&params->at[1], ask->request->realm);
	param_add_text(&params->at[2], pointed && !caller ? SLICE_ABSENT : slice_of(claim_kind_name(use->kind)));
	param_add_text(&params->at[3], pointed ? SLICE_ABSENT : use->value);
	param_add_text(&params->at[4], pointed ? SLICE_ABSENT : slice_of(use->rule ? use->rule->purpose : ""));
	param_add_uuid(&params->at[5], digest || caller || !use->has_challenge ? NULL : &use->challenge_id);
	add_digest(&params->at[6], digest);
	param_add_uuid(&params->at[7], ask->account_id);
	param_add_text(&params->at[8], use->subject);
	add_digest(&params->at[9], caller);
	param_add_text(&params->at[10], use->tells ? SLICE_LIT("t") : SLICE_LIT("f"));
}

size_t code_find(struct pipeline *p, const struct code_ask *asks, size_t count)
{
	struct params params;
	params_init(&params, 11);
	for (size_t i = 0; i < count; i++) {
		const struct code_use *use = asks[i].use;
		for (size_t j = 0; j < use->token_count; j++)
			add_row(&params, i, &asks[i], use->token_digests[j], NULL);
		for (size_t j = 0; use->by_caller && j < use->caller_count; j++)
			add_row(&params, i, &asks[i], NULL, use->callers[j]);
		if (use->token_count == 0 && !use->by_caller)
			add_row(&params, i, &asks[i], NULL, NULL);
	}
	return pipeline_add(p, &find, &params);
}

static int64_t int_or_zero(const PGresult *result, size_t row, int column)
{
	return PQgetisnull(result, (int)row, column) ? 0 : result_int(result, row, column);
}

static bool is_true(const PGresult *result, size_t row, int column)
{
	return !PQgetisnull(result, (int)row, column) && result_bool(result, row, column);
}

static void read_challenge(const PGresult *result, size_t r, struct arena *arena, struct code_facts *code)
{
	code->found = true;
	code->superseded = is_true(result, r, SUPERSEDED);
	code->challenge_id = result_uuid(result, r, CHALLENGE_ID);
	if (!PQgetisnull(result, (int)r, CHALLENGE_ACCOUNT))
		code->account_id = result_uuid(result, r, CHALLENGE_ACCOUNT);
	result_fixed(result, r, NONCE, code->seed.nonce.bytes, NONCE_SIZE);
	code->seed.epoch = (uint16_t)result_int(result, r, EPOCH);
	code->seed.serial = (uint32_t)result_int(result, r, SERIAL);
	code->form.length = (unsigned)result_int(result, r, LENGTH);
	code->form.alphabet = code_alphabet_find(result_text(result, r, ALPHABET, arena));
	code->tries = result_int(result, r, TRIES);
	code->created_ms = result_int(result, r, CREATED);
	code->sent_ms = result_int(result, r, SENT);
	code->expires_ms = result_int(result, r, EXPIRES);
	code->consumed = result_bool(result, r, CONSUMED);
	code->decoy = result_bool(result, r, DECOY);
	code->has_caller = !PQgetisnull(result, (int)r, CALLER);
	if (code->has_caller)
		result_fixed(result, r, CALLER, code->caller, DIGEST_SIZE);
}

static void read_row(const PGresult *result, size_t r, const struct code_ask *ask)
{
	struct code_facts code = {.asked = true, .locked_until_ms = int_or_zero(result, r, LOCKED)};
	code.value = result_text(result, r, VALUE, ask->arena);
	code.purpose = result_text(result, r, PURPOSE, ask->arena);
	code.failures = int_or_zero(result, r, FAILURES);
	if (!claim_kind_find(result_text(result, r, KIND, ask->arena), &code.kind))
		return;
	if (!PQgetisnull(result, (int)r, CHALLENGE_ID))
		read_challenge(result, r, ask->arena, &code);
	if (!PQgetisnull(result, (int)r, HOLDER))
		code.holder = (struct code_holder){
			.found = true,
			.account_id = result_uuid(result, r, HOLDER),
			.verified = result_bool(result, r, VERIFIED),
			.pending = is_true(result, r, PENDING),
			.number = int_or_zero(result, r, NUMBER),
			.locale = result_text(result, r, LOCALE, ask->arena),
			.name = result_text(result, r, NAME, ask->arena),
			.opening = result_text(result, r, OPENING, ask->arena),
			.password_hash = result_text(result, r, HASH, ask->arena),
			.password_serial = int_or_zero(result, r, PASSWORD_SERIAL),
			.email = result_text(result, r, EMAIL, ask->arena),
		};
	ask->facts->code = code;
	ask->facts->now_ms = result_int(result, r, NOW);
}

void code_read(const PGresult *result, const struct code_ask *asks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		asks[i].facts->code = (struct code_facts){0};
	for (size_t r = 0; r < result_rows(result); r++)
		read_row(result, r, &asks[result_int(result, r, ASK)]);
}
