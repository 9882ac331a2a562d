// SPDX-License-Identifier: Apache-2.0
// Order keys: one queue of tickets for each key, in order of arrival, in a hash table of the keys in hand.
#include "flow/order.h"

#include <pthread.h>
#include <stdlib.h>

#include "enrolld/crypto/digest.h"

#define BUCKETS 4096 // a power of two; the window bounds what is in the table

struct key_queue {
	uint64_t key;
	size_t length;
	struct order_ticket *head, *tail;
	struct key_queue *next;
};

struct order {
	pthread_mutex_t lock;
	size_t limit;
	size_t waiting;
	uint64_t groups; // numbers given to releases
	struct key_queue *buckets[BUCKETS];
};

struct order *order_create(size_t limit)
{
	struct order *order = calloc(1, sizeof(*order));
	if (!order)
		PANIC("out of memory");
	order->limit = limit ? limit : 1;
	pthread_mutex_init(&order->lock, NULL);
	return order;
}

void order_destroy(struct order *order)
{
	if (!order)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		if (order->buckets[i])
			PANIC("order keys are destroyed while requests hold some");
	pthread_mutex_destroy(&order->lock);
	free(order);
}

static uint64_t key_of(char kind, struct slice realm, struct slice a, struct slice b)
{
	char bytes[1024];
	struct strbuf text = STRBUF_INIT(sizeof(bytes));
	strbuf_add_char(&text, kind);
	strbuf_add_slice(&text, realm);
	strbuf_add_char(&text, '\0');
	strbuf_add_slice(&text, a);
	strbuf_add_char(&text, '\0');
	strbuf_add_slice(&text, b);
	uint64_t key = digest_short(strbuf_slice(&text));
	strbuf_free(&text);
	return key;
}

static void list_keys(struct work *work)
{
	struct order_place *place = &work->order;
	place->count = 0;
	place->tickets[place->count++].key = key_of('r', work->request.realm, work->request.route, work->request.request_id);
	const struct registration *r = &work->registration;
	for (size_t i = 0; work_asks_claims(work) && i < r->claim_count; i++)
		place->tickets[place->count++].key = key_of('c', work->request.realm, slice_of(claim_kind_name(r->claims[i].kind)),
							    r->claims[i].value);
	const struct code_use *code = &r->code;
	if (work_asks_claims(work) && code->token_count > 0)
		place->tickets[place->count++].key = key_of(
			't', work->request.realm, (struct slice){(const char *)code->token_digests[0], DIGEST_SIZE}, SLICE_LIT(""));
	else if (work_asks_claims(work) && code->has_challenge)
		place->tickets[place->count++].key = key_of(
			't', work->request.realm,
			(struct slice){(const char *)code->challenge_id.bytes, sizeof(code->challenge_id.bytes)}, SLICE_LIT(""));
	else if (work_asks_claims(work) && code->by_caller)
		place->tickets[place->count++].key = key_of('v', work->request.realm,
							    (struct slice){(const char *)code->callers[0], DIGEST_SIZE},
							    slice_of(claim_kind_name(code->kind)));
	if (work_asks_claims(work) && r->session.digest_count > 0)
		place->tickets[place->count++].key = key_of(
			's', work->request.realm, (struct slice){(const char *)r->session.digests[0], DIGEST_SIZE}, SLICE_LIT(""));
	place->stems_from = place->count;
	for (size_t i = 0; work->refusal == REASON_OK && i < r->derived_count; i++)
		place->tickets[place->count++].key = key_of('d', work->request.realm, slice_of(claim_kind_name(r->derived[i].kind)),
							    r->derived[i].stem);
}

static struct key_queue **find(struct order *order, uint64_t key)
{
	struct key_queue **at = &order->buckets[key & (BUCKETS - 1)];
	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

static void join(struct order *order, struct order_ticket *ticket)
{
	struct key_queue **at = find(order, ticket->key);
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			PANIC("out of memory");
		(*at)->key = ticket->key;
	}
	struct key_queue *q = *at;
	ticket->next = NULL;
	ticket->prev = q->tail;
	*(q->tail ? &q->tail->next : &q->head) = ticket;
	q->tail = ticket;
	q->length++;
}

static void part(struct order *order, struct order_ticket *ticket)
{
	struct key_queue **at = find(order, ticket->key);
	struct key_queue *q = *at;
	if (!q)
		PANIC("a ticket stands in no queue");
	*(ticket->prev ? &ticket->prev->next : &q->head) = ticket->next;
	*(ticket->next ? &ticket->next->prev : &q->tail) = ticket->prev;
	if (--q->length == 0) {
		*at = q->next;
		free(q);
	}
}

// May the other work, which stands before ours on ticket index of ours, still change what ours looks at?
static bool blocks(const struct work *other, const struct work *ours, size_t ticket)
{
	switch (other->order.stage) {
	case ORDER_ANSWERING: return false;
	case ORDER_REFUSING: return ticket == 0; // its row; it takes no claim
	case ORDER_LOOKING:
	case ORDER_WAITING:
		return ticket >= ours->order.stems_from || other->order.group == 0 || other->order.group != ours->order.group;
	case ORDER_CHANGING:
	case ORDER_OUTSIDE: break;
	}
	return true;
}

// tickets: how many of the work's keys count (1: the request id alone).
static bool is_blocked(const struct work *work, size_t tickets)
{
	for (size_t i = 0; i < tickets; i++)
		for (const struct order_ticket *t = work->order.tickets[i].prev; t; t = t->prev)
			if (blocks(t->work, work, i))
				return true;
	return false;
}

// As is_blocked, but fellows of the same release count too: of several that would change something the first goes on.
static bool is_behind(const struct work *work, size_t tickets)
{
	for (size_t i = 0; i < tickets; i++)
		for (const struct order_ticket *t = work->order.tickets[i].prev; t; t = t->prev)
			if (t->work->order.stage != ORDER_ANSWERING && (i == 0 || t->work->order.stage != ORDER_REFUSING))
				return true;
	return false;
}

enum order_entry order_enter(struct order *order, struct work *work)
{
	struct order_place *place = &work->order;
	list_keys(work);
	enum order_entry entry = ORDER_FIRST;
	pthread_mutex_lock(&order->lock);
	for (size_t i = 0; i < place->count && entry == ORDER_FIRST; i++) {
		struct key_queue *q = *find(order, place->tickets[i].key);
		if (q && q->length >= order->limit)
			entry = ORDER_KEY_FULL;
	}
	if (entry == ORDER_FIRST) {
		for (size_t i = 0; i < place->count; i++) {
			place->tickets[i].work = work;
			join(order, &place->tickets[i]);
		}
		place->group = 0;
		place->stage = ORDER_WAITING;
		if (is_blocked(work, place->count)) {
			entry = ORDER_MUST_WAIT;
			order->waiting++;
		} else {
			place->stage = ORDER_LOOKING;
		}
	}
	pthread_mutex_unlock(&order->lock);
	return entry;
}

bool order_go_on(struct order *order, struct work *work, enum order_need need)
{
	static const size_t tickets[] = {[ORDER_NEED_NOTHING] = 0, [ORDER_NEED_ID] = 1, [ORDER_NEED_ALL] = ORDER_KEYS_MAX};
	struct order_place *place = &work->order;
	size_t count = tickets[need] < place->count ? tickets[need] : place->count;
	pthread_mutex_lock(&order->lock);
	bool go = !is_behind(work, count);
	if (go) {
		place->stage = need == ORDER_NEED_NOTHING ? ORDER_ANSWERING
			       : need == ORDER_NEED_ID    ? ORDER_REFUSING
							  : ORDER_CHANGING;
	} else {
		place->group = 0;
		place->stage = ORDER_WAITING;
		order->waiting++;
	}
	pthread_mutex_unlock(&order->lock);
	return go;
}

static void release(struct order *order, struct work *work, struct work ***tail)
{
	work->order.stage = ORDER_LOOKING;
	work->order.released_next = NULL;
	order->waiting--;
	**tail = work;
	*tail = &work->order.released_next;
}

// Waiters of the key that nobody outside this release holds up. Order of arrival makes those before it in the queue come first.
static void release_waiters(struct order *order, uint64_t key, uint64_t group, struct work ***tail)
{
	struct key_queue *q = *find(order, key);
	if (!q)
		return;
	for (struct order_ticket *t = q->head; t; t = t->next) {
		struct work *work = t->work;
		if (work->order.stage != ORDER_WAITING)
			continue;
		work->order.group = group;
		if (is_blocked(work, work->order.count))
			work->order.group = 0;
		else
			release(order, work, tail);
	}
}

struct work *order_leave(struct order *order, struct work *work)
{
	struct order_place *place = &work->order;
	struct work *released = NULL, **tail = &released;
	pthread_mutex_lock(&order->lock);
	if (place->stage == ORDER_WAITING)
		order->waiting--;
	for (size_t i = 0; i < place->count && place->stage != ORDER_OUTSIDE; i++)
		part(order, &place->tickets[i]);
	if (place->stage != ORDER_OUTSIDE) {
		place->stage = ORDER_OUTSIDE;
		uint64_t group = ++order->groups;
		for (size_t i = 0; i < place->count; i++)
			release_waiters(order, place->tickets[i].key, group, &tail);
	}
	pthread_mutex_unlock(&order->lock);
	return released;
}

struct work *order_next(const struct work *work)
{
	return work->order.released_next;
}

size_t order_waiting(struct order *order)
{
	pthread_mutex_lock(&order->lock);
	size_t n = order->waiting;
	pthread_mutex_unlock(&order->lock);
	return n;
}
