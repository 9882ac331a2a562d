// SPDX-License-Identifier: Apache-2.0
// Requests on their way, as the stages of a lane move them.
#include "passing.h"

#include <stdatomic.h>

#include "enrolld/base/clock.h"
#include "enrolld/doc/json.h"

static const char *const names[] = {"native", "posbytz"};
struct fixture *fx;
struct store *store, *other;
struct arena *arena;
struct keyring *keys;
static struct secret_pool *secrets;
static struct dialect_set *dialects;
static struct operation_conf conf;
struct operation op;
static _Atomic int64_t offset;

int passing_open(void **state)
{
	struct fault f;
	bool locked;
	(void)state;
	fx = fixture_open(false);
	store = fixture_store(fx, "enrolld/test/code");
	other = fixture_store(fx, "enrolld/test/code");
	arena = arena_create(65536);
	if (crypto_setup(&f) != REASON_OK || secret_pool_create(1024, &secrets, &locked, &f) != REASON_OK)
		return -1;
	keys = keyring_for_tests();
	const struct dialect_options options = {.keys = keys};
	assert_ok(dialect_load(ENROLLD_SCHEMAS_DIR "/dialects", names, ARRAY_LEN(names), &options, NULL, &dialects, &f_));
	settings_defaults(&operation_settings, arena, &conf);
	op = (struct operation){.conf = &conf, .keys = keys, .horizon_ms = INT64_C(30) * 86400000};
	return 0;
}

int passing_close(void **state)
{
	(void)state;
	dialect_set_destroy(dialects);
	secret_pool_destroy(secrets);
	keyring_destroy(keys);
	arena_destroy(arena);
	store_close(store);
	store_close(other);
	fixture_close(fx);
	return 0;
}

struct passing *passing_make(struct arena *where, const char *realm, const char *path, const char *body)
{
	static const struct header visitor = {{"authorization", 13}, {"Bearer visitor", 14}};
	struct passing *p = ARENA_NEW(where, struct passing);
	const struct dialect *dialect;
	int64_t at = atomic_fetch_add(&offset, 1);
	p->arena = where;
	p->record = (struct record){.at = {"enroll.otp", 0, at}};
	p->request = (struct request){.record = &p->record,
				      .method = SLICE_LIT("POST"),
				      .path = slice_of(path),
				      .content_type = SLICE_LIT("application/json"),
				      .headers = &visitor,
				      .header_count = 1,
				      .body = arena_copy(where, slice_of(body)),
				      .realm = slice_of(arena_text(where, realm)),
				      .request_id = arena_printf(where, "r%lld", (long long)at),
				      .asked_ms = clock_wall_ms(),
				      .fingerprint_count = 1};
	p->request.fingerprints[0].epoch = 1;
	assert_ok(dialect_route(dialects, names, ARRAY_LEN(names), &p->request, &dialect, &p->route, &f_));
	assert_ok(dialect_read(p->route, &p->request, secrets, clock_wall_ms(), where, &p->registration, &f_));
	return p;
}

struct operation_case passing_case(const struct passing *p)
{
	return (struct operation_case){
		.request = &p->request,
		.route = p->route,
		.registration = &p->registration,
		.limits = p->registration.limits,
		.limit_count = p->registration.limit_count,
		.facts = &p->facts,
		.arena = p->arena,
	};
}

void passing_look(struct store *with, struct passing *p)
{
	struct look_item item = {.request = &p->request, .registration = &p->registration, .arena = p->arena, .facts = &p->facts};
	assert_ok(store_look(with, "enrolld.otp", NULL, 0, &item, 1, &f_));
	if (p->facts.hit != HIT_NONE)
		return;
	struct operation_case c = passing_case(p);
	assert_int_equal(operation_decide(&op, &c, &p->receipt, &p->changes), DECISION_STORE);
}

struct store_item passing_item(struct passing *p)
{
	return (struct store_item){.request = &p->request,
				   .registration = &p->registration,
				   .changes = &p->changes,
				   .arena = p->arena,
				   .facts = &p->facts};
}

// As the storer does it.
void passing_settle(struct passing *p, struct store_item *item)
{
	struct operation_case c = passing_case(p);
	bool had_account = p->changes.has_account;
	if (item->outcome == STORE_LOST) {
		assert_int_equal(operation_decide(&op, &c, &p->receipt, &p->changes), DECISION_STORE);
	} else if (item->outcome == STORE_WON && p->changes.code.holds) {
		bool settled = operation_confirm(&op, &c, &p->receipt, &p->changes);
		item->completed = true;
		if (!settled)
			item->outcome = STORE_AGAIN;
		else if (had_account && !p->changes.has_account)
			item->outcome = STORE_LOST;
		else if (!had_account && p->changes.has_account)
			item->outcome = STORE_AGAIN;
	}
	if (item->outcome == STORE_WON || item->outcome == STORE_LOST)
		item->completed |= operation_complete(&c, &p->receipt, &p->changes);
	p->outcome = item->outcome;
}

void passing_store(struct store *with, struct passing *p)
{
	struct store_item item = passing_item(p);
	assert_ok(store_begin(with, "enrolld.otp", &item, 1, &f_));
	passing_settle(p, &item);
	assert_ok(store_finish(with, "enrolld.otp", NULL, 0, &item, 1, &f_));
}

struct passing *passing_run(struct store *with, struct passing *p)
{
	passing_look(with, p);
	passing_store(with, p);
	return p;
}

void passing_release(struct passing *p)
{
	registration_forget(&p->registration);
}

void assert_reason(const struct passing *p, enum reason reason)
{
	if (p->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(p->receipt.reason), reason_code(reason));
}

// The code of a challenge that was asked for, as the text has it.
const char *passing_code(const struct passing *asked, const char *purpose)
{
	char code[CODE_TEXT_SIZE];
	const struct code_seed seed = {.nonce = asked->receipt.nonce, .epoch = asked->receipt.epoch};
	code_derive(keys, slice_of(purpose), asked->request.realm, &seed, &(struct code_form){6, CODE_DIGITS}, code);
	return arena_text(arena, code);
}

struct passing *passing_sign_up(const char *realm, const char *path, const char *body)
{
	struct passing *up = passing_make(arena, realm, path, body);
	struct look_item item = {
		.request = &up->request, .registration = &up->registration, .arena = up->arena, .facts = &up->facts};
	assert_ok(store_look(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	struct operation_case c = passing_case(up);
	assert_int_equal(operation_decide(&op, &c, &up->receipt, &up->changes), DECISION_HASH);
	passing_store(store, up);
	passing_release(up);
	return up;
}
