// SPDX-License-Identifier: Apache-2.0
// The set-based limit: the rows that requests left in one database go into the same tables of another, one statement a table and one
// transaction a batch, in one round trip: from=dsn to=dsn batch=requests [set=sign_up|code|check]. The copy is emptied first; checks go on with
// what the codes left there.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "rows.h"
#include "timing.h"

static void empty_copy(PGconn *conn, const struct row_set *set)
{
	PQclear(rows_ask(conn, set->empty));
	PQclear(rows_ask(conn, "CHECKPOINT"));
}

static void prepare(PGconn *conn, const struct table *tables, int count)
{
	for (int i = 0; i < count; i++) {
		PGresult *result = PQprepare(conn, tables[i].name, tables[i].sql, 0, NULL);
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
static size_t write_batch(PGconn *conn, struct table *tables, int table_count, long end)
{
	size_t rows = 0;
	int statements = 2;
	send(conn, PQsendQueryParams(conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0));
	for (int i = 0; i < table_count; i++) {
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
	const struct row_set *set = rows_set(args_text(&args, "set", "sign_up"));
	struct table tables[TABLES_MAX];
	struct timing times = {0};
	int table_count = rows_load(from, set, tables);
	PQfinish(from);
	empty_copy(to, set);
	prepare(to, tables, table_count);
	if (batch == 0 || !PQenterPipelineMode(to))
		die("batch=%ld cannot be", batch);
	long requests = PQntuples(tables[0].rows), done = 0;
	size_t rows = 0;
	int64_t begin = now_ns();
	while (done < requests) {
		int64_t start = now_ns();
		done = done + batch < requests ? done + batch : requests;
		rows += write_batch(to, tables, table_count, done);
		timing_add(&times, now_ns() - start);
	}
	double seconds = (double)(now_ns() - begin) / 1e9;
	printf("{\"requests\": %ld, \"rows\": %zu, \"seconds\": %.4f, \"per_second\": %.1f, \"rows_per_second\": %.1f, ", requests,
	       rows, seconds, (double)requests / seconds, (double)rows / seconds);
	timing_print(&times, "batch", 0);
	printf("}\n");
	timing_free(&times);
	for (int i = 0; i < table_count; i++)
		PQclear(tables[i].rows);
	PQfinish(to);
	return 0;
}
