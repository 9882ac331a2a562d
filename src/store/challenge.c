// SPDX-License-Identifier: Apache-2.0
// Table challenge: codes and links that were sent.
#include "store/tables.h"

// clang-format off
static const struct statement insert = {"challenge_insert",
	"INSERT INTO enrolld.challenge (challenge_id, realm, account_id, purpose, channel, claim_kind, claim_value, nonce, key_epoch, "
		"token_digest, length, alphabet, caller, decoy, created_at, sent_at, expires_at) "
	"SELECT k.challenge_id, k.realm, k.account_id, k.purpose, k.channel, k.kind, k.value, k.nonce, k.epoch, k.digest, k.length, k.alphabet, k.caller, k.decoy, "
		"m.moment, m.moment, now() + k.life * interval '1 millisecond' "
	"FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::int2[], "
		"$10::bytea[], $11::int8[], $12::int2[], $13::text[], $14::bytea[], $15::bool[]) "
		"AS k(challenge_id, realm, account_id, purpose, channel, kind, value, nonce, epoch, digest, life, length, alphabet, caller, decoy), "
		// Not now(): of two transactions the one that began first may have been the last to get the address.
		"(SELECT clock_timestamp() AS moment) AS m "
	"ORDER BY k.challenge_id"};

// Only by whoever holds the address.
static const struct statement mark = {"challenge_mark",
	"UPDATE enrolld.challenge AS c SET attempts = c.attempts + k.tries, "
		"consumed_at = CASE WHEN k.consumes THEN clock_timestamp() ELSE c.consumed_at END, "
		"sent_at = CASE WHEN k.sends THEN clock_timestamp() ELSE c.sent_at END "
	"FROM unnest($1::uuid[], $2::int4[], $3::bool[], $4::bool[]) AS k(challenge_id, tries, consumes, sends) "
	"WHERE c.challenge_id = k.challenge_id"};
// clang-format on

static void add_row(struct params *params, const struct request *request, const struct challenge_row *row)
{
	param_add_uuid(&params->at[0], &row->challenge_id);
	param_add_text(&params->at[1], request->realm);
	param_add_uuid(&params->at[2], uuid_is_nil(&row->account_id) ? NULL : &row->account_id);
	param_add_text(&params->at[3], slice_of(row->purpose));
	param_add_text(&params->at[4], slice_of(row->channel));
	param_add_text(&params->at[5], slice_of(claim_kind_name(row->claim_kind)));
	param_add_text(&params->at[6], row->claim_value);
	param_add_bytes(&params->at[7], row->seed.nonce.bytes, NONCE_SIZE);
	param_add_int(&params->at[8], row->seed.epoch);
	if (row->decoy)
		param_add_text(&params->at[9], SLICE_ABSENT);
	else
		param_add_bytes(&params->at[9], row->token_digest, DIGEST_SIZE);
	param_add_int(&params->at[10], row->life_ms);
	param_add_int(&params->at[11], row->form.length);
	param_add_text(&params->at[12], slice_of(code_alphabet_name(row->form.alphabet)));
	if (row->caller)
		param_add_bytes(&params->at[13], row->caller, DIGEST_SIZE);
	else
		param_add_text(&params->at[13], SLICE_ABSENT);
	param_add_text(&params->at[14], row->decoy ? SLICE_LIT("t") : SLICE_LIT("f"));
}

void challenge_insert(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 15);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		bool won = items[i].outcome == STORE_WON;
		for (size_t j = 0; j < items[i].changes->challenge_count; j++) {
			if (!won && (items[i].outcome != STORE_LOST || !items[i].changes->challenges[j].decoy))
				continue; // who lost an identity may be answered as if
			add_row(&params, items[i].request, &items[i].changes->challenges[j]);
			any = true;
		}
	}
	if (any)
		(void)pipeline_add(p, &insert, &params);
	else
		params_free(&params);
}

void challenge_mark(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 4);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct code_change *code = store_item_code(&items[i]);
		if (!code || !(code->tries || code->consumes || code->sends))
			continue;
		any = true;
		param_add_uuid(&params.at[0], &code->challenge_id);
		param_add_int(&params.at[1], code->tries);
		param_add_text(&params.at[2], code->consumes ? SLICE_LIT("t") : SLICE_LIT("f"));
		param_add_text(&params.at[3], code->sends ? SLICE_LIT("t") : SLICE_LIT("f"));
	}
	if (any)
		(void)pipeline_add(p, &mark, &params);
	else
		params_free(&params);
}
