// SPDX-License-Identifier: Apache-2.0
// The set-based limit: the rows that sign-ups left in one database go into the same tables of another, one statement a table and one
// transaction a batch, in one round trip: from=dsn to=dsn batch=sign-ups. The copy is emptied first.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "rows.h"
#include "timing.h"

static void empty_copy(PGconn *conn)
{
	PQclear(rows_ask(conn,
			 "TRUNCATE enrolld.inbox, enrolld.challenge, enrolld.claim, enrolld.account, enrolld.message CASCADE"));
	PQclear(rows_ask(conn, "CHECKPOINT"));
}

static void prepare(PGconn *conn, const struct table *tables)
{
	for (int i = 0; i < TABLES; i++) {
		PGresult *result = PQprepare(conn, tables[i].name, tables[i].insert, 0, NULL);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			die("%s", PQresultErrorMessage(result));
		PQclear(result);
	}
}

static void send(PGconn *conn, int sent)
{
	if (!sent)
		die("%s", PQerrorMessage(conn));
}

static void drain(PGconn *conn, int statements)
{
	for (int i = 0; i < statements; i++) {
		PGresult *result = PQgetResult(conn);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			die("%s", PQresultErrorMessage(result));
		PQclear(result);
		PQclear(PQgetResult(conn)); // the NULL behind each
	}
	PGresult *sync = PQgetResult(conn);
	if (PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
		die("the batch did not end");
	PQclear(sync);
}

// Returns the number of rows.
static size_t insert_batch(PGconn *conn, struct table *tables, long end)
{
	size_t rows = 0;
	int statements = 2;
	send(conn, PQsendQueryParams(conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0));
	for (int i = 0; i < TABLES; i++) {
		char *arrays[COLUMNS_MAX];
		size_t count = rows_take(&tables[i], end, arrays);
		if (count > 0) {
			send(conn, PQsendQueryPrepared(conn, tables[i].name, tables[i].columns, (const char *const *)arrays, NULL,
						       NULL, 0));
			statements++;
		}
		for (int k = 0; k < tables[i].columns; k++)
			free(arrays[k]);
		rows += count;
	}
	send(conn, PQsendQueryParams(conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0));
	send(conn, PQpipelineSync(conn));
	drain(conn, statements);
	return rows;
}

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	PGconn *from = rows_connect(args_text(&args, "from", NULL)), *to = rows_connect(args_text(&args, "to", NULL));
	long batch = args_number(&args, "batch", -1);
	struct table tables[TABLES];
	struct timing times = {0};
	rows_load(from, tables);
	PQfinish(from);
	empty_copy(to);
	prepare(to, tables);
	if (batch == 0 || !PQenterPipelineMode(to))
		die("batch=%ld cannot be", batch);
	long sign_ups = PQntuples(tables[0].rows), done = 0;
	size_t rows = 0;
	int64_t begin = now_ns();
	while (done < sign_ups) {
		int64_t start = now_ns();
		done = done + batch < sign_ups ? done + batch : sign_ups;
		rows += insert_batch(to, tables, done);
		timing_add(&times, now_ns() - start);
	}
	double seconds = (double)(now_ns() - begin) / 1e9;
	printf("{\"sign_ups\": %ld, \"rows\": %zu, \"seconds\": %.4f, \"per_second\": %.1f, \"rows_per_second\": %.1f, ", sign_ups,
	       rows, seconds, (double)sign_ups / seconds, (double)rows / seconds);
	timing_print(&times, "batch", 0);
	printf("}\n");
	timing_free(&times);
	for (int i = 0; i < TABLES; i++)
		PQclear(tables[i].rows);
	PQfinish(to);
	return 0;
}
