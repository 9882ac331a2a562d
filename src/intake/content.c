// SPDX-License-Identifier: Apache-2.0
// What several shapes need: JSON that is unwrapped byte for byte, base64, a registry's prefix.
#include "enrolld/base/hex.h"
#include "enrolld/doc/json.h"
#include "intake/shape.h"

#define SCRATCH_BLOCK 4096
#define ENVELOPE_LIMITS ((struct json_limits){SIZE_MAX, JSON_DEPTH_MAX, 20000, true}) // of bytes the topic's limit holds already
#define WIRE_PREFIX 5

struct slice content_header(const struct content *content, const char *name)
{
	return record_header_value(content->record, name);
}

void content_raw(const struct content *content, struct asked *asked)
{
	asked->method = content_header(content, ":method");
	asked->target = content_header(content, ":path");
	asked->content_type = content_header(content, "content-type");
	asked->body = content->value;
}

enum reason content_parse(struct content *content, struct slice text, const struct node **root, struct fault *f)
{
	bool known = content->scratch && content->parsed.ptr == text.ptr && content->parsed.len == text.len;
	if (!content->scratch)
		content->scratch = arena_create(SCRATCH_BLOCK);
	if (!known) {
		content->parsed = text;
		content->root = NULL;
		content->fault.reason = json_parse(text, ENVELOPE_LIMITS, content->scratch, &content->root, &content->fault);
	}
	if (!content->root)
		return fault_set(f, content->fault.reason, "%s", content->fault.detail);
	*root = content->root;
	return REASON_OK;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(struct slice text, size_t at)
{
	while (at < text.len && is_space(text.ptr[at]))
		at++;
	return at;
}

const struct node *content_object(struct content *content, struct slice text)
{
	struct fault f;
	const struct node *root = NULL;
	size_t at = skip_space(text, 0);
	if (at == text.len || text.ptr[at] != '{' || content_parse(content, text, &root, &f) != REASON_OK)
		return NULL;
	return root;
}

// Behind the text that begins at a quote. What is walked over has been parsed, so that it ends.
static size_t skip_text(struct slice text, size_t at)
{
	for (at++; at < text.len && text.ptr[at] != '"'; at++)
		if (text.ptr[at] == '\\')
			at++;
	return at < text.len ? at + 1 : text.len;
}

static size_t skip_value(struct slice text, size_t at)
{
	size_t depth = 0;
	while (at < text.len) {
		char c = text.ptr[at];
		if (depth == 0 && (c == ',' || c == '}' || c == ']' || is_space(c)))
			break;
		if (c == '"') {
			at = skip_text(text, at);
		} else {
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			at++;
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			break;
	}
	return at;
}

// The tree keeps the order of the text, and no key comes twice.
struct slice content_written(const struct content *content, const char *name)
{
	struct slice text = content->parsed;
	size_t at = skip_space(text, 0) + 1;
	for (size_t i = 0; i < node_count(content->root); i++) {
		size_t start = skip_space(text, skip_text(text, skip_space(text, at)));
		start = skip_space(text, start + 1); // the colon
		size_t end = skip_value(text, start);
		if (slice_equal_text(content->root->list.keys[i], name))
			return (struct slice){text.ptr + start, end - start};
		at = skip_space(text, end) + 1; // the comma
	}
	return SLICE_ABSENT;
}

struct slice content_text(const struct content *content, const struct node *text)
{
	return arena_copy(content->arena, node_text(text));
}

bool content_base64(const struct content *content, const struct node *text, struct slice *bytes)
{
	struct slice encoded = node_text(text);
	if (slice_is_absent(encoded))
		return false;
	char *out = arena_alloc(content->arena, BASE64_BYTES_SIZE(encoded.len) + 1);
	size_t len;
	if (!base64_decode(encoded, (uint8_t *)out, &len))
		return false;
	*bytes = (struct slice){out, len};
	return true;
}

void content_close(struct content *content)
{
	arena_destroy(content->scratch);
	content->scratch = NULL;
	content->root = NULL;
}

bool wire_strip(struct slice *value)
{
	if (value->len < WIRE_PREFIX || value->ptr[0] != '\0')
		return false;
	*value = (struct slice){value->ptr + WIRE_PREFIX, value->len - WIRE_PREFIX};
	return true;
}
