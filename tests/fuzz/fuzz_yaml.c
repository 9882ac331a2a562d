// SPDX-License-Identifier: Apache-2.0
// Any bytes as YAML: never a crash; what parses can be written as JSON that parses.
#include <stdlib.h>

#include "enrolld/doc/json.h"
#include "enrolld/doc/yaml.h"

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
	struct json_limits limits = {.bytes = (size_t)8 << 20, .depth = JSON_DEPTH_MAX, .nodes = 1 << 20};
	struct arena *arena = arena_create(4096);
	struct strbuf out = STRBUF_INIT((size_t)8 << 20);
	const struct node *root, *again;
	struct json_writer w;
	struct fault f;

	if (!yaml_parse("fuzz", (struct slice){(const char *)data, size}, REASON_SETTING_INVALID, arena, &root, &f)) {
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
