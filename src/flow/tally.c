// SPDX-License-Identifier: Apache-2.0
// A text counts when its grace is over, so that those that were just sent do not look as if nobody wanted them: until then it is in one of
// a few slots of time.
#include "flow/tally.h"

#include <pthread.h>
#include <stdlib.h>

#include "enrolld/crypto/digest.h"

#define PROBES 32
#define SLOTS 8

struct slot {
	int64_t at_ns; // of its last text
	int64_t begin_ns;
	int64_t sends;
};

struct watched {
	uint64_t key; // 0: free
	char *realm;
	char *prefix;
	struct sending_watch watch; // the newest; its prefix is ours
	struct slot slots[SLOTS];   // oldest first
	size_t slot_count;
	int64_t ripe, verified;
};

struct hold {
	struct slice realm, prefix;
	int64_t until_ns;
};

struct tally {
	pthread_mutex_t lock;
	struct watched marks[TALLY_PLACES];
	struct arena *arena; // of holds
	struct hold *holds;  // in order
	size_t hold_count;
};

struct tally *tally_create(void)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	if (!tally)
		PANIC("out of memory");
	pthread_mutex_init(&tally->lock, NULL);
	tally->arena = arena_create(1024);
	return tally;
}

static void clear(struct watched *mark)
{
	free(mark->realm);
	free(mark->prefix);
	*mark = (struct watched){0};
}

void tally_destroy(struct tally *tally)
{
	if (!tally)
		return;
	for (size_t i = 0; i < TALLY_PLACES; i++)
		clear(&tally->marks[i]);
	arena_destroy(tally->arena);
	pthread_mutex_destroy(&tally->lock);
	free(tally);
}

static uint64_t key_of(struct slice realm, struct slice prefix)
{
	struct strbuf text = STRBUF_INIT(1024);
	strbuf_add_slice(&text, realm);
	strbuf_add_char(&text, '\0');
	strbuf_add_slice(&text, prefix);
	uint64_t key = digest_short(strbuf_slice(&text));
	strbuf_free(&text);
	return key ? key : 1;
}

// NULL if it is not there, or (room) there is no room.
static struct watched *find(struct tally *tally, uint64_t key, bool room)
{
	struct watched *free_place = NULL;
	for (size_t i = 0; i < PROBES; i++) {
		struct watched *mark = &tally->marks[(key + i) & (TALLY_PLACES - 1)];
		if (mark->key == key)
			return mark;
		if (mark->key == 0 && !free_place)
			free_place = mark;
	}
	return room ? free_place : NULL;
}

static char *copy(struct slice text)
{
	char *copied = strndup(text.ptr, text.len);
	if (!copied)
		PANIC("out of memory");
	return copied;
}

static struct watched *make(struct tally *tally, struct slice realm, const struct sending_watch *watch)
{
	uint64_t key = key_of(realm, watch->prefix);
	struct watched *mark = find(tally, key, true);
	if (!mark)
		return NULL;
	if (mark->key == 0)
		*mark = (struct watched){.key = key, .realm = copy(realm), .prefix = copy(watch->prefix)};
	mark->watch = *watch;
	mark->watch.prefix = slice_of(mark->prefix);
	return mark;
}

static void ripen(struct watched *mark, int64_t now_ns, size_t at_least)
{
	size_t ripe = 0;
	int64_t grace_ns = mark->watch.grace_ms * 1000000;
	while (ripe < mark->slot_count && (ripe < at_least || now_ns - mark->slots[ripe].at_ns >= grace_ns))
		mark->ripe += mark->slots[ripe++].sends;
	if (ripe == 0)
		return;
	mark->slot_count -= ripe;
	memmove(mark->slots, mark->slots + ripe, mark->slot_count * sizeof(*mark->slots));
}

void tally_sent(struct tally *tally, struct slice realm, const struct sending_watch *watch, int64_t now_ns)
{
	pthread_mutex_lock(&tally->lock);
	struct watched *mark = make(tally, realm, watch);
	if (mark) {
		int64_t width_ns = watch->grace_ms * 1000000 / (SLOTS - 2);
		struct slot *last = mark->slot_count > 0 ? &mark->slots[mark->slot_count - 1] : NULL;
		if (!last || now_ns - last->begin_ns > width_ns) {
			ripen(mark, now_ns, mark->slot_count == SLOTS);
			last = &mark->slots[mark->slot_count++];
			*last = (struct slot){.begin_ns = now_ns};
		}
		last->at_ns = now_ns;
		last->sends++;
	}
	pthread_mutex_unlock(&tally->lock);
}

void tally_verified(struct tally *tally, struct slice realm, const struct sending_watch *watch)
{
	pthread_mutex_lock(&tally->lock);
	struct watched *mark = make(tally, realm, watch);
	if (mark)
		mark->verified++;
	pthread_mutex_unlock(&tally->lock);
}

size_t tally_due(struct tally *tally, int64_t now_ns, struct arena *arena, struct prefix_count *out, size_t max)
{
	size_t count = 0;
	pthread_mutex_lock(&tally->lock);
	for (size_t i = 0; i < TALLY_PLACES && count < max; i++) {
		struct watched *mark = &tally->marks[i];
		if (mark->key == 0)
			continue;
		ripen(mark, now_ns, 0);
		if (mark->ripe == 0 && mark->verified == 0) {
			if (mark->slot_count == 0)
				clear(mark);
			continue;
		}
		out[count] = (struct prefix_count){
			.realm = arena_copy(arena, slice_of(mark->realm)),
			.prefix = arena_copy(arena, slice_of(mark->prefix)),
			.sends = mark->ripe,
			.verified = mark->verified,
			.window_ms = mark->watch.window_ms,
			.least = mark->watch.sends,
			.percent = mark->watch.percent,
			.time_ms = mark->watch.time_ms,
		};
		count++;
	}
	pthread_mutex_unlock(&tally->lock);
	return count;
}

void tally_told(struct tally *tally, const struct prefix_count *counts, size_t count)
{
	pthread_mutex_lock(&tally->lock);
	for (size_t i = 0; i < count; i++) {
		struct watched *mark = find(tally, key_of(counts[i].realm, counts[i].prefix), false);
		if (!mark)
			PANIC("a prefix was forgotten before it was told");
		mark->ripe -= counts[i].sends;
		mark->verified -= counts[i].verified;
	}
	pthread_mutex_unlock(&tally->lock);
}

static int compare(const void *a, const void *b)
{
	const struct hold *left = a, *right = b;
	int order = slice_compare(left->realm, right->realm);
	return order ? order : slice_compare(left->prefix, right->prefix);
}

void tally_hold(struct tally *tally, const struct prefix_hold *holds, size_t count, int64_t now_ns)
{
	pthread_mutex_lock(&tally->lock);
	arena_reset(tally->arena);
	tally->holds = ARENA_ARRAY(tally->arena, count, struct hold);
	tally->hold_count = count;
	for (size_t i = 0; i < count; i++)
		tally->holds[i] = (struct hold){.realm = arena_copy(tally->arena, holds[i].realm),
						.prefix = arena_copy(tally->arena, holds[i].prefix),
						.until_ns = now_ns + holds[i].left_ms * 1000000};
	if (count > 0)
		qsort(tally->holds, count, sizeof(*tally->holds), compare);
	pthread_mutex_unlock(&tally->lock);
}

bool tally_held(struct tally *tally, struct slice realm, struct slice prefix, int64_t now_ns)
{
	const struct hold key = {.realm = realm, .prefix = prefix};
	pthread_mutex_lock(&tally->lock);
	const struct hold *found = tally->hold_count ? bsearch(&key, tally->holds, tally->hold_count, sizeof(key), compare) : NULL;
	bool held = found && now_ns < found->until_ns;
	pthread_mutex_unlock(&tally->lock);
	return held;
}
