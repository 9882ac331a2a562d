// SPDX-License-Identifier: Apache-2.0
// Rows of the worker's tables as text.
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"

#define BY_ACCOUNT "JOIN n USING (account_id)"

static const struct {
	const char *name, *way;
} places[TABLES] = {
	// In the worker's own order.
	{"inbox", BY_ACCOUNT},
	{"challenge", BY_ACCOUNT},
	{"claim", BY_ACCOUNT},
	{"account", BY_ACCOUNT},
	{"message", "JOIN enrolld.challenge AS c USING (challenge_id) JOIN n ON n.account_id = c.account_id"},
};

PGconn *rows_connect(const char *dsn)
{
	PGconn *conn = PQconnectdb(dsn);
	if (PQstatus(conn) != CONNECTION_OK)
		die("%s", PQerrorMessage(conn));
	return conn;
}

PGresult *rows_ask(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		die("%s", PQresultErrorMessage(result));
	return result;
}

// xact is the number of a transaction of this database: the copy gives its own.
static PGresult *ask_columns(PGconn *conn, const char *table)
{
	char sql[512];
	snprintf(
		sql, sizeof(sql),
		"SELECT quote_ident(attname), format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'enrolld.%s'::regclass "
		"AND attnum > 0 AND NOT attisdropped AND attname <> 'xact' ORDER BY attnum",
		table);
	return rows_ask(conn, sql);
}

static void load(PGconn *conn, struct table *table)
{
	char sql[4096], names[1024] = "", selected[1024] = "", types[512] = "";
	PGresult *columns = ask_columns(conn, table->name);
	table->columns = PQntuples(columns);
	if (table->columns == 0 || table->columns > COLUMNS_MAX)
		die("table %s has %d columns", table->name, table->columns);
	for (int i = 0; i < table->columns; i++) {
		const char *name = PQgetvalue(columns, i, 0), *comma = i ? ", " : "";
		size_t n = strlen(names), s = strlen(selected), t = strlen(types);
		snprintf(names + n, sizeof(names) - n, "%s%s", comma, name);
		snprintf(selected + s, sizeof(selected) - s, ", t.%s::text", name);
		snprintf(types + t, sizeof(types) - t, "%s$%d::%s[]", comma, i + 1, PQgetvalue(columns, i, 1));
	}
	PQclear(columns);
	int size = snprintf(table->insert, sizeof(table->insert), "INSERT INTO enrolld.%s (%s) SELECT * FROM unnest(%s)",
			    table->name, names, types);
	if (size >= (int)sizeof(table->insert))
		die("the columns of table %s need more room", table->name);
	snprintf(sql, sizeof(sql),
		 "WITH n AS (SELECT account_id, row_number() OVER (ORDER BY stored_at, account_id) - 1 AS n FROM enrolld.inbox "
		 "WHERE account_id IS NOT NULL) SELECT n.n%s FROM enrolld.%s AS t %s ORDER BY n.n",
		 selected, table->name, table->way);
	table->rows = rows_ask(conn, sql);
}

void rows_load(PGconn *conn, struct table tables[static TABLES])
{
	for (int i = 0; i < TABLES; i++) {
		tables[i] = (struct table){.name = places[i].name, .way = places[i].way};
		load(conn, &tables[i]);
	}
}

static size_t room_of(const struct table *table, int begin, int end, int column)
{
	size_t room = 3;
	for (int r = begin; r < end; r++)
		room += 2 * (size_t)PQgetlength(table->rows, r, column) + 8;
	return room;
}

// Text form of an array: every element in quotes, NULL bare (PostgreSQL manual, "Array Input and Output Syntax").
static char *make_array(const struct table *table, int begin, int end, int column)
{
	char *array = bench_alloc(room_of(table, begin, end, column), 1), *to = array;
	*to++ = '{';
	for (int r = begin; r < end; r++) {
		if (r > begin)
			*to++ = ',';
		if (PQgetisnull(table->rows, r, column)) {
			memcpy(to, "NULL", 4);
			to += 4;
			continue;
		}
		*to++ = '"';
		for (const char *from = PQgetvalue(table->rows, r, column); *from; from++) {
			if (*from == '"' || *from == '\\')
				*to++ = '\\';
			*to++ = *from;
		}
		*to++ = '"';
	}
	*to++ = '}';
	*to = '\0';
	return array;
}

size_t rows_take(struct table *table, long end, char *arrays[static COLUMNS_MAX])
{
	int first = table->next, last = first;
	while (last < PQntuples(table->rows) && strtol(PQgetvalue(table->rows, last, 0), NULL, 10) < end)
		last++;
	for (int i = 0; i < table->columns; i++)
		arrays[i] = make_array(table, first, last, i + 1);
	table->next = last;
	return (size_t)(last - first);
}
