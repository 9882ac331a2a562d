// SPDX-License-Identifier: Apache-2.0
// What an SQLSTATE (PostgreSQL manual, appendix A) means for the worker.
#pragma once

#include <stdbool.h>

#include "enrolld/base/fault.h"

// state: five characters, or NULL where PostgreSQL gave none, as when the link broke. worked: this handle has worked before, so that
// a login or database that is refused is a failover under way, not a setting.
enum reason sqlstate_reason(const char *state, bool worked) ATTR_MUST_USE;
// After this state the link is of no use any more, although it may still stand: a read-only server, a lost prepared statement.
bool sqlstate_ends_link(const char *state) ATTR_MUST_USE;
bool sqlstate_is_valid(const char *text) ATTR_MUST_USE; // five characters of A-Z and 0-9, then the end
