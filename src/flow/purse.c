// SPDX-License-Identifier: Apache-2.0
// A table of budgets. When it is full one makes room, and what was left of it is nobody's until its window ends: less is sent then, never more.
#include "flow/purse.h"

#include <pthread.h>
#include <stdlib.h>

#include "enrolld/base/metric.h"
#include "enrolld/crypto/digest.h"

#define PLACES 1024 // a power of two
#define PROBES 16
#define DRY_NS INT64_C(1000000000)

struct pocket {
	uint64_t key; // 0: free
	char *realm, *name, *label;
	int64_t allowed, used;
	int64_t units;
	int64_t start_ms, until_ns; // of the window; the latter is never after its end
	int64_t dry_ns;             // nothing is asked for before
	int64_t told_ms;            // window that was told to be used up
	int64_t touched_ns;
};

struct purse {
	pthread_mutex_t lock;
	struct pocket pockets[PLACES];
};

struct purse *purse_create(void)
{
	struct purse *purse = calloc(1, sizeof(*purse));
	if (!purse)
		PANIC("out of memory");
	pthread_mutex_init(&purse->lock, NULL);
	return purse;
}

static void clear(struct pocket *pocket)
{
	free(pocket->realm);
	free(pocket->name);
	free(pocket->label);
	*pocket = (struct pocket){0};
}

void purse_destroy(struct purse *purse)
{
	if (!purse)
		return;
	for (size_t i = 0; i < PLACES; i++)
		clear(&purse->pockets[i]);
	pthread_mutex_destroy(&purse->lock);
	free(purse);
}

static uint64_t key_of(const struct sending_budget *budget)
{
	struct strbuf text = STRBUF_INIT(1024);
	strbuf_add_slice(&text, budget->realm);
	strbuf_add_char(&text, '\0');
	strbuf_add_slice(&text, budget->name);
	uint64_t key = digest_short(strbuf_slice(&text));
	strbuf_free(&text);
	return key ? key : 1;
}

static struct pocket *find(struct purse *purse, uint64_t key)
{
	for (size_t i = 0; i < PROBES; i++) {
		struct pocket *pocket = &purse->pockets[(key + i) & (PLACES - 1)];
		if (pocket->key == key)
			return pocket;
	}
	return NULL;
}

static char *copy(struct slice text)
{
	char *copied = strndup(text.ptr, text.len);
	if (!copied)
		PANIC("out of memory");
	return copied;
}

static struct pocket *make(struct purse *purse, const struct sending_budget *budget, uint64_t key, int64_t now_ns)
{
	struct pocket *best = find(purse, key);
	if (best)
		return best;
	for (size_t i = 0; i < PROBES && !(best && best->key == 0); i++) {
		struct pocket *pocket = &purse->pockets[(key + i) & (PLACES - 1)];
		if (!best || pocket->key == 0 || (pocket->until_ns <= now_ns && best->until_ns > now_ns))
			best = pocket;
	}
	clear(best);
	*best = (struct pocket){.key = key,
				.realm = copy(budget->realm),
				.name = copy(budget->name),
				.label = budget->label ? copy(slice_of(budget->label)) : NULL};
	return best;
}

static bool has_one(const struct pocket *pocket, int64_t now_ns)
{
	return pocket && pocket->units > 0 && now_ns < pocket->until_ns;
}

bool purse_take(struct purse *purse, const struct sending_budget *budgets, size_t count, int64_t now_ns, struct grant *grants,
		size_t *lacking)
{
	size_t having = 0;
	pthread_mutex_lock(&purse->lock);
	for (; having < count; having++) {
		uint64_t key = key_of(&budgets[having]);
		const struct pocket *pocket = find(purse, key);
		if (!has_one(pocket, now_ns))
			break;
		grants[having] = (struct grant){key, pocket->start_ms};
	}
	for (size_t i = 0; having == count && i < count; i++) {
		struct pocket *pocket = find(purse, grants[i].key);
		pocket->units--;
		pocket->touched_ns = now_ns;
	}
	pthread_mutex_unlock(&purse->lock);
	if (having < count)
		*lacking = having;
	return having == count;
}

void purse_give_back(struct purse *purse, const struct grant *grants, size_t count)
{
	pthread_mutex_lock(&purse->lock);
	for (size_t i = 0; i < count; i++) {
		struct pocket *pocket = find(purse, grants[i].key);
		if (pocket && pocket->start_ms == grants[i].start_ms)
			pocket->units++;
	}
	pthread_mutex_unlock(&purse->lock);
}

int64_t purse_left(struct purse *purse, const struct sending_budget *budget, int64_t now_ns)
{
	pthread_mutex_lock(&purse->lock);
	const struct pocket *pocket = find(purse, key_of(budget));
	int64_t left = has_one(pocket, now_ns) ? pocket->units : 0;
	pthread_mutex_unlock(&purse->lock);
	return left;
}

bool purse_is_dry(struct purse *purse, const struct sending_budget *budget, int64_t now_ns)
{
	pthread_mutex_lock(&purse->lock);
	const struct pocket *pocket = find(purse, key_of(budget));
	bool dry = pocket && !has_one(pocket, now_ns) && now_ns < pocket->dry_ns && budget->allowed <= pocket->allowed;
	pthread_mutex_unlock(&purse->lock);
	return dry;
}

static void show(const struct pocket *pocket, int64_t used)
{
	if (!pocket->label)
		return;
	metric_set(METRIC_budget_used, METRIC_LABELS(pocket->label, pocket->name), (double)used);
	metric_set(METRIC_budget_allowed, METRIC_LABELS(pocket->label, pocket->name), (double)pocket->allowed);
}

bool purse_fill(struct purse *purse, const struct sending_budget *budget, const struct budget_lease *lease, int64_t asked_ns)
{
	pthread_mutex_lock(&purse->lock);
	struct pocket *pocket = make(purse, budget, key_of(budget), asked_ns);
	if (lease->start_ms < pocket->start_ms) { // another thread has leased of the next window meanwhile
		pthread_mutex_unlock(&purse->lock);
		return false;
	}
	if (pocket->start_ms != lease->start_ms || asked_ns >= pocket->until_ns)
		pocket->units = 0;
	pocket->start_ms = lease->start_ms;
	pocket->until_ns = asked_ns + lease->left_ms * 1000000;
	pocket->units += lease->given;
	pocket->allowed = lease->allowed;
	pocket->used = lease->used;
	pocket->touched_ns = asked_ns;
	bool dry = lease->given < lease->asked, news = dry && pocket->told_ms != lease->start_ms;
	if (dry) {
		pocket->told_ms = lease->start_ms;
		pocket->dry_ns = asked_ns + DRY_NS < pocket->until_ns ? asked_ns + DRY_NS : pocket->until_ns;
	}
	show(pocket, pocket->used);
	pthread_mutex_unlock(&purse->lock);
	return news;
}

size_t purse_empty(struct purse *purse, int64_t idle_ns, int64_t now_ns, struct arena *arena, struct budget_return *out, size_t max)
{
	size_t count = 0;
	pthread_mutex_lock(&purse->lock);
	for (size_t i = 0; i < PLACES && count < max; i++) {
		struct pocket *pocket = &purse->pockets[i];
		if (!has_one(pocket, now_ns) || pocket->touched_ns > idle_ns)
			continue;
		out[count] = (struct budget_return){.realm = arena_copy(arena, slice_of(pocket->realm)),
						    .name = arena_copy(arena, slice_of(pocket->name)),
						    .start_ms = pocket->start_ms,
						    .count = pocket->units};
		count++;
		pocket->used -= pocket->units;
		pocket->units = 0;
		show(pocket, pocket->used);
	}
	pthread_mutex_unlock(&purse->lock);
	return count;
}

void purse_measure(struct purse *purse, int64_t now_ns)
{
	pthread_mutex_lock(&purse->lock);
	for (size_t i = 0; i < PLACES; i++)
		if (purse->pockets[i].key && purse->pockets[i].until_ns <= now_ns)
			show(&purse->pockets[i], 0);
	pthread_mutex_unlock(&purse->lock);
}
