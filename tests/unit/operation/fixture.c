// SPDX-License-Identifier: Apache-2.0
// One fixture for all operations, so that a member or a module that they need is added in one place.
#include "fixture.h"

#include "enrolld/doc/json.h"
#include "enrolld/operation/sending.h"

int fixture_setup(struct fixture *x, const char *const *dialects, size_t count, const struct dialect_conf *conf)
{
	struct fault f;
	bool locked;
	*x = (struct fixture){.arena = arena_create(4096)};
	json_setup();
	if (crypto_setup(&f) != REASON_OK || secret_pool_create(8, &x->secrets, &locked, &f) != REASON_OK)
		return -1;
	x->keys = keyring_for_tests();
	const struct dialect_options options = {.keys = x->keys, .confs = conf, .conf_count = conf != NULL};
	if (dialect_load(ENROLLD_SCHEMAS_DIR "/dialects", dialects, count, &options, NULL, &x->dialects, &f) != REASON_OK)
		return -1;
	settings_defaults(&operation_settings, x->arena, &x->conf);
	x->op = (struct operation){.conf = &x->conf, .keys = x->keys, .horizon_ms = HORIZON_MS};
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *x = *state;
	registration_forget(&x->registration);
	sending_destroy(x->op.sending);
	dialect_set_destroy(x->dialects);
	secret_pool_destroy(x->secrets);
	keyring_destroy(x->keys);
	arena_destroy(x->arena);
	return 0;
}
