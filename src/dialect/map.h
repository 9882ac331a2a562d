// SPDX-License-Identifier: Apache-2.0
// From a field that met its rules to the canonical registration.
#pragma once

#include "dialect/dialect_private.h"

// seen->value is not NULL. The password is not mapped here: it goes to a secret at the very end.
void map_field(const struct field *field, const struct rule_field *seen, struct arena *arena, struct registration *registration);
