// SPDX-License-Identifier: Apache-2.0
// Spring's ReplyingKafkaTemplate, with headers as DefaultKafkaHeaderMapper writes them: some texts are JSON, and one header says which.
#include "enrolld/doc/json.h"
#include "intake/shape.h"

#define TYPES "spring_json_header_types"
#define TYPES_LIMITS ((struct json_limits){16384, 4, 1000, false})
#define TEXT_LIMITS ((struct json_limits){65536, 1, 1, false})

// A mapper with encodeStrings, and any mapper for MIME types, writes "text" in quotes; others the text as it is. Both name the type.
static struct slice meant(struct slice value, struct arena *arena)
{
	struct fault f;
	const struct node *text = NULL;
	if (value.len < 2 || value.ptr[0] != '"' || json_parse(value, TEXT_LIMITS, arena, &text, &f) != REASON_OK)
		return value;
	return node_text(text);
}

static void headers_meant(const struct record *record, struct arena *arena, struct header **headers)
{
	struct fault f;
	const struct node *types = NULL;
	struct slice json = record_header_value(record, TYPES);
	struct header *copy = ARENA_ARRAY(arena, record->header_count, struct header);
	bool rename = record_header_value(record, "content-type").len == 0;
	if (json.len && json_parse(json, TYPES_LIMITS, arena, &types, &f) != REASON_OK)
		types = NULL;
	for (size_t i = 0; i < record->header_count; i++) {
		copy[i] = record->headers[i];
		if (slice_equal_text(node_text(node_member_slice(types, copy[i].name)), "java.lang.String"))
			copy[i].value = meant(copy[i].value, arena);
		if (rename && slice_equal_text(copy[i].name, "contentType")) // MessageHeaders.CONTENT_TYPE
			copy[i].name = SLICE_LIT("content-type");
	}
	*headers = copy;
}

static enum reason read_spring(struct content *content, struct asked *asked, struct fault *f)
{
	(void)f;
	content_raw(content, asked);
	return REASON_OK;
}

const struct shape_kind shape_spring = {
	.asks = "`:path` and `:method`, else the topic's `target`",
	.body = "the value",
	.request_id = "`idempotency-key`",
	.configure =
		"acks all; a header idempotency-key that a retry keeps (the correlation id does not); serializers that write the JSON body itself; "
		"the reply container on a topic of the list",
	.replies = REPLY_BIT_SPRING,
	.headers = headers_meant,
	.read = read_spring,
};
