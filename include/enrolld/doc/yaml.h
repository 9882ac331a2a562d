// SPDX-License-Identifier: Apache-2.0
// YAML 1.1 core subset to a tree with lines: one document, no anchors, aliases or tags, no key twice.
// Plain scalars become null (~, null, empty), bool (true, false), int or real (as JSON writes them); all others and quoted ones are
// texts: yes, 010, +49 and 0x1f stay what they are. A number that does not fit is an error. A document without content is null.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/doc/node.h"

#define YAML_BYTES_MAX (1024 * 1024)
#define YAML_DEPTH_MAX 32

// name: how errors call the text, usually the file's path. Fails with reason (SETTING_INVALID or DIALECT_INVALID, as the caller says)
// and a detail "name:line:column: what is wrong".
enum reason yaml_parse(const char *name, struct slice text, enum reason reason, struct arena *arena, const struct node **root,
		       struct fault *f) ATTR_MUST_USE;
// Reads a file of at most YAML_BYTES_MAX. FILE_UNREADABLE if that fails.
enum reason yaml_parse_file(const char *path, enum reason reason, struct arena *arena, const struct node **root,
			    struct fault *f) ATTR_MUST_USE;

// The nearest of the candidates to word (Damerau-Levenshtein of at most 3 and a third of its length), or NULL: "did you mean ...".
const char *doc_nearest(struct slice word, const char *const *candidates, size_t count) ATTR_MUST_USE;
