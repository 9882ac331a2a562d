// SPDX-License-Identifier: Apache-2.0
// What a plain YAML scalar means.
#pragma once

#include <stdbool.h>

#include "enrolld/base/slice.h"
#include "enrolld/doc/node.h"

// Sets type and value of the node; text must be NUL-terminated and lives on in it. false: a number that does not fit.
bool yaml_scalar(struct slice text, struct node *node) ATTR_MUST_USE;
