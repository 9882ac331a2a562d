// SPDX-License-Identifier: Apache-2.0
// Rows of the worker's tables as text.
#include "rows.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"

// Rows that others than the requests made are left out; number counts the requests from 0.
struct place {
	const char *table, *number, *way;
	const char *columns; // key, then what is written: "" inserts all
};

// clang-format off
#define BY_ACCOUNT "JOIN (SELECT account_id, row_number() OVER (ORDER BY stored_at, account_id) - 1 AS n FROM enrolld.inbox " \
	"WHERE account_id IS NOT NULL) AS n USING (account_id)"
static const struct place of_sign_up[] = {
	{"inbox", "n.n", BY_ACCOUNT, ""},
	{"challenge", "n.n", BY_ACCOUNT, ""},
	{"claim", "n.n", BY_ACCOUNT, ""},
	{"account", "n.n", BY_ACCOUNT, ""},
	{"message", "n.n", "JOIN enrolld.challenge AS c USING (challenge_id) JOIN (SELECT account_id, row_number() OVER (ORDER BY stored_at, account_id) - 1 "
		"AS n FROM enrolld.inbox WHERE account_id IS NOT NULL) AS n ON n.account_id = c.account_id", ""},
	{0},
};

// Number of a request by its id or telephone, which both end with it.
#define BY(column) "right(" column ", 8)::bigint"
// A limit's subject tells nobody whose it is: each request gets as many of them.
#define EVENLY "(row_number() OVER (ORDER BY t.subject, t.name) - 1) * (SELECT count(*) FROM enrolld.inbox WHERE request_id LIKE 'code-%') / count(*) OVER ()"
static const struct place of_code[] = {
	{"inbox", BY("t.request_id"), "WHERE t.request_id LIKE 'code-%'", ""},
	{"\"limit\"", EVENLY, "", ""},
	{"address", BY("t.value"), "", ""},
	{"challenge", BY("t.claim_value"), "", ""},
	{"message", BY("c.claim_value"), "JOIN enrolld.challenge AS c USING (challenge_id)", ""},
	{0},
};

// Right codes of addresses that nobody had; that their row of address is locked is not counted.
static const struct place of_check[] = {
	{"inbox", BY("t.request_id"), "WHERE t.request_id LIKE 'check-%'", ""},
	{"challenge", BY("t.claim_value"), "", "challenge_id attempts consumed_at"},
	{"claim", BY("t.value"), "", ""},
	{"account", BY("c.value"), "JOIN enrolld.claim AS c USING (account_id)", ""},
	{"session", BY("c.value"), "JOIN enrolld.claim AS c USING (account_id)", ""},
	{0},
};
// clang-format on

static const struct row_set sets[] = {
	{"sign_up", of_sign_up,
	 "TRUNCATE enrolld.inbox, enrolld.challenge, enrolld.claim, enrolld.account, enrolld.message CASCADE"},
	{"code", of_code,
	 "TRUNCATE enrolld.inbox, enrolld.\"limit\", enrolld.address, enrolld.challenge, enrolld.message, enrolld.claim, enrolld.account CASCADE"},
	{"check", of_check, "SELECT 1"}, // goes on with what "code" left there
};

const struct row_set *rows_set(const char *name)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (strcmp(sets[i].name, name) == 0)
			return &sets[i];
	die("set=%s is none", name);
}

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
static PGresult *ask_columns(PGconn *conn, const struct place *place)
{
	char sql[768];
	snprintf(
		sql, sizeof(sql),
		"SELECT quote_ident(attname), format_type(atttypid, atttypmod) FROM pg_attribute, string_to_array(nullif('%s', ''), ' ') AS w "
		"WHERE attrelid = 'enrolld.%s'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'xact' "
		"AND (w IS NULL OR attname = ANY (w)) ORDER BY array_position(w, attname::text), attnum",
		place->columns, place->table);
	return rows_ask(conn, sql);
}

// A list in SQL, one part a column.
struct list {
	char text[1024];
};

ATTR_PRINTF(2, 3) static void append(struct list *list, const char *format, ...)
{
	size_t at = strlen(list->text), room = sizeof(list->text) - at;
	va_list values;
	va_start(values, format);
	int size = vsnprintf(list->text + at, room, format, values);
	va_end(values);
	if (size >= (int)room)
		die("the columns of a table need more room");
}

static void load(PGconn *conn, struct table *table)
{
	const struct place *place = table->place;
	struct list names = {0}, selected = {0}, types = {0}, values = {0}, changes = {0};
	char sql[4096];
	PGresult *columns = ask_columns(conn, place);
	table->columns = PQntuples(columns);
	if (table->columns == 0 || table->columns > COLUMNS_MAX)
		die("table %s has %d columns", place->table, table->columns);
	const char *key = PQgetvalue(columns, 0, 0);
	for (int i = 0; i < table->columns; i++) {
		const char *name = PQgetvalue(columns, i, 0), *type = PQgetvalue(columns, i, 1), *comma = i ? ", " : "";
		bool array = strchr(type, '[') != NULL; // unnest() would take it apart, too
		append(&names, "%s%s", comma, name);
		append(&selected, ", t.%s::text", name);
		append(&types, "%s$%d::%s[]", comma, i + 1, array ? "text" : type);
		append(&values, "%sk.%s%s%s", comma, name, array ? "::" : "", array ? type : "");
		if (i > 0)
			append(&changes, "%s%s = k.%s", i > 1 ? ", " : "", name, name);
	}
	if (*place->columns)
		snprintf(table->sql, sizeof(table->sql), "UPDATE enrolld.%s AS t SET %s FROM unnest(%s) AS k(%s) WHERE t.%s = k.%s",
			 place->table, changes.text, types.text, names.text, key, key);
	else
		snprintf(table->sql, sizeof(table->sql), "INSERT INTO enrolld.%s (%s) SELECT %s FROM unnest(%s) AS k(%s)",
			 place->table, names.text, values.text, types.text, names.text);
	PQclear(columns);
	snprintf(sql, sizeof(sql), "SELECT %s%s FROM enrolld.%s AS t %s ORDER BY 1", place->number, selected.text, place->table,
		 place->way);
	table->rows = rows_ask(conn, sql);
}

int rows_load(PGconn *conn, const struct row_set *set, struct table tables[static TABLES_MAX])
{
	int count = 0;
	for (const struct place *place = set->places; place->table; place++) {
		struct table *table = &tables[count];
		*table = (struct table){.place = place};
		snprintf(table->name, sizeof(table->name), "%s_%d", set->name, count++);
		load(conn, table);
	}
	return count;
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
