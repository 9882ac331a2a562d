// SPDX-License-Identifier: Apache-2.0
// The search for a free value, a few candidates at a time.
#include "store/proposal.h"

#include <stdio.h>

#include "enrolld/base/utf8.h"

#define CHUNK_GROWTH 8
#define DOUBLINGS 40
#define PARTS 64 // of an interval at once

// The front of a text, in code points.
static struct slice cut(struct slice text, size_t max)
{
	struct slice rest = text;
	for (size_t i = 0; i < max && rest.len > 0; i++) {
		uint32_t code_point;
		size_t len = utf8_next(rest, &code_point);
		rest = (struct slice){rest.ptr + len, rest.len - len};
	}
	return (struct slice){text.ptr, text.len - rest.len};
}

struct slice proposal_value(const struct derived_claim *derived, int64_t n, struct arena *arena)
{
	if (n == 1)
		return cut(derived->stem, derived->max);
	char tail[24];
	struct strbuf value = STRBUF_INIT(4 * (DERIVED_LENGTH_MAX + sizeof(tail)));
	int len = snprintf(tail, sizeof(tail), "-%lld", (long long)n);
	strbuf_add_slice(&value, cut(derived->stem, derived->max - (size_t)len));
	strbuf_add_text(&value, tail);
	struct slice copy = arena_copy(arena, strbuf_slice(&value));
	strbuf_free(&value);
	return copy;
}

static void probe(struct proposal *p, int64_t n)
{
	p->probes[p->probe_count++] = n;
}

static void choose_probes(struct proposal *p, struct arena *arena)
{
	int64_t chunk = p->low == 0 ? PROPOSAL_FIRST : CHUNK_GROWTH * p->low;
	if (chunk > PROPOSAL_PROBES)
		chunk = PROPOSAL_PROBES;
	p->probes = ARENA_ARRAY(arena, p->low == 0 ? PROPOSAL_FIRST : PROPOSAL_PROBES, int64_t);
	p->probe_count = 0;
	switch (p->way) {
	case PROPOSAL_COUNTING:
		for (int64_t n = p->low + 1; n <= p->low + chunk && n <= PROPOSAL_LINEAR; n++)
			probe(p, n);
		break;
	case PROPOSAL_DOUBLING:
		for (int i = 1; i <= DOUBLINGS; i++)
			probe(p, p->low << i);
		break;
	case PROPOSAL_HALVING:
		for (int64_t i = 1, last = p->low; i < PARTS; i++) {
			int64_t n = p->low + (p->high - p->low) * i / PARTS;
			if (n > last && n < p->high)
				probe(p, n);
			last = n;
		}
		break;
	}
}

void proposal_begin(struct proposal *p)
{
	p->way = PROPOSAL_COUNTING;
	p->low = 0;
	*p->value = SLICE_ABSENT;
}

size_t proposal_ask(struct proposal *p, struct arena *arena, struct claim_ref *claims, size_t count)
{
	choose_probes(p, arena);
	p->first = count;
	struct claim *candidates = ARENA_ARRAY(arena, p->probe_count, struct claim);
	for (size_t i = 0; i < p->probe_count; i++) {
		candidates[i] = (struct claim){.kind = p->derived->kind, .value = proposal_value(p->derived, p->probes[i], arena)};
		claims[count++] = (struct claim_ref){.item = p->item, .request = p->request, .claim = &candidates[i]};
	}
	return count;
}

static bool settle(struct proposal *p, int64_t n, struct arena *arena)
{
	*p->value = proposal_value(p->derived, n, arena);
	return true;
}

bool proposal_hear(struct proposal *p, const bool *taken, struct arena *arena)
{
	size_t held = 0; // probes before the first free one
	while (held < p->probe_count && taken[p->first + held])
		held++;
	if (held > 0)
		p->low = p->probes[held - 1];
	bool free_seen = held < p->probe_count;
	if (free_seen)
		p->high = p->probes[held];
	if (p->way == PROPOSAL_COUNTING) {
		if (free_seen)
			return settle(p, p->high, arena);
		if (p->low >= PROPOSAL_LINEAR)
			p->way = PROPOSAL_DOUBLING;
		return false;
	}
	if (p->way == PROPOSAL_DOUBLING && !free_seen)
		PANIC("a derived claim has %lld values that are taken", (long long)p->low);
	p->way = PROPOSAL_HALVING;
	return p->high == p->low + 1 && settle(p, p->high, arena);
}
