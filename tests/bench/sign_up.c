// SPDX-License-Identifier: Apache-2.0
// A native sign-up as a gateway writes it.
#include "sign_up.h"

#include <stdio.h>
#include <string.h>

#include "args.h"
#include "kafka.h"

// Of 64 MiB and two passes; whose password it is nobody will ask.
#define FOREIGN_HASH "$argon2id$v=19$m=65536,t=2,p=1$x/JhVu9JC/u/16eIoxyIvA$qDqRf8cSaEKuVAf7HkIoDT0X6oK1+8ZuIAsPrJJqbi8"

static void add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	kafka_must_code(rd_kafka_header_add(headers, name, -1, value, -1), "header");
}

static rd_kafka_headers_t *make_headers(const struct sign_up *request, const char *id)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(9);
	add(headers, ":scheme", "https");
	add(headers, ":method", "POST");
	add(headers, ":path", "/v1/accounts");
	add(headers, ":authority", "shop.example");
	add(headers, "content-type", "application/json");
	add(headers, "idempotency-key", id);
	if (request->reply_to) {
		add(headers, "zilla:reply-to", request->reply_to);
		add(headers, "zilla:correlation-id", id);
	}
	return headers;
}

void sign_up_send(rd_kafka_t *producer, rd_kafka_topic_t *topic, int partition, const struct sign_up *request,
		  char id[static SIGN_UP_ID_SIZE])
{
	char body[640], secret[256];
	if (request->foreign)
		snprintf(secret, sizeof(secret), "\"password_hash\":\"" FOREIGN_HASH "\"");
	else
		snprintf(secret, sizeof(secret), "\"password\":\"blue heron over the lake %ld\"", request->number);
	snprintf(id, SIGN_UP_ID_SIZE, "%s-%08ld", request->prefix, request->number);
	int size = snprintf(
		body, sizeof(body),
		"{\"email\":\"%s@bench.example\",%s,\"given_name\":\"Ada\",\"family_name\":\"Lovelace\",\"locale\":\"en\",\"birth_date\":\"1990-12-10\"}",
		id, secret);
	rd_kafka_resp_err_t code;
	rd_kafka_headers_t *headers = make_headers(request, id);
	while ((code = rd_kafka_producev(producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
					 RD_KAFKA_V_KEY(id, strlen(id)), RD_KAFKA_V_VALUE(body, (size_t)size),
					 RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
	       RD_KAFKA_RESP_ERR__QUEUE_FULL)
		(void)rd_kafka_poll(producer, 10);
	kafka_must_code(code, "produce");
}
