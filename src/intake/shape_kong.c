// SPDX-License-Identifier: Apache-2.0
// Kong's kafka-upstream and confluent plugins put the parts of the request that forward_method, forward_uri, forward_headers and
// forward_body name into one JSON object; by default the body alone. With a schema registry it stands behind the wire format's prefix.
#include "enrolld/base/strbuf.h"
#include "intake/shape.h"

#define FORM_LIMIT ((size_t)1 << 20)

static const char *const members[] = {"method", "headers", "uri", "uri_args", "body", "body_args", "body_base64"};

static bool has_body(const struct node *root)
{
	return node_member(root, "body") || node_member(root, "body_args");
}

static bool fits_kong(struct content *content)
{
	const struct node *root = content_object(content, content->value);
	if (!has_body(root))
		return false;
	for (size_t i = 0; i < node_count(root); i++) {
		bool known = false;
		for (size_t m = 0; m < ARRAY_LEN(members) && !known; m++)
			known = slice_equal_text(root->list.keys[i], members[m]);
		if (!known)
			return false;
	}
	return true;
}

// Where the topic is Kong's, message_by_lua_functions may have added members, and a GET has no body.
static bool is_envelope(const struct node *root)
{
	return has_body(root) || (node_member(root, "method") && node_member(root, "uri"));
}

static enum reason wrong_type(const char *member, struct fault *f)
{
	return fault_set(f, REASON_ENVELOPE_INVALID, "%s of the envelope has another type than Kong gives it", member);
}

// Absent and null are the same; *text stays absent.
static enum reason take_text(const struct content *content, const struct node *root, const char *member, struct slice *text,
			     struct fault *f)
{
	const struct node *node = node_member(root, member);
	if (!node || node_is(node, NODE_NULL))
		return REASON_OK;
	if (!node_is(node, NODE_TEXT))
		return wrong_type(member, f);
	*text = content_text(content, node);
	return REASON_OK;
}

static size_t header_values(const struct node *value)
{
	if (node_is(value, NODE_TEXT))
		return 1;
	for (size_t i = 0; i < node_count(value); i++)
		if (!node_is(value, NODE_LIST) || !node_is(value->list.items[i], NODE_TEXT))
			return 0;
	return node_count(value);
}

// A header that came more than once is a list.
static enum reason take_headers(const struct content *content, const struct node *root, struct asked *asked, struct fault *f)
{
	const struct node *headers = node_member(root, "headers");
	size_t count = 0;
	if (!headers || node_is(headers, NODE_NULL))
		return REASON_OK;
	if (!node_is(headers, NODE_MAP))
		return wrong_type("headers", f);
	for (size_t i = 0; i < node_count(headers); i++) {
		size_t values = header_values(headers->list.items[i]);
		if (values == 0)
			return wrong_type("headers", f);
		count += values;
	}
	struct header *list = ARENA_ARRAY(content->arena, count, struct header);
	for (size_t i = 0, n = 0; i < node_count(headers); i++) {
		const struct node *value = headers->list.items[i];
		struct slice name = arena_copy(content->arena, headers->list.keys[i]);
		size_t values = header_values(value);
		for (size_t v = 0; v < values; v++, n++)
			list[n] = (struct header){name,
						  content_text(content, node_is(value, NODE_LIST) ? value->list.items[v] : value)};
	}
	asked->headers = list;
	asked->header_count = count;
	return REASON_OK;
}

static void add_encoded(struct strbuf *out, struct slice text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (size_t i = 0; i < text.len; i++) {
		if (memchr(unreserved, text.ptr[i], sizeof(unreserved) - 1))
			strbuf_add_char(out, text.ptr[i]);
		else
			strbuf_printf(out, "%%%02X", (unsigned char)text.ptr[i]);
	}
}

static bool add_pair(struct strbuf *out, struct slice name, const struct node *value)
{
	bool flag = node_is(value, NODE_BOOL); // a name without "="
	if (!flag && !node_is(value, NODE_TEXT))
		return false;
	if (flag && !value->boolean)
		return true;
	if (out->len)
		strbuf_add_char(out, '&');
	add_encoded(out, name);
	if (!flag) {
		strbuf_add_char(out, '=');
		add_encoded(out, node_text(value));
	}
	return true;
}

// Parsed arguments back to the text they came from. false if they are none.
static bool unparse(const struct content *content, const struct node *args, struct slice *text)
{
	struct strbuf out = STRBUF_INIT(FORM_LIMIT);
	bool good = true;
	for (size_t i = 0; i < node_count(args) && good; i++) {
		const struct node *value = args->list.items[i];
		if (node_is(value, NODE_LIST))
			for (size_t v = 0; v < node_count(value) && good; v++)
				good = add_pair(&out, args->list.keys[i], value->list.items[v]);
		else
			good = add_pair(&out, args->list.keys[i], value);
	}
	good = good && !strbuf_overflowed(&out);
	if (good)
		*text = arena_copy(content->arena, strbuf_slice(&out));
	strbuf_free(&out);
	return good;
}

// uri is the request line's, query included; a message function may have taken that away.
static enum reason take_target(const struct content *content, const struct node *root, struct asked *asked, struct fault *f)
{
	const struct node *args = node_member(root, "uri_args");
	struct slice query;
	enum reason reason = take_text(content, root, "uri", &asked->target, f);
	if (reason != REASON_OK || asked->target.len == 0 || memchr(asked->target.ptr, '?', asked->target.len))
		return reason;
	if (!node_is(args, NODE_MAP) || node_count(args) == 0)
		return REASON_OK;
	if (!unparse(content, args, &query))
		return wrong_type("uri_args", f);
	asked->target = arena_printf(content->arena, "%.*s?%.*s", (int)asked->target.len, asked->target.ptr, (int)query.len,
				     query.ptr);
	return REASON_OK;
}

static bool is_form(struct slice content_type)
{
	struct slice form = SLICE_LIT("application/x-www-form-urlencoded");
	return content_type.len >= form.len && slice_equal_nocase((struct slice){content_type.ptr, form.len}, form);
}

// A body that nginx wrote to a file is known by its parsed arguments only.
static enum reason take_arguments(const struct content *content, const struct node *args, struct asked *asked, struct fault *f)
{
	if (!node_is(args, NODE_MAP) || node_count(args) == 0)
		return REASON_OK;
	if (!is_form(asked->content_type))
		asked->body = content_written(content, "body_args");
	else if (!unparse(content, args, &asked->body))
		return wrong_type("body_args", f);
	return REASON_OK;
}

static enum reason take_body(const struct content *content, const struct node *root, struct asked *asked, struct fault *f)
{
	const struct node *body = node_member(root, "body");
	const struct node *encoded = node_member(root, "body_base64");
	if (encoded && !node_is(encoded, NODE_BOOL) && !node_is(encoded, NODE_NULL))
		return wrong_type("body_base64", f);
	if (!body || node_is(body, NODE_NULL))
		return take_arguments(content, node_member(root, "body_args"), asked, f);
	if (encoded && encoded->type == NODE_BOOL && encoded->boolean)
		return content_base64(content, body, &asked->body) ? REASON_OK
								   : fault_set(f, REASON_ENVELOPE_INVALID, "the body is no base64");
	if (node_is(body, NODE_TEXT))
		asked->body = content_text(content, body);
	else if (node_is(body, NODE_MAP) || node_is(body, NODE_LIST))
		asked->body = content_written(content, "body");
	else
		return wrong_type("body", f);
	return REASON_OK;
}

static struct slice forwarded(const struct asked *asked, const char *name)
{
	const struct header *header = header_find(asked->headers, asked->header_count, name);
	return header ? header->value : SLICE_ABSENT;
}

static enum reason unwrap(const struct content *content, const struct node *root, struct asked *asked, struct fault *f)
{
	enum reason reason = take_text(content, root, "method", &asked->method, f);
	if (reason == REASON_OK)
		reason = take_target(content, root, asked, f);
	if (reason == REASON_OK)
		reason = take_headers(content, root, asked, f);
	if (reason != REASON_OK)
		return reason;
	if (asked->content_type.len == 0)
		asked->content_type = forwarded(asked, "content-type");
	asked->traceparent = forwarded(asked, "traceparent");
	asked->tracestate = forwarded(asked, "tracestate");
	return take_body(content, root, asked, f);
}

static enum reason read_kong(struct content *content, struct asked *asked, struct fault *f)
{
	struct slice value = content->value;
	(void)wire_strip(&value);
	asked->content_type = content_header(content, "content-type");
	const struct node *root = content_object(content, value);
	if (is_envelope(root))
		return unwrap(content, root, asked, f);
	asked->body = value; // a message function returned the body alone
	return REASON_OK;
}

const struct shape_kind shape_kong = {
	.asks = "`method` and `uri` of the envelope, else the topic's `target`",
	.body = "`body` of the envelope, decoded if `body_base64`; else the value",
	.request_id = "`idempotency-key` of the record, else of the envelope's `headers`",
	.configure =
		"`producer_request_acks: -1`, `producer_async: false`, `forward_body`, `forward_method`, `forward_uri`, `forward_headers: true`, "
		"`key_query_arg` for a key; addresses need record headers (3.15)",
	.fits = fits_kong,
	.read = read_kong,
};
