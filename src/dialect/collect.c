// SPDX-License-Identifier: Apache-2.0
// Which of the things that were found are told, and in which order.
#include <stdint.h>
#include <stdlib.h>

#include "dialect/reading.h"

struct sorting {
	size_t field; // place in the order of fields; those of the whole come last
	size_t order; // within it
	size_t at;    // where it was found, so that equals stay in order
	const struct found *found;
};

// The place of what was found in the order that the dialect wants: unknown members where it wants them, rules over the whole last.
static size_t place_of(const struct route *route, const struct found *found)
{
	if (!found->field)
		return !found->check && route->body.unknown_told == UNKNOWN_FIRST ? 0 : SIZE_MAX;
	size_t index = (size_t)(found->field - route->fields);
	if (!route->collect.breadth_first)
		return index + 1;
	for (size_t i = 0; i < route->field_count; i++)
		if (route->by_depth[i] == index)
			return i + 1;
	return index + 1;
}

static int by_place(const void *a, const void *b)
{
	const struct sorting *left = a, *right = b;
	if (left->field != right->field)
		return left->field < right->field ? -1 : 1;
	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return (left->at > right->at) - (left->at < right->at);
}

static void add(const struct dialect_reading *reading, const struct found *found, struct sorting *list, size_t *count)
{
	const struct collect *c = &reading->route->collect;
	// Items of a list one after the other, not rule by rule.
	size_t order = found->field && found->field->wild ? 0 : c->reversed ? SIZE_MAX - found->order : found->order;
	if (!found->field)
		order = found->check ? found->order + 1 : 0; // unknown members, then rules over the whole
	list[*count] = (struct sorting){place_of(reading->route, found), order, *count, found};
	(*count)++;
}

static size_t first_stage(const struct dialect_reading *reading, const bool *taken)
{
	size_t stage = SIZE_MAX;
	for (size_t i = 0; i < reading->found_count; i++)
		if (reading->found[i].stage < stage)
			stage = reading->found[i].stage;
	for (size_t i = 0; taken && i < reading->unique_count; i++)
		if (taken[reading->uniques[i].claim] && reading->uniques[i].stage < stage)
			stage = reading->uniques[i].stage;
	return stage;
}

static struct violation violation_of(const struct found *found)
{
	if (!found->check)
		return (struct violation){.field = found->at, .code = SLICE_LIT("unknown_field"), .text = SLICE_LIT("")};
	return (struct violation){.field = found->at, .code = found->check->code, .text = SLICE_LIT("")};
}

static bool same_place(const struct found *a, const struct found *b)
{
	return a->field == b->field && a->field != NULL && slice_equal(a->at, b->at);
}

void collect(const struct dialect_reading *reading, const bool *taken, struct arena *arena, struct violation **violations,
	     size_t *count, bool *unique)
{
	struct sorting *list = ARENA_ARRAY(arena, VIOLATIONS_MAX + CLAIMS_MAX, struct sorting);
	size_t listed = 0, stage = first_stage(reading, taken);
	for (size_t i = 0; i < reading->found_count; i++)
		if (reading->found[i].stage == stage)
			add(reading, &reading->found[i], list, &listed);
	*unique = listed == 0;
	for (size_t i = 0; taken && i < reading->unique_count; i++)
		if (taken[reading->uniques[i].claim] && reading->uniques[i].stage == stage)
			add(reading, &reading->uniques[i], list, &listed);
	if (listed)
		qsort(list, listed, sizeof(*list), by_place);
	*violations = ARENA_ARRAY(arena, VIOLATIONS_MAX, struct violation);
	*count = 0;
	for (size_t i = 0; i < listed && *count < VIOLATIONS_MAX; i++) {
		if (reading->route->collect.take == TAKE_FIRST && *count)
			break;
		if (reading->route->collect.take != TAKE_ALL && i && same_place(list[i].found, list[i - 1].found))
			continue;
		(*violations)[(*count)++] = violation_of(list[i].found);
	}
}
