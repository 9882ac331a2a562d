// SPDX-License-Identifier: Apache-2.0
// Connecting without blocking in libpq, so that a silent server costs the connect timeout and no more.
#include "store/connection.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/strbuf.h"
#include "store/hosts.h"
#include "store/sqlstate.h"

#define KEYWORDS_OWN 13 // the last one is NULL
#define ANSWER_MARGIN_MS 5000
#define CONNECT_MARGIN_MS 500 // the kernel gives a machine up that is gone, and libpq goes on to the next

struct keywords {
	const char **names;
	const char **values;
	size_t count;
};

static void add_keyword(struct keywords *k, const char *name, const char *value)
{
	k->names[k->count] = name;
	k->values[k->count++] = value;
}

// A later keyword outweighs an earlier one: first our defaults, then the DSN, then the properties, then what must be so.
static struct keywords make_keywords(const struct store_conf *conf, const char *name, const struct hosts *hosts,
				     char user_timeout[static 24])
{
	size_t size = KEYWORDS_OWN + conf->properties.count;
	struct keywords k = {calloc(size, sizeof(char *)), calloc(size, sizeof(char *)), 0};
	if (!k.names || !k.values)
		PANIC("no memory for %zu connection keywords", size);
	(void)snprintf(user_timeout, 24, "%lld", (long long)conf->connect_timeout_ms);
	add_keyword(&k, "target_session_attrs", "read-write");
	add_keyword(&k, "keepalives", "1");
	add_keyword(&k, "keepalives_idle", "10");
	add_keyword(&k, "keepalives_interval", "5");
	add_keyword(&k, "keepalives_count", "3");
	add_keyword(&k, "tcp_user_timeout",
		    user_timeout); // also bounds a connect to a host that is gone, so that the next one is tried
	add_keyword(&k, "application_name", name);
	add_keyword(&k, "dbname", conf->dsn);
	for (size_t i = 0; i < conf->properties.count; i++)
		add_keyword(&k, conf->properties.pairs[i].name, conf->properties.pairs[i].value);
	if (hosts->host)
		add_keyword(&k, "host", hosts->host);
	if (hosts->hostaddr)
		add_keyword(&k, "hostaddr", hosts->hostaddr);
	if (hosts->port)
		add_keyword(&k, "port", hosts->port);
	add_keyword(&k, "client_encoding", "UTF8");
	return k;
}

static void free_keywords(struct keywords *k)
{
	free(k->names);
	free(k->values);
}

static bool is_keyword(const PQconninfoOption *known, const char *name)
{
	for (const PQconninfoOption *option = known; option->keyword; option++) {
		if (strcmp(option->keyword, name) == 0)
			return true;
	}
	return false;
}

// libpq's own message may hold a piece of the password, so it is not passed on.
enum reason connection_check(const struct store_conf *conf, struct fault *f)
{
	bool is_dsn = strncmp(conf->dsn, "postgres://", 11) == 0 || strncmp(conf->dsn, "postgresql://", 13) == 0 ||
		      strchr(conf->dsn, '=');
	if (is_dsn) {
		char *message = NULL;
		PQconninfoOption *options = PQconninfoParse(conf->dsn, &message);
		PQfreemem(message);
		if (!options)
			return fault_set(f, REASON_SETTING_INVALID,
					 "database.dsn: neither a URI nor a list of keywords that libpq understands");
		PQconninfoFree(options);
	}
	PQconninfoOption *known = PQconndefaults();
	if (!known)
		return fault_set(f, REASON_NO_MEMORY, "no memory for libpq's keywords");
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < conf->properties.count && reason == REASON_OK; i++) {
		const char *name = conf->properties.pairs[i].name;
		if (!is_keyword(known, name))
			reason = fault_set(f, REASON_SETTING_INVALID, "database.properties.%s: libpq has no such keyword", name);
	}
	PQconninfoFree(known);
	return reason;
}

// Until the socket can be read (or written, if asked for too). false after timeout_ms or on an error of the socket.
static bool wait_for_socket(const struct connection *c, bool writing, int64_t timeout_ms)
{
	struct pollfd pfd = {.fd = PQsocket(c->pg), .events = (short)(POLLIN | (writing ? POLLOUT : 0))};
	int64_t end_ns = clock_mono_ns() + timeout_ms * 1000000;
	for (;;) {
		int64_t left_ms = (end_ns - clock_mono_ns()) / 1000000;
		if (left_ms <= 0 || pfd.fd < 0)
			return false;
		if (poll(&pfd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms) > 0)
			return true;
	}
}

bool connection_wait_result(struct connection *c)
{
	for (;;) {
		int pending = PQflush(c->pg);
		if (pending < 0)
			return false;
		if (pending == 0 && !PQisBusy(c->pg))
			return true;
		if (!wait_for_socket(c, pending == 1, c->conf->statement_timeout_ms + ANSWER_MARGIN_MS))
			return false;
		if (PQconsumeInput(c->pg) == 0)
			return false;
	}
}

enum reason connection_failure(struct connection *c, const struct statement *statement, const PGresult *result, struct fault *f)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	if (state && !sqlstate_is_valid(state))
		state = NULL;
	bool pooled = state && (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0);
	enum reason reason = fault_set(f, sqlstate_reason(state, c->worked), "%s: %s%s%s%s%s%s%s", statement->name,
				       state ? "SQLSTATE " : "the link broke", state ? state : "",
				       constraint ? ", constraint " : "", constraint ? constraint : "", table ? ", table " : "",
				       table ? table : "", pooled ? "; behind a pooler set database.prepared to false" : "");
	if (sqlstate_ends_link(state))
		connection_close(c);
	return reason;
}

enum reason connection_execute(struct connection *c, const struct statement *statement, struct fault *f)
{
	enum reason reason = REASON_OK;
	bool sent = PQsendQuery(c->pg, statement->sql) == 1;
	while (sent && c->pg) {
		bool ready = connection_wait_result(c);
		if (!ready && PQisBusy(c->pg)) {
			sent = false;
			break;
		}
		PGresult *result = PQgetResult(c->pg);
		if (!result)
			return reason;
		ExecStatusType status = PQresultStatus(result);
		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && reason == REASON_OK)
			reason = connection_failure(c, statement, result, f);
		PQclear(result);
	}
	if (reason == REASON_OK)
		reason = fault_set(f, REASON_STORE_UNAVAILABLE, "%s: %s", statement->name,
				   sent ? "the link broke" : "no answer in time");
	connection_close(c);
	return reason;
}

// With PQERRORS_SQLSTATE a server's refusal reads "...: FATAL:  28P01": the only way to the SQLSTATE of a connection attempt, and the
// server's words, which hold names, stay out.
static const char *refusal_sqlstate(const char *message, char state[static 6])
{
	size_t len = strlen(message);
	while (len > 0 && message[len - 1] == '\n')
		len--;
	if (len < 6 || message[len - 6] != ' ')
		return NULL;
	memcpy(state, message + len - 5, 5);
	state[5] = '\0';
	return sqlstate_is_valid(state) ? state : NULL;
}

// The last line of libpq's message (lines of hints begin with a tab) without what it quotes: a slip in the DSN can put a piece of the
// password there.
static void write_unquoted(const char *message, struct strbuf *out)
{
	const char *line = message;
	for (const char *end = strchr(message, '\n'); end; end = strchr(end + 1, '\n')) {
		if (end[1] != '\t' && end[1] != '\0')
			line = end + 1;
	}
	bool quoted = false;
	for (const char *at = line; *at != '\n' && *at != '\0'; at++) {
		if (*at == '"') {
			strbuf_add_text(out, quoted ? "...\"" : "\"");
			quoted = !quoted;
		} else if (!quoted)
			strbuf_add_char(out, *at);
	}
}

static enum reason connect_fault(struct connection *c, const char *message, struct fault *f)
{
	char state[6];
	const char *sqlstate = refusal_sqlstate(message, state);
	enum reason reason = sqlstate_reason(sqlstate, c->worked);
	struct strbuf text = STRBUF_INIT(FAULT_DETAIL_SIZE);
	if (sqlstate)
		strbuf_printf(&text, "SQLSTATE %s", sqlstate);
	else
		write_unquoted(message, &text);
	reason = fault_set(f, reason, "connect: %s", strbuf_slice(&text).ptr);
	strbuf_free(&text);
	connection_close(c);
	return reason;
}

static enum reason poll_connect(struct connection *c, struct fault *f)
{
	int64_t patience_ms = c->conf->connect_timeout_ms, end_ns = 0;
	const char *host = NULL;
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;
	while (next != PGRES_POLLING_OK) {
		if (end_ns == 0 || PQhost(c->pg) != host) // the next one of the list, with a time of its own
			end_ns = clock_mono_ns() + (patience_ms + CONNECT_MARGIN_MS) * 1000000;
		host = PQhost(c->pg);
		if (next == PGRES_POLLING_FAILED || PQstatus(c->pg) == CONNECTION_BAD)
			return connect_fault(c, PQerrorMessage(c->pg), f);
		struct pollfd pfd = {.fd = PQsocket(c->pg), .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT};
		int64_t left_ms = (end_ns - clock_mono_ns()) / 1000000;
		if (left_ms <= 0) {
			connection_close(c);
			return fault_set(f, REASON_STORE_UNAVAILABLE, "connect: no answer within %lld ms", (long long)patience_ms);
		}
		if (poll(&pfd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms) > 0)
			next = PQconnectPoll(c->pg);
	}
	return REASON_OK;
}

static void drop_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

static enum reason connect_once(struct connection *c, struct fault *f)
{
	char user_timeout[24];
	struct hosts hosts;
	hosts_turn(c->conf, c->failed, &hosts);
	struct keywords k = make_keywords(c->conf, c->name, &hosts, user_timeout);
	c->pg = PQconnectStartParams(k.names, k.values, 1);
	free_keywords(&k);
	hosts_free(&hosts);
	if (!c->pg)
		return fault_set(f, REASON_STORE_UNAVAILABLE, "connect: no memory");
	(void)PQsetErrorVerbosity(c->pg, PQERRORS_SQLSTATE);
	(void)PQsetNoticeReceiver(c->pg, drop_notice, NULL);
	enum reason reason = poll_connect(c, f);
	if (reason != REASON_OK)
		return reason;
	if (PQsetnonblocking(c->pg, 1) != 0)
		return connect_fault(c, PQerrorMessage(c->pg), f);
	session_write(c->conf, !c->conf->prepared, c->session_sql);
	c->session = (struct statement){"session", c->session_sql};
	if (!c->conf->prepared)
		return REASON_OK;
	reason = connection_execute(c, &c->session, f);
	if (reason != REASON_OK)
		connection_close(c);
	return reason;
}

static enum reason connect_now(struct connection *c, struct fault *f)
{
	enum reason reason = connect_once(c, f);
	c->failed += reason != REASON_OK;
	return reason;
}

// A server that went away while the link was idle has said so by closing it: reading shows that before anything is sent.
static bool still_open(struct connection *c)
{
	for (int i = 0; i < 4 && PQstatus(c->pg) == CONNECTION_OK; i++) {
		struct pollfd pfd = {.fd = PQsocket(c->pg), .events = POLLIN};
		if (poll(&pfd, 1, 0) <= 0)
			return true;
		if (PQconsumeInput(c->pg) == 0)
			return false;
	}
	return PQstatus(c->pg) == CONNECTION_OK;
}

enum reason connection_ready(struct connection *c, struct fault *f)
{
	if (c->pg && still_open(c))
		return REASON_OK;
	connection_close(c);
	return connect_now(c, f);
}

void connection_close(struct connection *c)
{
	if (c->pg)
		PQfinish(c->pg);
	c->pg = NULL;
	c->prepared_count = 0;
}

void connection_roll_back(struct connection *c)
{
	if (!c->pg)
		return;
	if (PQstatus(c->pg) != CONNECTION_OK || PQtransactionStatus(c->pg) == PQTRANS_ACTIVE) {
		connection_close(c);
		return;
	}
	if (PQtransactionStatus(c->pg) == PQTRANS_IDLE)
		return;
	static const struct statement roll_back = {"rollback", "ROLLBACK"};
	if (connection_execute(c, &roll_back, NULL) != REASON_OK)
		connection_close(c);
}

bool connection_has_prepared(const struct connection *c, const struct statement *statement)
{
	for (size_t i = 0; i < c->prepared_count; i++) {
		if (c->prepared[i] == statement)
			return true;
	}
	return false;
}

void connection_add_prepared(struct connection *c, const struct statement *statement)
{
	if (c->prepared_count == STATEMENTS_MAX)
		PANIC("more than %d prepared statements", STATEMENTS_MAX);
	c->prepared[c->prepared_count++] = statement;
}
