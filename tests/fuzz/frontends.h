// SPDX-License-Identifier: Apache-2.0
// All dialects of the tree, as they are and with lines that are changed: for fuzz targets.
#pragma once

#include "enrolld/dialect/dialect.h"

struct frontend {
	const char *name;
	const char *folder; // what it is loaded from
	struct slice file;  // dialect.yaml
	struct dialect_set *set;
};

// Loads every folder below schemas/dialects and tests/data/dialects, whatever is there.
void frontends_load(const struct keyring *keys);
// The one of that name, else one that any name stands for.
const struct frontend *frontends_find(struct slice name) ATTR_MUST_USE;
// The dialect with changes of its file, four bytes each (what, line, other line, byte); NULL if it is refused, with a reason that was said.
struct dialect_set *frontends_changed(const struct frontend *frontend, struct slice changes) ATTR_MUST_USE;
