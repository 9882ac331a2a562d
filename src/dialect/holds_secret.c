// SPDX-License-Identifier: Apache-2.0
// Values that hold a secret somewhere inside must not be shown or kept, though they are none themselves.
#include "dialect/dialect_private.h"

// Is inner the place, or inside it? Tokens "*" stand for any, on either side.
static bool covers(struct slice outer, struct slice inner)
{
	for (;;) {
		struct slice a = pointer_next(&outer), b = pointer_next(&inner);
		if (slice_is_absent(a))
			return true;
		if (slice_is_absent(b) || (!slice_equal(a, b) && !slice_equal_text(a, "*") && !slice_equal_text(b, "*")))
			return false;
	}
}

static bool is_over(const struct field *field, const struct field *secret)
{
	for (size_t i = 0; i < field->place_count; i++)
		for (size_t j = 0; j < secret->place_count; j++)
			if (field->places[i].source == SOURCE_BODY && secret->places[j].source == SOURCE_BODY &&
			    covers(field->places[i].at, secret->places[j].at))
				return true;
	return false;
}

bool holds_secret(const struct route *route, const struct field *field)
{
	for (size_t i = 0; i < route->field_count; i++)
		if (route->fields[i].secret && (!field || is_over(field, &route->fields[i])))
			return true;
	return false;
}
