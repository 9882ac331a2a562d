// SPDX-License-Identifier: Apache-2.0
// "body": how the body of requests is read; said for the dialect, and again by a route where it differs.
#include "dialect/loader.h"

static const char *const missing_words[] = {"value", "missing"};

void load_body(struct loader *loader, const struct node *node, struct body *body)
{
	static const char *const keys[] = {"media", "depth", "values", "request_id", "unknown", "null", "empty"};
	static const char *const unknown_words[] = {"drop", "refuse"};
	size_t unknown = body->refuse_unknown, null = body->null_missing, empty = body->empty_missing;
	if (!node || !loader_keys(loader, node, "body", keys, ARRAY_LEN(keys)))
		return;
	(void)loader_texts(loader, node_member(node, "media"), "media", &body->media, &body->media_count);
	(void)loader_number(loader, node_member(node, "depth"), "depth", 1, JSON_DEPTH_MAX, &body->limits.depth);
	(void)loader_number(loader, node_member(node, "values"), "values", 1, 100000, &body->limits.nodes);
	(void)loader_pointer(loader, node_member(node, "request_id"), "request_id", &body->request_id);
	(void)loader_choice(loader, node_member(node, "unknown"), "unknown", unknown_words, ARRAY_LEN(unknown_words), &unknown);
	(void)loader_choice(loader, node_member(node, "null"), "null", missing_words, ARRAY_LEN(missing_words), &null);
	(void)loader_choice(loader, node_member(node, "empty"), "empty", missing_words, ARRAY_LEN(missing_words), &empty);
	body->refuse_unknown = unknown != 0;
	body->null_missing = null != 0;
	body->empty_missing = empty != 0;
}

void load_collect(struct loader *loader, const struct node *node, enum collect *collect)
{
	static const char *const words[] = {"all", "first_per_field", "first"};
	size_t index = (size_t)*collect;
	(void)loader_choice(loader, node, "collect", words, ARRAY_LEN(words), &index);
	*collect = (enum collect)index;
}
