// SPDX-License-Identifier: Apache-2.0
// Any bytes as JSON: never a crash; what parses is written, read again and equal.
#include <stdlib.h>

#include "enrolld/doc/json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	json_setup();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_limits limits = {.bytes = 1 << 20, .depth = JSON_DEPTH_MAX, .nodes = 1 << 20};
	struct arena *arena = arena_create(4096);
	struct strbuf out = STRBUF_INIT((size_t)8 << 20);
	const struct node *root, *again;
	struct json_writer w;
	struct fault f;

	if (!json_parse((struct slice){(const char *)data, size}, limits, arena, &root, &f)) {
		limits.bytes = (size_t)8 << 20;
		json_begin(&w, &out);
		json_node(&w, root);
		if (strbuf_overflowed(&out) || json_parse(strbuf_slice(&out), limits, arena, &again, &f) ||
		    !node_equal(root, again))
			abort();
	}
	strbuf_free(&out);
	arena_destroy(arena);
	return 0;
}
