// SPDX-License-Identifier: Apache-2.0
// One link to PostgreSQL: made on first use, made again after it broke, with the worker's session settings.
#pragma once

#include <libpq-fe.h>

#include "enrolld/store/store.h"
#include "store/session.h"
#include "store/statement.h"

#define STATEMENTS_MAX 48

struct connection {
	const struct store_conf *conf;
	char *name;
	PGconn *pg;               // NULL: no link
	bool worked;              // some statement was answered, once
	size_t failed;            // attempts to connect: another server is first each time
	struct statement session; // over session_sql
	char session_sql[SESSION_SQL_SIZE];
	const struct statement *prepared[STATEMENTS_MAX]; // on this link
	size_t prepared_count;
};

// SETTING_INVALID if libpq does not understand dsn or properties.
enum reason connection_check(const struct store_conf *conf, struct fault *f) ATTR_MUST_USE;

// Sees to it that there is a link which has not been closed by the other side meanwhile.
enum reason connection_ready(struct connection *c, struct fault *f) ATTR_MUST_USE;
void connection_close(struct connection *c); // NULL link is fine
// One or several statements as they are, without parameters; results are dropped. After a failure a transaction is as PostgreSQL left it.
enum reason connection_execute(struct connection *c, const struct statement *statement, struct fault *f) ATTR_MUST_USE;
// Fills f with what the server said, by codes and names of our own schema only: its words repeat keys and values. Closes the link
// where the failure makes it useless.
enum reason connection_failure(struct connection *c, const struct statement *statement, const PGresult *result, struct fault *f);
// Rolls back what is open; closes the link if that fails.
void connection_roll_back(struct connection *c);

bool connection_has_prepared(const struct connection *c, const struct statement *statement) ATTR_MUST_USE;
void connection_add_prepared(struct connection *c, const struct statement *statement);

// Sends what waits and reads until libpq can hand over a result. false if the link is lost, or silent for longer than any statement
// may run.
bool connection_wait_result(struct connection *c) ATTR_MUST_USE;
