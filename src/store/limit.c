// SPDX-License-Identifier: Apache-2.0
// Table limit: what was spent of each limit.
//
// A transaction locks its rows in two steps that cannot wait in a circle: rows that are missing are made, in key order; then the others
// are locked, in key order. Who makes rows waits only for another's new rows; who locks waits only for those that lock.
#include "store/limit.h"

#include <stdlib.h>
#include <string.h>

#include "store/result.h"

// clang-format off
#define KEYS "unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(realm, name, subject, n) " \
	"JOIN enrolld.\"limit\" AS l ON l.realm = k.realm AND l.name = k.name AND l.subject = k.subject"
#define COLUMNS "SELECT k.n, (extract(epoch FROM l.window_start) * 1000)::int8, l.used, l.spent "
#define MOMENT(ms) "timestamptz 'epoch' + " ms " * interval '1 millisecond'"

static const struct statement find = {"limit_find", COLUMNS "FROM " KEYS};

// As if all uses passed when the transaction began, which is most often for good; in the arithmetic of window.c.
static const struct statement make = {"limit_make",
	"WITH m AS MATERIALIZED (SELECT (extract(epoch FROM now()) * 1000)::int8 AS ms), "
		"k AS (SELECT k.*, (m.ms + k.slot - 1) / k.slot * k.slot AS at "
			"FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::bool[]) "
				"AS k(realm, name, subject, uses, slot, length, step, slides) CROSS JOIN m) "
	"INSERT INTO enrolld.\"limit\" (realm, name, subject, window_start, used, spent, expires_at) "
	"SELECT k.realm, k.name, k.subject, " MOMENT("k.at") ", k.uses, CASE WHEN k.slides THEN ARRAY[k.at, k.uses] END, "
		MOMENT("((k.at + k.length) / k.step + 1) * k.step") " FROM k "
	"ORDER BY k.realm COLLATE \"C\", k.name COLLATE \"C\", k.subject COLLATE \"C\" "
	"ON CONFLICT DO NOTHING"};

// Those that others made: a row of this transaction needs no lock.
static const struct statement take = {"limit_take",
	COLUMNS "FROM " KEYS " WHERE l.xmin <> pg_current_xact_id()::xid ORDER BY l.realm, l.name, l.subject FOR UPDATE OF l"};

// A statement of its own: that moment comes after the locks were had, so after whatever another has counted.
static const struct statement moment = {"limit_moment", "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8"};

static const struct statement spend = {"limit_spend",
	"UPDATE enrolld.\"limit\" AS l SET window_start = " MOMENT("k.start") ", used = k.used, spent = k.spent::int8[], "
		"expires_at = " MOMENT("k.expires") " "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::text[], $7::int8[]) "
		"AS k(realm, name, subject, start, used, spent, expires) "
	"WHERE l.realm = k.realm AND l.name = k.name AND l.subject = k.subject"};
// clang-format on

static int compare_rows(const void *a, const void *b)
{
	const struct limit_row *left = a, *right = b;
	int order = slice_compare(left->realm, right->realm);
	if (order == 0)
		order = strcmp(left->use->name, right->use->name);
	return order ? order : slice_compare(left->use->subject, right->use->subject);
}

void limit_table_begin(struct limit_table *table, size_t room, struct arena *arena)
{
	*table = (struct limit_table){.arena = arena, .rows = ARENA_ARRAY(arena, room, struct limit_row)};
}

void limit_table_add(struct limit_table *table, struct slice realm, const struct limit_use *use)
{
	table->rows[table->count++] = (struct limit_row){.realm = realm, .use = use, .uses = 1};
}

// Each key once, in order.
static void unify(struct limit_table *table)
{
	if (table->count == 0)
		return;
	qsort(table->rows, table->count, sizeof(*table->rows), compare_rows);
	size_t kept = 1;
	for (size_t i = 1; i < table->count; i++) {
		if (compare_rows(&table->rows[i], &table->rows[kept - 1]) != 0)
			table->rows[kept++] = table->rows[i];
		else
			table->rows[kept - 1].uses += table->rows[i].uses;
	}
	table->count = kept;
}

struct limit_row *limit_table_row(const struct limit_table *table, struct slice realm, const struct limit_use *use)
{
	const struct limit_row key = {.realm = realm, .use = use};
	return table->count ? bsearch(&key, table->rows, table->count, sizeof(key), compare_rows) : NULL;
}

static void add_key(struct params *params, const struct limit_row *row)
{
	param_add_text(&params->at[0], row->realm);
	param_add_text(&params->at[1], slice_of(row->use->name));
	param_add_text(&params->at[2], row->use->subject);
}

static size_t add_keys(struct pipeline *p, const struct limit_table *table, const struct statement *statement)
{
	struct params params;
	params_init(&params, 3);
	for (size_t i = 0; i < table->count; i++)
		add_key(&params, &table->rows[i]);
	return pipeline_add(p, statement, &params);
}

void limit_find(struct pipeline *p, struct limit_table *table)
{
	unify(table);
	if (table->count > 0)
		table->handle = add_keys(p, table, &find);
}

void limit_take(struct pipeline *p, struct limit_table *table)
{
	unify(table);
	if (table->count == 0)
		return;
	struct params params;
	params_init(&params, 8);
	for (size_t i = 0; i < table->count; i++) {
		const struct limit_use *use = table->rows[i].use;
		bool slides = use->kind != LIMIT_FIXED;
		add_key(&params, &table->rows[i]);
		param_add_int(&params.at[3], table->rows[i].uses);
		param_add_int(&params.at[4], slides ? window_slot(use) : 1);
		param_add_int(&params.at[5], use->window_ms);
		param_add_int(&params.at[6], window_step(use));
		param_add_text(&params.at[7], slides ? SLICE_LIT("t") : SLICE_LIT("f"));
	}
	table->made = pipeline_add(p, &make, &params);
	table->handle = add_keys(p, table, &take);
	params_init(&params, 0);
	table->moment = pipeline_add(p, &moment, &params);
}

// An array of bigint, {1700000000000,3,...}.
static void read_log(const char *text, struct window *w, struct arena *arena)
{
	size_t numbers = 1;
	for (const char *c = text; *c; c++)
		numbers += *c == ',';
	w->log_room = numbers / 2 + 1;
	w->log = ARENA_ARRAY(arena, w->log_room, struct spending);
	const char *at = text + 1;
	while (*at != '\0' && *at != '}') {
		char *end;
		struct spending *s = &w->log[w->log_count++];
		s->at_ms = strtoll(at, &end, 10);
		if (*end != ',')
			PANIC("a limit's log is no list of pairs");
		s->count = strtoll(end + 1, &end, 10);
		at = *end == ',' ? end + 1 : end;
	}
}

// Rows that nobody had are windows of which nothing is spent.
void limit_read(struct limit_table *table, const struct pipeline *p)
{
	if (table->count == 0)
		return;
	const PGresult *result = pipeline_result(p, table->handle);
	size_t rows = result_rows(result);
	for (size_t r = 0; r < rows; r++) {
		struct limit_row *row = &table->rows[result_int(result, r, 0) - 1];
		struct window *w = &row->window;
		row->found = true;
		w->start_ms = result_int(result, r, 1);
		w->used = result_int(result, r, 2);
		if (!PQgetisnull(result, (int)r, 3))
			read_log(PQgetvalue(result, (int)r, 3), w, table->arena);
	}
}

bool limit_taken(struct limit_table *table, const struct pipeline *p, int64_t began_ms)
{
	if (table->count == 0)
		return true;
	limit_read(table, p);
	int64_t now_ms = limit_now(table, p);
	for (size_t i = 0; i < table->count; i++)
		table->rows[i].at_ms = table->rows[i].found ? now_ms : began_ms;
	return result_rows(pipeline_result(p, table->handle)) + pipeline_touched(p, table->made) == table->count;
}

int64_t limit_now(const struct limit_table *table, const struct pipeline *p)
{
	return result_int(pipeline_result(p, table->moment), 0, 0);
}

static void add_log(struct param *param, const struct window *w, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT(PARAM_SIZE_LIMIT);
	for (size_t i = 0; i < w->log_count; i++)
		strbuf_printf(&text, "%c%lld,%lld", i ? ',' : '{', (long long)w->log[i].at_ms, (long long)w->log[i].count);
	strbuf_add_char(&text, '}');
	param_add_text(param, arena_copy(arena, strbuf_slice(&text)));
	strbuf_free(&text);
}

static void add_window(struct params *params, const struct limit_row *row, struct arena *arena)
{
	const struct window *w = &row->window;
	add_key(params, row);
	param_add_int(&params->at[3], w->start_ms);
	param_add_int(&params->at[4], w->used);
	if (w->log_count > 0)
		add_log(&params->at[5], w, arena);
	else
		param_add_text(&params->at[5], SLICE_ABSENT);
	param_add_int(&params->at[6], window_expiry(w, row->use));
}

// Is it in the table what it is here?
static bool is_written(const struct limit_row *row)
{
	return row->found ? !row->spent : row->window.used == row->uses;
}

void limit_spend(struct pipeline *p, const struct limit_table *table)
{
	struct params params;
	params_init(&params, 7);
	bool any = false;
	for (size_t i = 0; i < table->count; i++) {
		if (is_written(&table->rows[i]))
			continue;
		any = true;
		add_window(&params, &table->rows[i], table->arena);
	}
	if (any)
		(void)pipeline_add(p, &spend, &params);
	else
		params_free(&params);
}
