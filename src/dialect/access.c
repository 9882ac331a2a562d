// SPDX-License-Identifier: Apache-2.0
// What is asked before the body is read: an answer the client accepts, an open route, a key, a bearer token.
#include "dialect/reading.h"
#include "enrolld/base/hex.h"
#include "enrolld/crypto/digest.h"

static struct slice trimmed(struct slice text)
{
	while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

// Does a range of an accept header (RFC 9110, section 12.5.1) cover the type? Parameters but q do not count.
static bool range_covers(struct slice range, struct slice type)
{
	const char *semicolon = range.len ? memchr(range.ptr, ';', range.len) : NULL;
	struct slice media = trimmed((struct slice){range.ptr, semicolon ? (size_t)(semicolon - range.ptr) : range.len});
	struct slice rest = {range.ptr + media.len, range.len - media.len};
	if (semicolon && memmem(rest.ptr, rest.len, "q=0", 3)) {
		const char *q = memmem(rest.ptr, rest.len, "q=0", 3);
		struct slice digits = trimmed((struct slice){q + 3, rest.len - (size_t)(q + 3 - rest.ptr)});
		bool zero = true;
		for (size_t i = 0; i < digits.len && zero; i++)
			zero = digits.ptr[i] == '.' || digits.ptr[i] == '0';
		if (zero)
			return false;
	}
	if (slice_equal_text(media, "*/*") || slice_equal_nocase(media, type))
		return true;
	return media.len > 2 && memcmp(media.ptr + media.len - 2, "/*", 2) == 0 && type.len >= media.len - 1 &&
	       slice_equal_nocase((struct slice){media.ptr, media.len - 1}, (struct slice){type.ptr, media.len - 1});
}

static bool acceptable(const struct body *body, struct slice header)
{
	if (!body->accept || trimmed(header).len == 0)
		return true;
	while (header.len) {
		const char *comma = memchr(header.ptr, ',', header.len);
		struct slice range = {header.ptr, comma ? (size_t)(comma - header.ptr) : header.len};
		for (size_t i = 0; i < body->accept_count; i++)
			if (range_covers(trimmed(range), body->accept[i]))
				return true;
		size_t used = range.len + (comma != NULL);
		header = (struct slice){header.ptr + used, header.len - used};
	}
	return false;
}

struct slice access_bearer(struct slice header)
{
	header = trimmed(header);
	if (header.len < 8 || !slice_equal_nocase((struct slice){header.ptr, 7}, SLICE_LIT("bearer ")))
		return SLICE_ABSENT;
	struct slice token = trimmed((struct slice){header.ptr + 7, header.len - 7});
	return token.len ? token : SLICE_ABSENT;
}

static bool find_input(void *context, struct slice name, struct template_value *value)
{
	const struct dialect_reading *reading = context;
	return input_find(reading->route->dialect, reading->route, reading->request, reading, name, reading->arena, value);
}

// What follows the scheme; of "Basic" it is what user and password are (RFC 7617), joined by a colon.
static struct slice behind_scheme(const struct access *access, struct slice sent, struct arena *arena)
{
	size_t len = access->scheme.len;
	if (sent.len <= len + 1 || !slice_equal_nocase((struct slice){sent.ptr, len}, access->scheme) || sent.ptr[len] != ' ')
		return SLICE_ABSENT;
	struct slice key = trimmed((struct slice){sent.ptr + len + 1, sent.len - len - 1});
	if (!slice_equal_nocase(access->scheme, SLICE_LIT("basic")))
		return key;
	uint8_t *bytes = arena_alloc(arena, BASE64_BYTES_SIZE(key.len) + 1);
	size_t size = 0;
	return base64_decode(key, bytes, &size) ? (struct slice){(const char *)bytes, size} : SLICE_ABSENT;
}

static enum reason check_key(struct dialect_reading *reading, const struct access *access, struct fault *f)
{
	struct slice sent = access->by_query ? query_parameter(reading->request->query, access->header, reading->arena)
					     : trimmed(request_header_value(reading->request, access->header.ptr));
	if (!slice_is_absent(access->scheme))
		sent = behind_scheme(access, sent, reading->arena);
	if (sent.len == 0)
		return fault_set(f, REASON_KEY_MISSING, "the request has no key as its %s %.*s",
				 access->by_query ? "parameter" : "header", (int)access->header.len, access->header.ptr);
	reading->key_row = rules_index_find(access->keys, sent);
	reading->key_access = access;
	return reading->key_row ? REASON_OK : fault_set(f, REASON_KEY_INVALID, "the key is unknown or not active");
}

static enum reason check_bearer(struct dialect_reading *reading, const struct access *access, struct fault *f)
{
	const struct keyring *keys = reading->route->dialect->set->keys;
	struct slice token = access_bearer(request_header_value(reading->request, access->header.ptr));
	if (slice_is_absent(token))
		return fault_set(f, REASON_UNAUTHENTICATED, "the request has no bearer token");
	if (keys && access->token) {
		show_token(reading, access->token, token);
		if (reading->registration->session.digest_count == 0)
			return fault_set(f, REASON_TOKEN_INVALID, "the bearer token is none of ours");
	}
	if (keys) {
		uint8_t digest[DIGEST_SIZE];
		char *text = arena_alloc(reading->arena, sizeof(digest));
		digest_keyed(keys, keyring_active(keys), "bearer", &token, 1, digest);
		memcpy(text, digest, sizeof(digest));
		reading->registration->bearer_digest = (struct slice){text, sizeof(digest)};
	}
	return REASON_OK;
}

enum reason access_check(struct dialect_reading *reading, struct fault *f)
{
	const struct route *route = reading->route;
	const struct access_list *list = &route->access;
	const struct template_scope scope = {.find = find_input, .context = reading};
	enum reason reason = REASON_OK;
	if (!acceptable(&route->body, request_header_value(reading->request, "accept")))
		return fault_set(f, REASON_NOT_ACCEPTABLE, "the accept header names none of the route's types");
	for (size_t i = 0; i < list->count && reason == REASON_OK; i++) {
		const struct access *access = &list->items[i];
		if (access->kind == ACCESS_KEY)
			reason = check_key(reading, access, f);
		else if (access->kind == ACCESS_BEARER)
			reason = check_bearer(reading, access, f);
		else if (template_condition_holds(access->when, &scope))
			reason = fault_set(f, REASON_ROUTE_CLOSED, "the route is closed by a setting");
	}
	return reason;
}
