// SPDX-License-Identifier: Apache-2.0
// Sending without blocking and reading while sending, since server and client would otherwise wait for each other on big batches.
#include "store/pipeline.h"

#include <string.h>

#include "store/result.h"

static const struct statement begin = {"begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
static const struct statement commit = {"commit", "COMMIT"};

static void fail(struct pipeline *p, const struct fault *f)
{
	if (p->reason == REASON_OK) {
		p->reason = f->reason;
		p->fault = *f;
	}
}

static void fail_link(struct pipeline *p, const char *what)
{
	struct fault f;
	(void)fault_set(&f, REASON_STORE_UNAVAILABLE, "%s", what);
	fail(p, &f);
	connection_close(p->link);
}

static struct pipeline_entry *add_entry(struct pipeline *p, const struct statement *statement)
{
	if (p->count == PIPELINE_MAX)
		PANIC("more than %d entries in a pipeline", PIPELINE_MAX);
	struct pipeline_entry *entry = &p->entries[p->count++];
	*entry = (struct pipeline_entry){.statement = statement};
	return entry;
}

static void send_control(struct pipeline *p, const struct statement *statement)
{
	if (p->reason != REASON_OK)
		return;
	add_entry(p, statement)->kind = ENTRY_CONTROL;
	if (PQsendQueryParams(p->link->pg, statement->sql, 0, NULL, NULL, NULL, NULL, 0) != 1)
		fail_link(p, "the link broke while sending");
}

void pipeline_resume(struct pipeline *p, struct connection *link)
{
	*p = (struct pipeline){.link = link, .reason = REASON_OK};
	if (!link->pg || PQtransactionStatus(link->pg) != PQTRANS_INTRANS)
		fail_link(p, "the link broke within the transaction");
	else if (PQenterPipelineMode(link->pg) != 1)
		fail_link(p, "the link does not take a pipeline");
}

void pipeline_begin(struct pipeline *p, struct connection *link)
{
	*p = (struct pipeline){.link = link, .reason = REASON_OK};
	struct fault f;
	if (connection_ready(link, &f) != REASON_OK) {
		fail(p, &f);
		return;
	}
	if (PQenterPipelineMode(link->pg) != 1) {
		fail_link(p, "the link does not take a pipeline");
		return;
	}
	send_control(p, &begin);
	if (!link->conf->prepared)
		send_control(p, &link->session);
}

static bool is_prepared(const struct pipeline *p, const struct statement *statement)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->entries[i].kind == ENTRY_PREPARE && p->entries[i].statement == statement)
			return true;
	}
	return connection_has_prepared(p->link, statement);
}

static bool send_query(struct pipeline *p, const struct statement *statement, const struct params *params)
{
	PGconn *pg = p->link->pg;
	const char *values[PARAMS_MAX];
	for (size_t i = 0; i < params->count; i++)
		values[i] = params_value(params, i);
	int count = (int)params->count;
	if (!p->link->conf->prepared)
		return PQsendQueryParams(pg, statement->sql, count, NULL, values, NULL, NULL, 0) == 1;
	if (!is_prepared(p, statement)) {
		add_entry(p, statement)->kind = ENTRY_PREPARE;
		if (PQsendPrepare(pg, statement->name, statement->sql, 0, NULL) != 1)
			return false;
	}
	return PQsendQueryPrepared(pg, statement->name, count, values, NULL, NULL, 0) == 1;
}

size_t pipeline_add(struct pipeline *p, const struct statement *statement, struct params *params)
{
	size_t handle = 0;
	if (!params_finish(params)) {
		struct fault f;
		(void)fault_set(&f, REASON_STORE_DATA, "%s: a value that PostgreSQL cannot store", statement->name);
		fail(p, &f);
	}
	if (p->reason == REASON_OK) {
		if (!send_query(p, statement, params))
			fail_link(p, "the link broke while sending");
		handle = p->count;
		add_entry(p, statement)->kind = ENTRY_QUERY;
	}
	params_free(params);
	return handle;
}

void pipeline_commit(struct pipeline *p)
{
	p->commits = true;
	send_control(p, &commit);
}

static bool take_answer(struct pipeline *p, struct pipeline_entry *entry)
{
	PGconn *pg = p->link->pg;
	bool lost = !connection_wait_result(p->link);
	if (lost && PQisBusy(pg)) {
		fail_link(p, "no answer in time");
		return false;
	}
	entry->result = PQgetResult(pg);
	ExecStatusType status = entry->result ? PQresultStatus(entry->result) : PGRES_FATAL_ERROR;
	if (!entry->result) {
		fail_link(p, "the link broke");
		return false;
	}
	if (status == PGRES_FATAL_ERROR && p->reason == REASON_OK) {
		struct fault f;
		(void)connection_failure(p->link, entry->statement, entry->result, &f);
		fail(p, &f);
	}
	if (p->link->pg && PQstatus(pg) == CONNECTION_BAD)
		fail_link(p, "the link broke");
	if (!p->link->pg)
		return false;
	if (status == PGRES_COMMAND_OK && entry->kind == ENTRY_PREPARE)
		connection_add_prepared(p->link, entry->statement);
	if (!connection_wait_result(p->link)) {
		fail_link(p, "no answer in time");
		return false;
	}
	PQclear(PQgetResult(pg)); // the NULL behind each statement's result
	return true;
}

static void read_answers(struct pipeline *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (!take_answer(p, &p->entries[i]))
			return;
	}
	PGresult *sync = connection_wait_result(p->link) ? PQgetResult(p->link->pg) : NULL;
	if (!sync || PQresultStatus(sync) != PGRES_PIPELINE_SYNC || PQexitPipelineMode(p->link->pg) != 1)
		fail_link(p, "the link broke");
	PQclear(sync);
}

// A COMMIT of a failed transaction is answered "ROLLBACK", without an error.
static void check_commit(struct pipeline *p)
{
	PGresult *last = p->entries[p->count - 1].result;
	if (p->reason != REASON_OK || (last && strcmp(PQcmdStatus(last), "COMMIT") == 0))
		return;
	struct fault f;
	(void)fault_set(&f, REASON_STORE_FAILED, "commit: answered as rolled back");
	fail(p, &f);
}

enum reason pipeline_run(struct pipeline *p, struct fault *f)
{
	bool data_fault = p->reason == REASON_STORE_DATA && p->link->pg;
	if (p->reason == REASON_OK || data_fault) {
		if (PQpipelineSync(p->link->pg) != 1)
			fail_link(p, "the link broke while sending");
		else
			read_answers(p);
	}
	if (p->commits && p->count > 0)
		check_commit(p);
	if (p->reason == REASON_OK) {
		p->link->worked = true;
		return REASON_OK;
	}
	connection_roll_back(p->link);
	pipeline_end(p);
	return fault_set(f, p->reason, "%s", p->fault.detail);
}

const PGresult *pipeline_result(const struct pipeline *p, size_t handle)
{
	return p->entries[handle].result;
}

void pipeline_end(struct pipeline *p)
{
	for (size_t i = 0; i < p->count; i++)
		PQclear(p->entries[i].result);
	p->count = 0;
}

size_t pipeline_touched(const struct pipeline *p, size_t handle)
{
	return (size_t)result_parse_int(PQcmdTuples(p->entries[handle].result));
}
