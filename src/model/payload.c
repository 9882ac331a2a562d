// SPDX-License-Identifier: Apache-2.0
// The payload of a message as JSON, before and after its seal.
#include "enrolld/model/payload.h"

#include "enrolld/doc/json.h"

#define PAYLOAD_LIMIT 65536

struct slice payload_write(const struct payload *payload, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT(PAYLOAD_LIMIT);
	struct json_writer w;
	json_begin(&w, &text);
	json_open_map(&w);
	json_member_text(&w, "recipient", payload->recipient);
	json_member_text(&w, "locale", payload->locale);
	json_member_text(&w, "name", payload->name);
	json_member_text(&w, "link", payload->link);
	json_member_text(&w, "link_end", payload->link_end);
	if (payload->hex) {
		json_key(&w, "hex");
		json_bool(&w, true);
	}
	json_close_map(&w);
	if (strbuf_overflowed(&text))
		PANIC("a payload of more than %d bytes", PAYLOAD_LIMIT);
	struct slice copy = arena_copy(arena, strbuf_slice(&text));
	strbuf_free(&text);
	return copy;
}

enum reason payload_read(struct slice json, struct arena *arena, struct payload *payload, struct fault *f)
{
	const struct node *root;
	struct json_limits limits = {.bytes = PAYLOAD_LIMIT, .depth = 1, .nodes = 16};
	if (json_parse(json, limits, arena, &root, f) != REASON_OK)
		return fault_set(f, REASON_INTERNAL, "a message's payload is not JSON");
	struct payload read = {
		.recipient = node_text(node_member(root, "recipient")),
		.locale = node_text(node_member(root, "locale")),
		.name = node_text(node_member(root, "name")),
		.link = node_text(node_member(root, "link")),
		.link_end = node_text(node_member(root, "link_end")),
		.hex = node_member(root, "hex") != NULL,
	};
	if (read.recipient.len == 0)
		return fault_set(f, REASON_INTERNAL, "a message's payload has no recipient");
	*payload = read;
	return REASON_OK;
}
