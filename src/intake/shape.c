// SPDX-License-Identifier: Apache-2.0
// What is asked, from the headers of each shape: HTTP as gateways write it, and the CloudEvents Kafka binding 1.0.2 in binary mode.
#include "intake/intake_private.h"

static struct slice upper(struct slice text, struct arena *arena)
{
	char *copy = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = (char)(text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? text.ptr[i] - 32 : text.ptr[i]);
	return (struct slice){copy, text.len};
}

// The media type without parameters (RFC 9110 section 8.3.1), lower case; absent if there is none.
static struct slice media_type(struct slice header, struct arena *arena)
{
	const char *semicolon = header.len ? memchr(header.ptr, ';', header.len) : NULL;
	struct slice type = {header.ptr, semicolon ? (size_t)(semicolon - header.ptr) : header.len};
	while (type.len && (type.ptr[0] == ' ' || type.ptr[0] == '\t'))
		type = (struct slice){type.ptr + 1, type.len - 1};
	while (type.len && (type.ptr[type.len - 1] == ' ' || type.ptr[type.len - 1] == '\t'))
		type.len--;
	if (type.len == 0)
		return SLICE_ABSENT;
	char *copy = arena_alloc(arena, type.len + 1);
	for (size_t i = 0; i < type.len; i++)
		copy[i] = (char)(type.ptr[i] >= 'A' && type.ptr[i] <= 'Z' ? type.ptr[i] + 32 : type.ptr[i]);
	return (struct slice){copy, type.len};
}

static void read_raw(const struct record *record, struct slice target, struct arena *arena, struct request *request)
{
	struct slice method = record_header_value(record, ":method");
	if (method.len)
		request->method = upper(method, arena);
	const char *question = target.len ? memchr(target.ptr, '?', target.len) : NULL;
	request->path = target;
	if (question) {
		request->path.len = (size_t)(question - target.ptr);
		request->query = (struct slice){question + 1, target.len - request->path.len - 1};
	}
}

static enum reason read_event(const struct record *record, struct request *request, struct fault *f)
{
	static const char *const required[] = {"ce_id", "ce_source", "ce_type"};
	request->event_type = record_header_value(record, "ce_type");
	if (!slice_equal_text(record_header_value(record, "ce_specversion"), "1.0"))
		return fault_set(f, REASON_EVENT_INVALID, "ce_specversion is not 1.0");
	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (record_header_value(record, required[i]).len == 0)
			return fault_set(f, REASON_EVENT_INVALID, "%s is missing or empty", required[i]);
	return REASON_OK;
}

enum reason shape_read(enum shape shape, const struct record *record, struct arena *arena, struct request *request, struct fault *f)
{
	struct slice target = record_header_value(record, ":path");
	bool has_method = record_header(record, ":method") != NULL;
	bool has_type = record_header_value(record, "ce_type").len != 0;

	request->content_type = media_type(record_header_value(record, "content-type"), arena);
	request->body = record->value;
	if (target.len == 0 && !has_method && !has_type && slice_is_absent(record->value) && record->value_size == 0)
		return fault_set(f, REASON_RECORD_TOMBSTONE, "no value and no request headers");
	if (target.len != 0 && (has_method || shape != SHAPE_CLOUDEVENTS)) {
		read_raw(record, target, arena, request);
		return REASON_OK;
	}
	if (has_type && shape != SHAPE_RAW)
		return read_event(record, request, f);
	return fault_set(f, REASON_RECORD_UNADDRESSED, "%s",
			 shape == SHAPE_RAW           ? "no :path"
			 : shape == SHAPE_CLOUDEVENTS ? "no ce_type"
						      : "no :path and no ce_type");
}
