// SPDX-License-Identifier: Apache-2.0
// Native requests as a gateway writes them: sign-ups, codes asked for, codes tried.
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka.h"

// Of 64 MiB and two passes; whose password it is nobody will ask.
#define FOREIGN_HASH "$argon2id$v=19$m=65536,t=2,p=1$x/JhVu9JC/u/16eIoxyIvA$qDqRf8cSaEKuVAf7HkIoDT0X6oK1+8ZuIAsPrJJqbi8"
#define BODY_SIZE 640
#define CODE_SIZE 16

struct codes {
	long count;
	char (*texts)[CODE_SIZE];
};

// Lines "number code", the numbers from 0 on without a gap, as bench_codes writes them.
static const struct codes *load_codes(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		die("%s cannot be read", path);
	struct codes *codes = bench_alloc(1, sizeof(*codes));
	long room = 0;
	char line[64], *code;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strtol(line, &code, 10) != codes->count || *code != ' ' || strlen(++code) >= CODE_SIZE)
			die("%s: \"%s\" is not the code of number %ld", path, line, codes->count);
		if (codes->count == room) {
			room = room ? 2 * room : 1024;
			codes->texts = reallocarray(codes->texts, (size_t)room, sizeof(*codes->texts));
			if (!codes->texts)
				die("no memory for %ld codes", room);
		}
		snprintf(codes->texts[codes->count++], CODE_SIZE, "%s", code);
	}
	fclose(file);
	return codes;
}

struct bench_request request_of(const struct args *args)
{
	static const char *const names[] = {"sign_up", "code", "check"};
	const char *kind = args_text(args, "kind", names[0]), *codes = args_nth(args, "codes", 0);
	struct bench_request request = {
		.prefix = args_text(args, "prefix", NULL),
		.foreign = args_number(args, "foreign", 0) > 0,
		.reply_to = args_nth(args, "reply", 0),
		.codes = codes ? load_codes(codes) : NULL,
	};
	while (strcmp(names[request.kind], kind) != 0)
		if (++request.kind > REQUEST_CHECK)
			die("kind=%s is none", kind);
	if (request.kind == REQUEST_CHECK && !request.codes)
		die("codes=... is missing");
	return request;
}

static void add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	kafka_must_code(rd_kafka_header_add(headers, name, -1, value, -1), "header");
}

static rd_kafka_headers_t *make_headers(const struct bench_request *request, const char *id)
{
	static const char *const paths[] = {"/v1/accounts", "/v1/codes", "/v1/codes/check"};
	rd_kafka_headers_t *headers = rd_kafka_headers_new(9);
	add(headers, ":scheme", "https");
	add(headers, ":method", "POST");
	add(headers, ":path", paths[request->kind]);
	add(headers, ":authority", "shop.example");
	add(headers, "content-type", "application/json");
	add(headers, "idempotency-key", id);
	if (request->reply_to) {
		add(headers, "zilla:reply-to", request->reply_to);
		add(headers, "zilla:correlation-id", id);
	}
	return headers;
}

static int write_sign_up(const struct bench_request *request, const char *id, char body[static BODY_SIZE])
{
	char secret[256];
	if (request->foreign)
		snprintf(secret, sizeof(secret), "\"password_hash\":\"" FOREIGN_HASH "\"");
	else
		snprintf(secret, sizeof(secret), "\"password\":\"blue heron over the lake %ld\"", request->number);
	return snprintf(
		body, BODY_SIZE,
		"{\"email\":\"%s@bench.example\",%s,\"given_name\":\"Ada\",\"family_name\":\"Lovelace\",\"locale\":\"en\",\"birth_date\":\"1990-12-10\"}",
		id, secret);
}

static int write_body(const struct bench_request *request, const char *id, char body[static BODY_SIZE])
{
	if (request->kind == REQUEST_SIGN_UP)
		return write_sign_up(request, id, body);
	int size = snprintf(body, BODY_SIZE, "{\"purpose\":\"sign_up\",\"phone\":\"+4479%08ld\",\"locale\":\"en\"",
			    request->number);
	const char *code = "";
	if (request->kind == REQUEST_CHECK && request->number >= request->codes->count)
		die("there are codes for %ld numbers only", request->codes->count);
	if (request->kind == REQUEST_CHECK)
		code = request->codes->texts[request->number];
	return size + snprintf(body + size, BODY_SIZE - (size_t)size, *code ? ",\"code\":\"%s\"}" : "}", code);
}

void request_send(rd_kafka_t *producer, rd_kafka_topic_t *topic, int partition, const struct bench_request *request,
		  char id[static REQUEST_ID_SIZE])
{
	char body[BODY_SIZE];
	snprintf(id, REQUEST_ID_SIZE, "%s-%08ld", request->prefix, request->number);
	int size = write_body(request, id, body);
	rd_kafka_resp_err_t code;
	rd_kafka_headers_t *headers = make_headers(request, id);
	while ((code = rd_kafka_producev(producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
					 RD_KAFKA_V_KEY(id, strlen(id)), RD_KAFKA_V_VALUE(body, (size_t)size),
					 RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
	       RD_KAFKA_RESP_ERR__QUEUE_FULL)
		(void)rd_kafka_poll(producer, 10);
	kafka_must_code(code, "produce");
}
