// SPDX-License-Identifier: Apache-2.0
// Budgets and holds between decision and transaction.
#include "flow/guard.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "flow/purse.h"
#include "flow/tally.h"

#define TEND_NS INT64_C(1000000000)
#define IDLE_NS INT64_C(60000000000)
#define RETURNS_MAX 256
#define COUNTS_MAX 1024

struct guard {
	struct sending *sending;
	struct purse *purse;
	struct tally *tally;
	int64_t tended_ns; // tender's
};

struct guard *guard_create(struct sending *sending)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	if (!guard)
		PANIC("out of memory");
	guard->sending = sending;
	guard->purse = purse_create();
	guard->tally = tally_create();
	return guard;
}

void guard_destroy(struct guard *guard)
{
	if (!guard)
		return;
	purse_destroy(guard->purse);
	tally_destroy(guard->tally);
	free(guard);
}

static bool is_held(struct guard *guard, const struct work *work, const struct recipient *recipient, int64_t now_ns)
{
	struct sending_watch watch;
	return sending_watch(guard->sending, work->request.realm, recipient->kind, recipient->value, work->arena, &watch) &&
	       tally_held(guard->tally, work->request.realm, watch.prefix, now_ns);
}

static bool is_dry(struct guard *guard, const struct work *work, const struct recipient *recipient, int64_t now_ns)
{
	struct sending_budget budgets[BUDGETS_MAX];
	size_t count = sending_budgets(guard->sending, work->request.realm, recipient->kind, recipient->value, work->arena,
				       budgets);
	for (size_t i = 0; i < count; i++)
		if (purse_is_dry(guard->purse, &budgets[i], now_ns))
			return true;
	return false;
}

bool guard_foresees(struct guard *guard, struct work *work)
{
	bool any = false;
	int64_t now_ns = clock_mono_ns();
	for (size_t i = 0; !work->admitted && i < work->changes.recipient_count; i++) {
		const struct recipient *recipient = &work->changes.recipients[i];
		enum reason reason = is_held(guard, work, recipient, now_ns)  ? REASON_PREFIX_HELD
				     : is_dry(guard, work, recipient, now_ns) ? REASON_BUDGET_EXHAUSTED
									      : REASON_OK;
		any = any || reason != REASON_OK;
		work->withheld[recipient->kind] = reason;
	}
	return any;
}

bool guard_wants(const struct work *work)
{
	return !work->admitted && work->changes.recipient_count > 0;
}

// What a work has to take, with whom each is for.
struct admission {
	struct work *work;
	struct sending_budget *budgets;
	enum claim_kind *kinds;
	size_t count;
};

struct admitting {
	struct guard *guard;
	struct arena *arena;
	struct admission *admissions;
	size_t count;
	size_t budget_count; // of all
};

static void add_admission(struct admitting *a, struct work *work, int64_t now_ns)
{
	struct admission *admission = &a->admissions[a->count];
	const struct changes *changes = &work->changes;
	*admission = (struct admission){
		.work = work,
		.budgets = ARENA_ARRAY(a->arena, changes->recipient_count * BUDGETS_MAX, struct sending_budget),
		.kinds = ARENA_ARRAY(a->arena, changes->recipient_count * BUDGETS_MAX, enum claim_kind)};
	for (size_t i = 0; i < changes->recipient_count; i++) {
		const struct recipient *recipient = &changes->recipients[i];
		if (is_held(a->guard, work, recipient, now_ns)) {
			work->withheld[recipient->kind] = REASON_PREFIX_HELD;
			return;
		}
		size_t count = sending_budgets(a->guard->sending, work->request.realm, recipient->kind, recipient->value, a->arena,
					       admission->budgets + admission->count);
		for (size_t k = 0; k < count; k++)
			admission->kinds[admission->count++] = recipient->kind;
	}
	a->budget_count += admission->count;
	a->count++;
}

static int compare_budgets(const void *a, const void *b)
{
	const struct sending_budget *left = *(const struct sending_budget *const *)a,
				    *right = *(const struct sending_budget *const *)b;
	int order = slice_compare(left->realm, right->realm);
	return order ? order : slice_compare(left->name, right->name);
}

// Each budget once with how many of it are wanted, of which there are not enough here. Returns how many budgets.
static size_t find_shortages(const struct admitting *a, const struct sending_budget **budgets, struct budget_lease *leases,
			     int64_t now_ns)
{
	size_t all = 0, count = 0;
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < a->admissions[i].count; k++)
			budgets[all++] = &a->admissions[i].budgets[k];
	if (all > 0)
		qsort(budgets, all, sizeof(struct sending_budget *), compare_budgets);
	for (size_t i = 0, next; i < all; i = next) {
		const struct sending_budget *budget = budgets[i];
		for (next = i + 1; next < all && compare_budgets(&budgets[i], &budgets[next]) == 0;)
			next++;
		int64_t wanted = (int64_t)(next - i) - purse_left(a->guard->purse, budget, now_ns);
		if (wanted <= 0 || purse_is_dry(a->guard->purse, budget, now_ns))
			continue;
		leases[count] = (struct budget_lease){.realm = budget->realm,
						      .name = budget->name,
						      .allowed = budget->allowed,
						      .window_ms = budget->window_ms,
						      .asked = wanted};
		budgets[count++] = budget;
	}
	return count;
}

static enum reason lease(const struct admitting *a, struct store *store, int64_t now_ns, struct fault *f)
{
	const struct sending_budget **budgets = ARENA_ARRAY(a->arena, a->budget_count, const struct sending_budget *);
	struct budget_lease *leases = ARENA_ARRAY(a->arena, a->budget_count, struct budget_lease);
	size_t count = find_shortages(a, budgets, leases, now_ns);
	if (count == 0)
		return REASON_OK;
	enum reason reason = store_budget_lease(store, leases, count, f);
	if (reason != REASON_OK)
		return reason;
	for (size_t i = 0; i < count; i++)
		if (purse_fill(a->guard->purse, budgets[i], &leases[i], now_ns))
			LOG(budget_exhausted, log_text("realm", budgets[i]->label ? budgets[i]->label : SENDING_OTHER_REALMS),
			    log_slice("budget", budgets[i]->name), log_int("allowed", budgets[i]->allowed),
			    log_int("seconds_left", leases[i].left_ms / 1000));
	return REASON_OK;
}

static void take(const struct admitting *a, int64_t now_ns)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct admission *admission = &a->admissions[i];
		struct work *work = admission->work;
		size_t lacking;
		work->grants = ARENA_ARRAY(work->arena, admission->count, struct grant);
		work->admitted = purse_take(a->guard->purse, admission->budgets, admission->count, now_ns, work->grants, &lacking);
		work->grant_count = work->admitted ? admission->count : 0;
		if (!work->admitted)
			work->withheld[admission->kinds[lacking]] = REASON_BUDGET_EXHAUSTED;
	}
}

enum reason guard_admit(struct guard *guard, struct store *store, struct work **works, size_t count, struct fault *f)
{
	size_t wanting = 0;
	for (size_t i = 0; i < count; i++)
		wanting += guard_wants(works[i]);
	if (wanting == 0)
		return REASON_OK;
	int64_t now_ns = clock_mono_ns();
	struct admitting a = {.guard = guard, .arena = arena_create(4096)};
	a.admissions = ARENA_ARRAY(a.arena, wanting, struct admission);
	for (size_t i = 0; i < count; i++)
		if (guard_wants(works[i]))
			add_admission(&a, works[i], now_ns);
	enum reason reason = lease(&a, store, now_ns, f);
	if (reason == REASON_OK)
		take(&a, clock_mono_ns());
	arena_destroy(a.arena);
	return reason;
}

static void count_texts(struct guard *guard, struct work *work)
{
	struct sending_watch watch;
	struct slice realm = work->request.realm;
	const struct code_change *code = &work->changes.code;
	if (!sending_watches(guard->sending))
		return;
	for (size_t i = 0; work->changes.message_count > 0 && i < work->changes.recipient_count; i++) {
		const struct recipient *to = &work->changes.recipients[i];
		if (sending_watch(guard->sending, realm, to->kind, to->value, work->arena, &watch))
			tally_sent(guard->tally, realm, &watch, clock_mono_ns());
	}
	if (code->consumes && sending_watch(guard->sending, realm, code->kind, code->value, work->arena, &watch))
		tally_verified(guard->tally, realm, &watch);
}

void guard_settle(struct guard *guard, struct work *work, bool written)
{
	if (written) {
		count_texts(guard, work);
		if (work->changes.withheld != REASON_OK)
			metric_add(METRIC_withheld,
				   METRIC_LABELS(sending_label(guard->sending, work->request.realm, work->arena),
						 reason_code(work->changes.withheld)),
				   1);
	}
	if (!written || work->changes.message_count == 0)
		purse_give_back(guard->purse, work->grants, work->grant_count);
	work->grant_count = 0;
}

static void tell_holds(struct guard *guard, const struct prefix_hold *holds, size_t count, struct arena *arena)
{
	for (size_t i = 0; i < count; i++)
		if (holds[i].begun)
			LOG(prefix_held, log_text("realm", sending_label(guard->sending, holds[i].realm, arena)),
			    log_slice("prefix", holds[i].prefix), log_int("sends", holds[i].sends),
			    log_int("verified", holds[i].verified), log_int("seconds", holds[i].left_ms / 1000));
}

static void measure_holds(struct guard *guard, const struct prefix_hold *holds, size_t count, struct arena *arena)
{
	size_t labels;
	const char *const *names = sending_labels(guard->sending, arena, &labels);
	for (size_t l = 0; l < labels; l++) {
		size_t held = 0;
		for (size_t i = 0; i < count; i++)
			held += strcmp(sending_label(guard->sending, holds[i].realm, arena), names[l]) == 0;
		metric_set(METRIC_prefixes_held, METRIC_LABELS(names[l]), (double)held);
	}
}

// What cannot be told now is told the next time.
static void tend_holds(struct guard *guard, struct store *store, struct arena *arena)
{
	struct fault f;
	struct prefix_count *counts = ARENA_ARRAY(arena, COUNTS_MAX, struct prefix_count);
	struct prefix_hold *holds;
	size_t hold_count, count = tally_due(guard->tally, clock_mono_ns(), arena, counts, COUNTS_MAX);
	int64_t asked_ns = clock_mono_ns();
	if (store_prefix_count(store, counts, count, arena, &holds, &hold_count, &f) != REASON_OK)
		return;
	tally_told(guard->tally, counts, count);
	tally_hold(guard->tally, holds, hold_count, asked_ns);
	tell_holds(guard, holds, hold_count, arena);
	measure_holds(guard, holds, hold_count, arena);
}

// They are out of the purse before the database has them back: if that fails, nobody has them until the window ends.
static void return_idle(struct guard *guard, struct store *store, bool all, struct arena *arena)
{
	struct fault f;
	struct budget_return *returns = ARENA_ARRAY(arena, RETURNS_MAX, struct budget_return);
	int64_t now_ns = clock_mono_ns();
	size_t count = purse_empty(guard->purse, all ? now_ns : now_ns - IDLE_NS, now_ns, arena, returns, RETURNS_MAX);
	if (count > 0)
		(void)!store_budget_return(store, returns, count, &f);
}

void guard_tend(struct guard *guard, struct store *store, bool leaving)
{
	int64_t now_ns = clock_mono_ns();
	if (!leaving && now_ns - guard->tended_ns < TEND_NS)
		return;
	guard->tended_ns = now_ns;
	struct arena *arena = arena_create(4096);
	if (sending_watches(guard->sending))
		tend_holds(guard, store, arena);
	return_idle(guard, store, leaving, arena);
	arena_destroy(arena);
}

void guard_measure(struct guard *guard)
{
	purse_measure(guard->purse, clock_mono_ns());
}
