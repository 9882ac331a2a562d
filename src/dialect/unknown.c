// SPDX-License-Identifier: Apache-2.0
// Members of the body that no field takes, where the dialect refuses these. Objects of which no field takes a part are free in what they hold.
#include "dialect/reading.h"

#define NAME_MAX_SHOWN 64 // of a member's name in a pointer; the name is the sender's own making

struct walk {
	struct dialect_reading *reading;
	bool one; // one violation for all
};

static bool place_leads(const struct route *route, struct slice place, struct slice pointer, bool *through, struct arena *arena)
{
	struct slice spellings[2] = {place, place};
	if (route->body.also != CASE_AS_WRITTEN)
		spellings[1] = pointer_cased(place, route->body.also == CASE_CAMEL, arena);
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		struct slice front = spellings[i], rest = spellings[i];
		for (size_t depth = pointer_depth(pointer); depth > 0 && !slice_is_absent(pointer_next(&rest)); depth--)
			;
		front.len -= rest.len;
		if (pointer_depth(front) == pointer_depth(pointer) && pointer_matches(front, pointer)) {
			*through = *through || rest.len > 0;
			return true;
		}
	}
	return false;
}

// Does a field take the member, or a part of it (through)?
static bool is_taken(const struct walk *walk, struct slice pointer, bool *through)
{
	const struct route *route = walk->reading->route;
	bool taken = false;
	for (size_t i = 0; i < route->field_count; i++)
		for (size_t j = 0; j < route->fields[i].place_count; j++)
			if (route->fields[i].places[j].source == SOURCE_BODY &&
			    place_leads(route, route->fields[i].places[j].at, pointer, through, walk->reading->arena))
				taken = true;
	return taken || (route->body.request_id.len && slice_equal(route->body.request_id, pointer));
}

static bool showable(struct slice key)
{
	for (size_t i = 0; i < key.len; i++)
		if ((unsigned char)key.ptr[i] < 0x20 || key.ptr[i] == 0x7f)
			return false;
	return key.len > 0 && key.len <= NAME_MAX_SHOWN;
}

static void walk_node(const struct walk *walk, const struct node *node, struct slice at)
{
	struct arena *arena = walk->reading->arena;
	for (size_t i = 0; i < node_count(node); i++) {
		bool through = false;
		struct slice key = node->type == NODE_MAP ? node->list.keys[i] : arena_printf(arena, "%zu", i);
		struct slice pointer = pointer_append(at, key, arena);
		if (is_taken(walk, pointer, &through)) {
			if (through)
				walk_node(walk, node->list.items[i], pointer);
		} else if (node->type == NODE_MAP) {
			if (walk->one && walk->reading->found_count && !walk->reading->found[walk->reading->found_count - 1].check)
				return;
			found_add(walk->reading, (struct found){
							 .at = walk->one       ? SLICE_LIT("")
							       : showable(key) ? pointer
									       : at,
							 .claim = -1,
						 });
		}
	}
}

void unknown_find(struct dialect_reading *reading)
{
	const struct body *body = &reading->route->body;
	const struct walk walk = {reading, body->unknown == UNKNOWN_REFUSE};
	if (body->unknown != UNKNOWN_DROP)
		walk_node(&walk, reading->root, SLICE_LIT(""));
}
