// SPDX-License-Identifier: Apache-2.0
// A parsed document, JSON or YAML: a read-only tree in an arena that remembers where each value stood.
// Nodes live as long as the arena they were parsed into. Reading from several threads is fine.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/slice.h"
#include "enrolld/base/strbuf.h"

enum node_type { NODE_NULL, NODE_BOOL, NODE_INT, NODE_REAL, NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type;
	int line; // 1-based; 0 for JSON, which reports no lines
	int column;
	struct slice written; // YAML scalars: the text as written, without quotes, so that 1.10 can stay what it is; absent in JSON
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct slice text; // UTF-8, no NUL unless the parser was told so; NUL-terminated beyond its length
		struct {
			struct node **items;
			struct slice *keys; // maps only, in document order, no key twice
			int *key_lines;     // YAML maps only, as key_columns
			int *key_columns;
			size_t count;
		} list;
	};
};

// All accept NULL (an absent node) and answer NULL, absent, or false for it.
const struct node *node_member(const struct node *map, const char *key) ATTR_MUST_USE;
const struct node *node_member_slice(const struct node *map, struct slice key) ATTR_MUST_USE;
const struct node *node_item(const struct node *list, size_t index) ATTR_MUST_USE;
size_t node_count(const struct node *list_or_map) ATTR_MUST_USE;
// RFC 6901, e.g. "/user/name"; "" is the node itself.
const struct node *node_at(const struct node *root, struct slice pointer) ATTR_MUST_USE;
bool node_is(const struct node *node, enum node_type type) ATTR_MUST_USE;
struct slice node_text(const struct node *node) ATTR_MUST_USE;             // absent unless NODE_TEXT
bool node_equal(const struct node *a, const struct node *b) ATTR_MUST_USE; // by value; 1 and 1.0 differ
const char *node_type_name(enum node_type type) ATTR_MUST_USE;

// Adds one line for each library this module is built on: its name and the version that is loaded.
void doc_libraries(struct strbuf *out);
