// SPDX-License-Identifier: Apache-2.0
// Rows of the worker's tables as text, in the order in which their sign-ups were stored, and arrays made of them.
#pragma once

#include <libpq-fe.h>
#include <stddef.h>

#include "enrolld/base/attr.h"

#define TABLES 5
#define COLUMNS_MAX 24

struct table {
	const char *name;
	const char *way; // from a row t to its sign-up n
	int columns;     // of the rows, behind the sign-up's number
	PGresult *rows;
	int next;          // first row that was not taken yet
	char insert[2048]; // one statement for a batch: each parameter is a column's array
};

// What failed ends the program.
PGconn *rows_connect(const char *dsn) ATTR_MUST_USE;
PGresult *rows_ask(PGconn *conn, const char *sql) ATTR_MUST_USE;
void rows_load(PGconn *conn, struct table tables[static TABLES]); // all that sign-ups with an account left behind
// Makes each column's array of the rows of sign-ups before the number end; returns how many rows. Each array is the caller's to free.
size_t rows_take(struct table *table, long end, char *arrays[static COLUMNS_MAX]) ATTR_MUST_USE;
