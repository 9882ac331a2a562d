// SPDX-License-Identifier: Apache-2.0
// Rows that need an epoch of the key ring. What is sealed says its own epoch (see crypto/seal.c).
#include "enrolld/store/epoch.h"

#include "store/handle.h"
#include "store/result.h"

#define STATEMENT_LIMIT_MS 3600000

// clang-format off
static const struct statement use_of = {"epoch_use",
	"SELECT (SELECT count(*) FROM enrolld.challenge WHERE key_epoch = $1::int4 AND consumed_at IS NULL AND expires_at > now()), "
		"(SELECT count(*) FROM enrolld.session WHERE key_epoch = $1::int4 AND revoked_at IS NULL AND expires_at > now()), "
		"(SELECT count(*) FROM enrolld.message WHERE due_at IS NOT NULL AND get_byte(sealed, 1) * 256 + get_byte(sealed, 2) = $1::int4), "
		"(SELECT count(*) FROM enrolld.inbox WHERE fingerprint_epoch = $1::int4)"};
// clang-format on

enum reason store_epoch_use(const struct store_conf *conf, uint16_t epoch, struct epoch_use *ret_use, struct fault *f)
{
	struct store_conf patient = *conf;
	patient.statement_timeout_ms = STATEMENT_LIMIT_MS;
	struct store *store;
	enum reason reason = store_open(&patient, "enrolld/keys", &store, f);
	if (reason != REASON_OK)
		return reason;
	struct params params;
	struct pipeline p;
	size_t handle;
	params_init(&params, 1);
	param_set_int(&params.at[0], epoch);
	reason = store_single(store, &p, &use_of, &params, &handle, f);
	if (reason == REASON_OK) {
		const PGresult *result = pipeline_result(&p, handle);
		*ret_use = (struct epoch_use){result_int(result, 0, 0), result_int(result, 0, 1), result_int(result, 0, 2),
					      result_int(result, 0, 3)};
		pipeline_end(&p);
	}
	store_close(store);
	return reason;
}
