// SPDX-License-Identifier: Apache-2.0
// The body of a request as a tree.
#include "dialect/reading.h"

static bool media_fits(struct slice pattern, struct slice media)
{
	const char *star = memchr(pattern.ptr, '*', pattern.len);
	if (!star)
		return slice_equal(pattern, media);
	size_t before = (size_t)(star - pattern.ptr), after = pattern.len - before - 1;
	return media.len >= before + after && memcmp(media.ptr, pattern.ptr, before) == 0 &&
	       memcmp(media.ptr + media.len - after, star + 1, after) == 0;
}

static bool media_accepted(const struct body *body, struct slice media)
{
	if (slice_is_absent(media)) // who says nothing means what is expected
		return true;
	for (size_t i = 0; i < body->media_count; i++)
		if (media_fits(body->media[i], media))
			return true;
	return false;
}

static const struct node *empty_object(struct arena *arena)
{
	struct node *node = ARENA_NEW(arena, struct node);
	node->type = NODE_MAP;
	return node;
}

static enum reason parse_json(struct dialect_reading *reading, const struct body *body, struct fault *f)
{
	const struct request *request = reading->request;
	enum reason reason = body->duplicates_last
				     ? json_parse_loose(request->body, body->limits, reading->arena, &reading->root, f)
				     : json_parse(request->body, body->limits, reading->arena, &reading->root, f);
	if (reason == REASON_OK)
		return reason;
	struct json_place place;
	if (python_json_error(request->body, &place)) {
		reading->parse_message = slice_of(place.message);
		reading->parse_position = place.position;
		reading->parse_line = place.line;
		reading->parse_column = place.column;
		if (body->python_errors)
			reading->parse_error = arena_printf(reading->arena, "%s: line %zu column %zu (char %zu)", place.message,
							    place.line, place.column, place.position);
	}
	if (slice_is_absent(reading->parse_error))
		reading->parse_error = arena_copy(reading->arena, slice_of(f->detail));
	return reason;
}

static enum reason parse_text(struct dialect_reading *reading, const struct body *body, struct fault *f)
{
	const struct request *request = reading->request;
	enum reason reason;
	if (slice_equal_text(request->content_type, "application/x-www-form-urlencoded")) {
		reading->is_form = true;
		reason = form_parse(body, request->body, reading->arena, &reading->root, f);
	} else if (slice_equal_text(request->content_type, "multipart/form-data")) {
		reading->is_form = true;
		struct slice sent = request_header_value(request, "content-type");
		reason = multipart_parse(body, sent, request->body, reading->arena, &reading->root, f);
	} else {
		return parse_json(reading, body, f);
	}
	if (reason != REASON_OK)
		reading->parse_error = arena_copy(reading->arena, slice_of(f->detail));
	return reason;
}

enum reason parse_body(struct dialect_reading *reading, struct fault *f)
{
	const struct body *body = &reading->route->body;
	const struct request *request = reading->request;
	if (request->body.len == 0 && body->none_is_object) {
		reading->root = empty_object(reading->arena);
	} else {
		if (!media_accepted(body, request->content_type))
			return fault_set(f, REASON_MEDIA_TYPE_UNSUPPORTED, "the content type is not one of the route's");
		if (request->body.len == 0)
			return fault_set(f, REASON_RECORD_EMPTY, "no body");
		enum reason reason = parse_text(reading, body, f);
		if (reason != REASON_OK)
			return reason;
	}
	reading->type = body->types[reading->root->type].ptr;
	if (reading->route->root.count == 0 && !node_is(reading->root, NODE_MAP))
		return fault_set(f, REASON_JSON_NOT_OBJECT, "the body is %s", node_type_name(reading->root->type));
	return REASON_OK;
}
