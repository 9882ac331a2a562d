// SPDX-License-Identifier: Apache-2.0
// What is asked: from the record, as its topic's shape has it, and what the record leaves open from the topic's settings.
#include "intake/shape.h"

#include "intake/intake_private.h"

static const struct {
	const char *name, *text;
	const struct shape_kind *kind;
} shapes[] = {
#define SHAPE(id, name, setting, text) [SHAPE_##id] = {setting, text, &shape_##name},
#include "enrolld/intake/shapes.def"
#undef SHAPE
};

const struct shape_kind *shape_of(enum shape shape)
{
	return shapes[shape].kind;
}

const char *shape_name(enum shape shape)
{
	return shapes[shape].name;
}

bool shape_row(size_t index, struct shape_row *row)
{
	static const char *const replies[] = {"",
					      "zilla",
					      "spring",
					      "zilla, spring",
					      "cloudevents",
					      "zilla, cloudevents",
					      "spring, cloudevents",
					      "zilla, spring, cloudevents"};
	if (index >= ARRAY_LEN(shapes))
		return false;
	const struct shape_kind *kind = shapes[index].kind;
	*row = (struct shape_row){shapes[index].name, shapes[index].text,     kind->asks,     kind->body,
				  kind->request_id,   replies[kind->replies], kind->configure};
	return true;
}

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

bool target_parse(struct slice text, struct target *target)
{
	*target = (struct target){0};
	if (slice_is_absent(text) || !text_printable(text, TARGET_MAX))
		return false;
	const char *space = memchr(text.ptr, ' ', text.len);
	if (!space) {
		target->event_type = text;
		return text.ptr[0] != '/';
	}
	target->method = (struct slice){text.ptr, (size_t)(space - text.ptr)};
	target->path = (struct slice){space + 1, text.len - target->method.len - 1};
	return target->method.len && target->path.len && target->path.ptr[0] == '/' &&
	       !memchr(target->path.ptr, ' ', target->path.len);
}

// What the topic says of records that do not say it themselves. A header that is there and cannot be read is no reason to guess.
static struct target target_of(const struct topic_conf *topic, const struct record *record)
{
	struct target target = {0};
	struct slice text = SLICE_ABSENT;
	if (topic->target_header && *topic->target_header)
		text = record_header_value(record, topic->target_header);
	if (text.len == 0)
		text = slice_of(topic->target);
	if (!target_parse(text, &target))
		target = (struct target){0};
	return target;
}

static void set_path(struct request *request, struct slice target)
{
	const char *question = target.len ? memchr(target.ptr, '?', target.len) : NULL;
	request->path = target;
	if (question) {
		request->path.len = (size_t)(question - target.ptr);
		request->query = (struct slice){question + 1, target.len - request->path.len - 1};
	}
}

// false: nobody says what is asked.
static bool address(const struct target *target, const struct asked *asked, struct arena *arena, struct request *request)
{
	bool http = asked->method.len || asked->target.len;
	request->event_type = asked->event_type;
	if (request->event_type.len == 0 && !http)
		request->event_type = target->event_type;
	if (request->event_type.len)
		return true;
	request->event_type = SLICE_ABSENT;
	if (asked->method.len)
		request->method = asked->method;
	else if (target->method.len)
		request->method = upper(target->method, arena);
	set_path(request, asked->target.len ? asked->target : target->path);
	return request->path.len != 0 || !slice_is_absent(request->query);
}

// An envelope's headers stand before the record's, so that these are found first.
static void set_headers(const struct record *record, const struct asked *asked, struct arena *arena, struct request *request)
{
	request->headers = record->headers;
	request->header_count = record->header_count;
	if (asked->header_count == 0)
		return;
	size_t count = asked->header_count + record->header_count;
	struct header *all = ARENA_ARRAY(arena, count, struct header);
	memcpy(all, asked->headers, asked->header_count * sizeof(*all));
	if (record->header_count)
		memcpy(all + asked->header_count, record->headers, record->header_count * sizeof(*all));
	request->headers = all;
	request->header_count = count;
}

// HTTP that stands in headers is believed before anything in the value: a client chooses its body, never these two names.
static bool has_http(const struct record *record)
{
	return record_header_value(record, ":path").len != 0 && record_header(record, ":method");
}

static bool is_tombstone(const struct record *record)
{
	return record_header_value(record, ":path").len == 0 && !record_header(record, ":method") &&
	       record_header_value(record, "ce_type").len == 0 && slice_is_absent(record->value) && record->value_size == 0;
}

static enum reason read_content(const struct topic_conf *topic, const struct record *record, bool oversize, bool has_target,
				struct arena *arena, struct asked *asked, struct fault *f)
{
	struct content content = {
		.record = record, .value = oversize ? SLICE_ABSENT : record->value, .has_target = has_target, .arena = arena};
	if (has_http(record)) {
		content_raw(&content, asked);
		return REASON_OK;
	}
	enum reason reason = shape_of((enum shape)topic->shape)->read(&content, asked, f);
	content_close(&content);
	if (slice_is_absent(content.value) && record->value_size)
		reason = REASON_OK; // not read for its size, which is a reason of its own
	return reason;
}

enum reason shape_read(const struct topic_conf *topic, const struct record *record, bool oversize, struct arena *arena,
		       struct request *request, struct asked *asked, struct fault *f)
{
	struct target target = target_of(topic, record);
	bool has_target = target.event_type.len || target.path.len;
	*asked = (struct asked){0};
	if (is_tombstone(record)) {
		set_headers(record, asked, arena, request);
		return fault_set(f, REASON_RECORD_TOMBSTONE, "no value and no request headers");
	}
	enum reason reason = read_content(topic, record, oversize, has_target, arena, asked, f);
	if (asked->method.len)
		asked->method = upper(asked->method, arena);
	request->content_type = media_type(asked->content_type, arena);
	request->body = asked->body;
	set_headers(record, asked, arena, request);
	if (address(&target, asked, arena, request))
		return reason;
	if (reason != REASON_OK)
		return fault_set(f, REASON_RECORD_UNADDRESSED, "shape %s: %s", shape_name((enum shape)topic->shape), f->detail);
	return fault_set(f, REASON_RECORD_UNADDRESSED, "shape %s: the record does not say what is asked, nor does topics.%s.target",
			 shape_name((enum shape)topic->shape), topic->key);
}
