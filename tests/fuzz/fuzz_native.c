// SPDX-License-Identifier: Apache-2.0
// Any body against the native dialect: what is accepted keeps its promises, and every answer is JSON.
#include <stdint.h>

#include "enrolld/dialect/dialect.h"
#include "enrolld/doc/json.h"
#include "enrolld/rules/rules.h"
#include "require.h"

static struct dialect_set *set;
static struct secret_pool *pool;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(void)
{
	static const char *const names[] = {"native"};
	struct fault f;
	bool locked;
	json_setup();
	require(dialect_load(ENROLLD_SCHEMAS_DIR "/dialects", names, 1, NULL, NULL, &set, &f) == REASON_OK);
	require(secret_pool_create(2, &pool, &locked, &f) == REASON_OK);
}

static void check_accepted(const struct registration *r, struct arena *arena)
{
	struct slice key;
	require(r->claim_count >= 1 && (r->password != NULL) != !slice_is_absent(r->password_hash));
	for (size_t i = 0; i < r->claim_count; i++) {
		struct slice value = r->claims[i].value;
		bool (*form)(struct slice, struct arena *, struct slice *) = r->claims[i].kind == CLAIM_EMAIL   ? rules_email
									     : r->claims[i].kind == CLAIM_PHONE ? rules_phone
														: rules_username;
		require(form(value, arena, &key) && slice_equal(key, value)); // a key is its own key
	}
	if (r->password)
		require(secret_bytes(r->password).len <= 256 && rules_code_points(secret_bytes(r->password)) >= 15);
	require(slice_is_absent(r->attributes) || r->attributes.len <= 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"native"};
	if (!set)
		load();
	struct arena *arena = arena_create(16384);
	struct fault f;
	struct record record = {0};
	struct request request = {
		.record = &record,
		.method = SLICE_LIT("POST"),
		.path = SLICE_LIT("/v1/accounts"),
		.body = {(const char *)data, size},
		.realm = SLICE_LIT("default"),
		.request_id = SLICE_LIT("id"),
		.id_source = REQUEST_ID_COORDINATES,
	};
	const struct dialect *dialect;
	const struct route *route;
	struct registration registration = {0};
	require(dialect_route(set, names, 1, &request, &dialect, &route, &f) == REASON_OK);
	enum reason reason = dialect_read(route, &request, pool, INT64_C(1700000000000), arena, &registration, &f);
	require(reason_verdict(reason) == VERDICT_DONE || reason_verdict(reason) == VERDICT_REFUSE);
	if (reason == REASON_OK)
		check_accepted(&registration, arena);
	else
		require(!registration.password && (registration.violation_count > 0) == (reason == REASON_INVALID));

	struct receipt receipt = {
		.outcome = reason == REASON_OK ? OUTCOME_ACCEPTED : OUTCOME_REFUSED,
		.reason = reason,
		.has_account = reason == REASON_OK,
		.violations = registration.violations,
		.violation_count = registration.violation_count,
	};
	struct answer answer, again;
	const struct node *root;
	dialect_answer(dialect, route, &request, &registration, &receipt, arena, &answer);
	require(json_parse(answer.body, JSON_LIMITS_DEFAULT, arena, &root, &f) == REASON_OK);
	dialect_answer(dialect, route, &request, NULL, &receipt, arena, &again);
	require(slice_equal(answer.body, again.body)); // the native answers show no input
	registration_forget(&registration);
	arena_destroy(arena);
	return 0;
}
