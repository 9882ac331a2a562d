// SPDX-License-Identifier: Apache-2.0
// The table of SQLSTATEs. Rows are prefixes; the first that fits is taken.
#include "store/sqlstate.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *prefix;
	enum reason reason;
	bool ends_link;
} rows[] = {
	{"08", REASON_STORE_UNAVAILABLE, true},    // connection exceptions
	{"0A000", REASON_STORE_FAILED, true},      // "cached plan must not change result type": prepare again
	{"21", REASON_STORE_DATA, false},          // cardinality violation
	{"22", REASON_STORE_DATA, false},          // data exception
	{"23", REASON_STORE_DATA, false},          // integrity constraint violation
	{"25006", REASON_STORE_UNAVAILABLE, true}, // read-only transaction: a standby, or a primary that was demoted
	{"25P03", REASON_STORE_UNAVAILABLE, true}, // idle in transaction for too long
	{"26000", REASON_STORE_FAILED, true},      // the prepared statement is gone: a pooler that switches servers
	{"28", REASON_STORE_DENIED, true},         // invalid authorization
	{"3D000", REASON_STORE_DENIED, true},      // no such database
	{"40", REASON_STORE_CONFLICT, false},      // rollback: serialization failure, deadlock
	{"42501", REASON_STORE_DENIED, false},     // insufficient privilege
	{"42P05", REASON_STORE_FAILED, true},      // a prepared statement of that name is there already: a pooler
	{"53", REASON_STORE_UNAVAILABLE, false},   // insufficient resources: connections, memory, disk
	{"55P03", REASON_STORE_CONFLICT, false},   // lock not available in time
	{"57014", REASON_STORE_CONFLICT, false},   // statement timeout
	{"57", REASON_STORE_UNAVAILABLE, true},    // shutdown, crash, starting up, database dropped
	{"58", REASON_STORE_UNAVAILABLE, false},   // I/O error
};

static size_t row_of(const char *state)
{
	size_t i = 0;
	while (i < ARRAY_LEN(rows) && strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) != 0)
		i++;
	return i;
}

enum reason sqlstate_reason(const char *state, bool worked)
{
	if (!state)
		return REASON_STORE_UNAVAILABLE;
	size_t row = row_of(state);
	enum reason reason = row < ARRAY_LEN(rows) ? rows[row].reason : REASON_STORE_FAILED;
	return reason == REASON_STORE_DENIED && worked ? REASON_STORE_UNAVAILABLE : reason;
}

bool sqlstate_ends_link(const char *state)
{
	if (!state)
		return true;
	size_t row = row_of(state);
	return row < ARRAY_LEN(rows) && rows[row].ends_link;
}

bool sqlstate_is_valid(const char *text)
{
	for (size_t i = 0; i < 5; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';
		bool letter = text[i] >= 'A' && text[i] <= 'Z';
		if (!digit && !letter)
			return false;
	}
	return text[5] == '\0';
}
