// SPDX-License-Identifier: Apache-2.0
// Limits, so that a stopped process frees its locks; an empty search_path, so that nobody's function stands in for ours; and plans by
// index alone: every statement of the worker looks up keys, and a plan made while a table was empty must not stay a table scan.
#include "store/session.h"

#include <stdio.h>

#include "enrolld/base/fault.h"

void session_write(const struct store_conf *conf, bool for_transaction, char sql[static SESSION_SQL_SIZE])
{
	// clang-format off
	int len = snprintf(sql, SESSION_SQL_SIZE,
		"SELECT set_config('search_path', '', l), set_config('lock_timeout', '%lld', l), set_config('statement_timeout', '%lld', l), "
		"set_config('idle_in_transaction_session_timeout', '%lld', l), set_config('client_min_messages', 'error', l), "
		"set_config('bytea_output', 'hex', l), set_config('enable_seqscan', 'off', l), set_config('enable_hashjoin', 'off', l), "
		"set_config('enable_mergejoin', 'off', l), set_config('jit', 'off', l), set_config('plan_cache_mode', 'force_generic_plan', l) "
		"FROM (SELECT %s) AS wanted(l)",
		(long long)conf->lock_timeout_ms, (long long)conf->statement_timeout_ms, (long long)conf->idle_timeout_ms,
		for_transaction ? "true" : "false");
	// clang-format on
	if (len < 0 || len >= SESSION_SQL_SIZE)
		PANIC("session settings do not fit");
}
