// SPDX-License-Identifier: Apache-2.0
// Claims that others hold, in the frontend's own words.
#include "dialect/dialect_private.h"

static const struct field *field_of(const struct route *route, const struct claim *claim)
{
	for (size_t i = 0; i < route->field_count; i++)
		if (slice_equal_text(route->fields[i].from, claim->field))
			return &route->fields[i];
	return NULL;
}

void dialect_taken(const struct route *route, const struct registration *registration, const bool taken[static CLAIMS_MAX],
		   struct arena *arena, struct violation **violations, size_t *count)
{
	struct violation *list = ARENA_ARRAY(arena, *count + CLAIMS_MAX, struct violation);
	size_t used = *count;
	if (used)
		memcpy(list, *violations, used * sizeof(*list));
	for (size_t i = 0; i < registration->claim_count; i++) {
		const struct field *field = field_of(route, &registration->claims[i]);
		if (!taken[i] || !field || !field->unique)
			continue;
		list[used++] = (struct violation){
			.field = field->unique->at, .code = field->unique->code, .text = field->unique->text};
		if (route->collect == COLLECT_FIRST)
			break;
	}
	*violations = list;
	*count = used;
}
