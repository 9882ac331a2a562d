// SPDX-License-Identifier: Apache-2.0
// Table challenge: codes and links that were sent.
#include "store/tables.h"

// clang-format off
static const struct statement insert = {"challenge_insert",
	"INSERT INTO enrolld.challenge (challenge_id, realm, account_id, purpose, channel, claim_kind, claim_value, nonce, key_epoch, "
		"token_digest, expires_at) "
	"SELECT k.challenge_id, k.realm, k.account_id, k.purpose, k.channel, k.kind, k.value, k.nonce, k.epoch, k.digest, "
		"now() + k.life * interval '1 millisecond' "
	"FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::int2[], "
		"$10::bytea[], $11::int8[]) "
		"AS k(challenge_id, realm, account_id, purpose, channel, kind, value, nonce, epoch, digest, life) "
	"ORDER BY k.challenge_id"};
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
	param_add_bytes(&params->at[7], row->nonce.bytes, NONCE_SIZE);
	param_add_int(&params->at[8], row->epoch);
	param_add_bytes(&params->at[9], row->token_digest, DIGEST_SIZE);
	param_add_int(&params->at[10], row->life_ms);
}

void challenge_insert(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 11);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome != STORE_WON)
			continue;
		for (size_t j = 0; j < items[i].changes->challenge_count; j++) {
			add_row(&params, items[i].request, &items[i].changes->challenges[j]);
			any = true;
		}
	}
	if (any)
		(void)pipeline_add(p, &insert, &params);
	else
		params_free(&params);
}
