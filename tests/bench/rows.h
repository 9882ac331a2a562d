// SPDX-License-Identifier: Apache-2.0
// Rows of the worker's tables as text, in the order of the requests that left them, and arrays made of them.
#pragma once

#include <libpq-fe.h>
#include <stddef.h>

#include "enrolld/base/attr.h"

#define TABLES_MAX 5
#define COLUMNS_MAX 24

struct place; // which rows of which table

struct table {
	const struct place *place;
	int columns; // of the rows, behind the request's number
	PGresult *rows;
	int next;       // first row that was not taken yet
	char name[32];  // of the statement
	char sql[8192]; // one statement for a batch: each parameter is a column's array
};

// What requests of a kind write.
struct row_set {
	const char *name;
	const struct place *places; // in the worker's own order
	const char *empty;          // what makes the copy ready
};

// What failed ends the program.
const struct row_set *rows_set(const char *name) ATTR_MUST_USE; // "sign_up", "code", "check"
PGconn *rows_connect(const char *dsn) ATTR_MUST_USE;
PGresult *rows_ask(PGconn *conn, const char *sql) ATTR_MUST_USE;
// Returns how many tables there are.
int rows_load(PGconn *conn, const struct row_set *set, struct table tables[static TABLES_MAX]) ATTR_MUST_USE;
// Makes each column's array of the rows of requests before the number end; returns how many rows. Each array is the caller's to free.
size_t rows_take(struct table *table, long end, char *arrays[static COLUMNS_MAX]) ATTR_MUST_USE;
