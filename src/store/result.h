// SPDX-License-Identifier: Apache-2.0
// Reading the rows of a result. What comes back is what the statement's text promises; anything else is a defect and ends the process.
#pragma once

#include <libpq-fe.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/slice.h"
#include "enrolld/base/uuid.h"

size_t result_rows(const PGresult *result) ATTR_MUST_USE;
int64_t result_parse_int(const char *text) ATTR_MUST_USE;
int64_t result_int(const PGresult *result, size_t row, int column) ATTR_MUST_USE;
bool result_bool(const PGresult *result, size_t row, int column) ATTR_MUST_USE;
struct slice result_text(const PGresult *result, size_t row, int column, struct arena *arena) ATTR_MUST_USE; // NULL: absent
struct uuid result_uuid(const PGresult *result, size_t row, int column) ATTR_MUST_USE;
// bytea; NULL: absent.
struct slice result_bytes(const PGresult *result, size_t row, int column, struct arena *arena) ATTR_MUST_USE;
// bytea of a size that is known; NULL and other sizes give zeros.
void result_fixed(const PGresult *result, size_t row, int column, uint8_t *out, size_t size);
