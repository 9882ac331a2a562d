// SPDX-License-Identifier: Apache-2.0
// Who asks: the realm, and the client's address as the last trusted hop saw it.
#include <arpa/inet.h>
#include <netinet/in.h>

#include "intake/intake_private.h"

#define REALM_MAX 64

bool intake_pattern_fits(const char *pattern, struct slice text)
{
	const char *star = NULL;
	size_t at = 0, retry = 0;
	while (at < text.len) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = at;
		} else if (*pattern != '\0' && *pattern == text.ptr[at]) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star;
			at = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool is_set(const char *text)
{
	return text && *text;
}

enum reason sender_realm(const struct topic_conf *topic, const struct record *record, struct slice *realm, struct fault *f)
{
	if (!is_set(topic->realm_header)) {
		*realm = slice_of(topic->realm);
		return REASON_OK;
	}
	struct slice asked = record_header_value(record, topic->realm_header);
	if (asked.len == 0)
		return fault_set(f, REASON_REALM_REFUSED, "the realm's header is missing");
	if (!text_printable(asked, REALM_MAX) || memchr(asked.ptr, ' ', asked.len))
		return fault_set(f, REASON_REALM_REFUSED, "the realm is over %d bytes or not printable", REALM_MAX);
	for (size_t i = 0; i < topic->realm_allow.count; i++)
		if (intake_pattern_fits(topic->realm_allow.items[i], asked)) {
			*realm = asked;
			return REASON_OK;
		}
	return fault_set(f, REASON_REALM_REFUSED, "the realm is not allowed on this topic");
}

static struct slice trim(struct slice s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = (struct slice){s.ptr + 1, s.len - 1};
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

// The entry without brackets and port: "192.0.2.1:4711" or "[2001:db8::1]:4711".
static struct slice host_of(struct slice entry)
{
	if (entry.len && entry.ptr[0] == '[') {
		const char *close = memchr(entry.ptr, ']', entry.len);
		return close ? (struct slice){entry.ptr + 1, (size_t)(close - entry.ptr) - 1} : SLICE_ABSENT;
	}
	const char *colon = entry.len ? memchr(entry.ptr, ':', entry.len) : NULL;
	if (colon && memchr(entry.ptr, '.', (size_t)(colon - entry.ptr)))
		entry.len = (size_t)(colon - entry.ptr);
	return entry;
}

// The address in its one canonical text; IPv4 written as IPv6 becomes IPv4. Absent if it is none.
static struct slice canonical(struct slice entry, struct arena *arena)
{
	struct slice host = host_of(trim(entry));
	char text[INET6_ADDRSTRLEN] = "";
	struct in_addr v4;
	struct in6_addr v6;
	if (host.len == 0 || host.len >= sizeof(text))
		return SLICE_ABSENT;
	memcpy(text, host.ptr, host.len);
	if (strlen(text) != host.len)
		return SLICE_ABSENT;
	bool is_v4 = inet_pton(AF_INET, text, &v4) == 1;
	if (!is_v4 && inet_pton(AF_INET6, text, &v6) != 1)
		return SLICE_ABSENT;
	if (!is_v4 && IN6_IS_ADDR_V4MAPPED(&v6)) {
		memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
		is_v4 = true;
	}
	if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? (const void *)&v4 : (const void *)&v6, text, sizeof(text)))
		return SLICE_ABSENT;
	return arena_copy(arena, slice_of(text));
}

// Counts from the end, since only the last entries were written by proxies that we trust; several headers are one list (RFC 9110, section 5.3).
struct slice sender_address(const struct topic_conf *topic, const struct record *record, struct arena *arena)
{
	int64_t hops = topic->trusted_hops;
	if (!is_set(topic->address_header) || hops < 1)
		return SLICE_ABSENT;
	for (size_t h = record->header_count; h-- > 0;) {
		const struct header *header = &record->headers[h];
		if (!slice_equal_nocase(header->name, slice_of(topic->address_header)))
			continue;
		struct slice rest = header->value;
		while (!slice_is_absent(rest)) {
			const char *comma = rest.len ? memrchr(rest.ptr, ',', rest.len) : NULL;
			size_t start = comma ? (size_t)(comma - rest.ptr) + 1 : 0;
			struct slice entry = {rest.ptr + start, rest.len - start};
			if (--hops == 0)
				return canonical(entry, arena);
			rest = comma ? (struct slice){rest.ptr, start - 1} : SLICE_ABSENT;
		}
	}
	return SLICE_ABSENT;
}
