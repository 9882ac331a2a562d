// SPDX-License-Identifier: Apache-2.0
// A table with one place for each hash: a newer limit takes the place of an older one.
#include "flow/spent.h"

#include <pthread.h>
#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/crypto/digest.h"

#define PLACES 1024 // a power of two

struct place {
	uint64_t key;
	int64_t until_ns; // monotonic
};

struct spent {
	pthread_mutex_t lock;
	struct place places[PLACES];
};

struct spent *spent_create(void)
{
	struct spent *spent = calloc(1, sizeof(*spent));
	if (!spent)
		PANIC("out of memory");
	pthread_mutex_init(&spent->lock, NULL);
	return spent;
}

void spent_destroy(struct spent *spent)
{
	if (!spent)
		return;
	pthread_mutex_destroy(&spent->lock);
	free(spent);
}

static uint64_t key_of(const struct request *request, const struct limit_use *use)
{
	struct strbuf text = STRBUF_INIT(1024);
	strbuf_add_slice(&text, request->realm);
	strbuf_add_char(&text, '\0');
	strbuf_add_text(&text, use->name);
	strbuf_add_char(&text, '\0');
	strbuf_add_slice(&text, use->subject);
	uint64_t key = digest_short(strbuf_slice(&text));
	strbuf_free(&text);
	return key;
}

void spent_note(struct spent *spent, const struct store_item *item)
{
	for (size_t i = 0; i < item->changes->limit_count; i++) {
		const struct limit_use *use = &item->changes->limits[i];
		const struct limit_state *state = &item->facts->limits[i];
		if (state->used < use->allowed)
			continue;
		int64_t left_ms = state->resets_ms - item->facts->now_ms;
		struct place place = {key_of(item->request, use), clock_mono_ns() + left_ms * 1000000};
		pthread_mutex_lock(&spent->lock);
		spent->places[place.key & (PLACES - 1)] = place;
		pthread_mutex_unlock(&spent->lock);
	}
}

bool spent_holds(struct spent *spent, const struct request *request, const struct changes *changes)
{
	bool holds = false;
	for (size_t i = 0; i < changes->limit_count && !holds; i++) {
		if (!changes->counts[i])
			continue;
		uint64_t key = key_of(request, &changes->limits[i]);
		pthread_mutex_lock(&spent->lock);
		const struct place *place = &spent->places[key & (PLACES - 1)];
		holds = place->key == key && clock_mono_ns() < place->until_ns;
		pthread_mutex_unlock(&spent->lock);
	}
	return holds;
}
