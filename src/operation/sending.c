// SPDX-License-Identifier: Apache-2.0
// The policy in force: the settings as they are, behind a lock, since they may be read again.
#include "enrolld/operation/sending.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "operation/sending_private.h"

struct sending {
	pthread_rwlock_t lock;
	struct arena *arena;
	struct sending_conf all;
	struct realm_conf *realms;
	size_t count;
	bool watches;
};

static struct setting_list copy_list(const struct setting_list *list, struct arena *arena)
{
	const char **items = ARENA_ARRAY(arena, list->count, const char *);
	for (size_t i = 0; i < list->count; i++)
		items[i] = arena_text(arena, list->items[i]);
	return (struct setting_list){items, list->count};
}

static struct setting_map copy_map(const struct setting_map *map, struct arena *arena)
{
	struct setting_pair *pairs = ARENA_ARRAY(arena, map->count, struct setting_pair);
	for (size_t i = 0; i < map->count; i++)
		pairs[i] = (struct setting_pair){arena_text(arena, map->pairs[i].name), arena_text(arena, map->pairs[i].value)};
	return (struct setting_map){pairs, map->count};
}

static void fill(struct sending *sending, const struct sending_conf *all, const struct realm_conf *realms, size_t count)
{
	struct arena *arena = sending->arena = arena_create(4096);
	sending->all = (struct sending_conf){copy_list(&all->allow, arena), copy_list(&all->deny, arena),
					     copy_map(&all->budgets, arena)};
	sending->realms = ARENA_ARRAY(arena, count, struct realm_conf);
	sending->count = count;
	sending->watches = false;
	for (size_t i = 0; i < count; i++) {
		struct realm_conf *realm = &sending->realms[i];
		*realm = realms[i];
		realm->name = arena_text(arena, realms[i].name);
		realm->allow = copy_list(&realms[i].allow, arena);
		realm->deny = copy_list(&realms[i].deny, arena);
		realm->budgets = copy_map(&realms[i].budgets, arena);
		realm->test_numbers = copy_map(&realms[i].test_numbers, arena);
		sending->watches = sending->watches || realm->hold_percent > 0;
	}
}

struct sending *sending_create(const struct sending_conf *all, const struct realm_conf *realms, size_t count)
{
	struct sending *sending = calloc(1, sizeof(*sending));
	if (!sending)
		PANIC("out of memory");
	pthread_rwlock_init(&sending->lock, NULL);
	fill(sending, all, realms, count);
	return sending;
}

void sending_destroy(struct sending *sending)
{
	if (!sending)
		return;
	arena_destroy(sending->arena);
	pthread_rwlock_destroy(&sending->lock);
	free(sending);
}

void sending_replace(struct sending *sending, const struct sending_conf *all, const struct realm_conf *realms, size_t count)
{
	pthread_rwlock_wrlock(&sending->lock);
	arena_destroy(sending->arena);
	fill(sending, all, realms, count);
	pthread_rwlock_unlock(&sending->lock);
}

// Under the lock. NULL: nothing is said of the realm.
static const struct realm_conf *find_realm(const struct sending *sending, struct slice name)
{
	const struct realm_conf *any = NULL;
	for (size_t i = 0; i < sending->count; i++) {
		if (slice_equal_text(name, sending->realms[i].name))
			return &sending->realms[i];
		if (strcmp(sending->realms[i].name, "*") == 0)
			any = &sending->realms[i];
	}
	return any;
}

// What weighs most of the entries that the number begins with.
struct verdict_weight {
	size_t weight;
	bool denies;
};

static void weigh(struct verdict_weight *best, const struct setting_list *list, struct slice number, bool own, bool denies)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t len = strlen(list->items[i]);
		size_t weight = 4 * len + 2 * own + denies;
		if (len <= number.len && memcmp(list->items[i], number.ptr, len) == 0 && weight > best->weight)
			*best = (struct verdict_weight){weight, denies};
	}
}

enum reason sending_judge(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value)
{
	if (!sending || kind != CLAIM_PHONE)
		return REASON_OK;
	pthread_rwlock_rdlock(&sending->lock);
	const struct realm_conf *own = find_realm(sending, realm);
	struct verdict_weight best = {0, sending->all.allow.count > 0 || (own && own->allow.count > 0)};
	weigh(&best, &sending->all.allow, value, false, false);
	weigh(&best, &sending->all.deny, value, false, true);
	if (own) {
		weigh(&best, &own->allow, value, true, false);
		weigh(&best, &own->deny, value, true, true);
	}
	pthread_rwlock_unlock(&sending->lock);
	return best.denies ? REASON_PREFIX_DENIED : REASON_OK;
}

bool sending_is_silent(struct sending *sending, struct slice realm)
{
	if (!sending)
		return false;
	pthread_rwlock_rdlock(&sending->lock);
	const struct realm_conf *own = find_realm(sending, realm);
	bool silent = own && own->withheld == WITHHELD_SILENT;
	pthread_rwlock_unlock(&sending->lock);
	return silent;
}

// Under the lock.
static const char *find_test_code(const struct realm_conf *own, enum claim_kind kind, struct slice value)
{
	if (!own || !own->test || kind != CLAIM_PHONE)
		return NULL;
	for (size_t i = 0; i < own->test_numbers.count; i++)
		if (slice_equal_text(value, own->test_numbers.pairs[i].name))
			return own->test_numbers.pairs[i].value;
	return NULL;
}

bool sending_test_code(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value,
		       char code[static CODE_TEXT_SIZE])
{
	if (!sending)
		return false;
	pthread_rwlock_rdlock(&sending->lock);
	const char *found = find_test_code(find_realm(sending, realm), kind, value);
	memset(code, 0, CODE_TEXT_SIZE);
	if (found)
		memcpy(code, found, strlen(found) + 1);
	pthread_rwlock_unlock(&sending->lock);
	return found != NULL;
}

// Those of one map; realm and label are the caller's.
static size_t add_budgets(const struct setting_map *map, enum claim_kind kind, struct slice value, struct slice realm,
			  const char *label, struct arena *arena, struct sending_budget *out, size_t count)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct setting_pair *pair = &map->pairs[i];
		struct sending_budget parsed[BUDGET_WINDOWS];
		size_t windows;
		if (!sending_budget_fits(pair->name, kind, value) || !sending_parse_budget(pair->value, parsed, &windows))
			continue;
		for (size_t w = 0; w < windows; w++) {
			char window[SETTING_NUMBER_SIZE];
			struct sending_budget *budget = &out[count++];
			*budget = parsed[w];
			budget->realm = realm;
			budget->label = label;
			budget->name = arena_printf(arena, "%s/%s", pair->name, setting_format_duration(budget->window_ms, window));
		}
	}
	return count;
}

size_t sending_budgets(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value, struct arena *arena,
		       struct sending_budget out[static BUDGETS_MAX])
{
	if (!sending)
		return 0;
	pthread_rwlock_rdlock(&sending->lock);
	const struct realm_conf *own = find_realm(sending, realm);
	size_t count = add_budgets(&sending->all.budgets, kind, value, SLICE_LIT(""), SENDING_ALL_REALMS, arena, out, 0);
	if (own) {
		const char *label = strcmp(own->name, "*") != 0 ? arena_text(arena, own->name) : NULL;
		count = add_budgets(&own->budgets, kind, value, realm, label, arena, out, count);
	}
	pthread_rwlock_unlock(&sending->lock);
	return count;
}

bool sending_watches(struct sending *sending)
{
	if (!sending)
		return false;
	pthread_rwlock_rdlock(&sending->lock);
	bool watches = sending->watches;
	pthread_rwlock_unlock(&sending->lock);
	return watches;
}

static struct slice watched_prefix(struct slice number, int64_t more)
{
	char digits[4] = {0};
	bool plus = number.len > 0 && number.ptr[0] == '+';
	memcpy(digits, number.ptr + plus, number.len - plus < 3 ? number.len - plus : 3);
	size_t len = plus + sending_calling_code(digits) + (size_t)more;
	return (struct slice){number.ptr, len < number.len ? len : number.len};
}

bool sending_watch(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value, struct arena *arena,
		   struct sending_watch *watch)
{
	if (!sending || kind != CLAIM_PHONE)
		return false;
	pthread_rwlock_rdlock(&sending->lock);
	const struct realm_conf *own = find_realm(sending, realm);
	bool watched = own && own->hold_percent > 0 && !find_test_code(own, kind, value);
	if (watched)
		*watch = (struct sending_watch){.prefix = arena_copy(arena, watched_prefix(value, own->hold_digits)),
						.percent = own->hold_percent,
						.sends = own->hold_sends,
						.window_ms = own->hold_window_ms,
						.grace_ms = own->hold_grace_ms,
						.time_ms = own->hold_time_ms};
	pthread_rwlock_unlock(&sending->lock);
	return watched;
}

const char *sending_label(struct sending *sending, struct slice realm, struct arena *arena)
{
	if (!sending)
		return SENDING_OTHER_REALMS;
	pthread_rwlock_rdlock(&sending->lock);
	const struct realm_conf *own = find_realm(sending, realm);
	const char *label = own && strcmp(own->name, "*") != 0 ? arena_text(arena, own->name) : SENDING_OTHER_REALMS;
	pthread_rwlock_unlock(&sending->lock);
	return label;
}

const char *const *sending_labels(struct sending *sending, struct arena *arena, size_t *ret_count)
{
	pthread_rwlock_rdlock(&sending->lock);
	size_t count = 0;
	const char **labels = ARENA_ARRAY(arena, sending->count + 1, const char *);
	for (size_t i = 0; i < sending->count; i++)
		if (strcmp(sending->realms[i].name, "*") != 0)
			labels[count++] = arena_text(arena, sending->realms[i].name);
	pthread_rwlock_unlock(&sending->lock);
	labels[count++] = SENDING_OTHER_REALMS;
	*ret_count = count;
	return labels;
}
