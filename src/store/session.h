// SPDX-License-Identifier: Apache-2.0
// Settings that every transaction of the worker runs under.
#pragma once

#include <stdbool.h>

#include "enrolld/store/store.h"

#define SESSION_SQL_SIZE 1024
// For the whole session, set once a link; or for one transaction, where a pooler may hand us another server each time.
void session_write(const struct store_conf *conf, bool for_transaction, char sql[static SESSION_SQL_SIZE]);
