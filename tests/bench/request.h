// SPDX-License-Identifier: Apache-2.0
// Native requests as a gateway writes them: raw JSON body, HTTP names in headers.
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "args.h"
#include "enrolld/base/attr.h"

enum request_kind { REQUEST_SIGN_UP, REQUEST_CODE, REQUEST_CHECK };

struct codes; // by number

struct bench_request {
	enum request_kind kind;
	const char *prefix;   // of request id and mail address, so that runs do not meet
	long number;          // also of the telephone
	bool foreign;         // a sign-up carries a password hash, which costs the worker no hashing
	const char *reply_to; // NULL: no reply is asked for
	const struct codes *codes;
};

#define REQUEST_ID_SIZE 128

// From prefix= [kind=sign_up|code|check] [foreign=1] [reply=topic] [codes=file]; what is wrong ends the program.
struct bench_request request_of(const struct args *args) ATTR_MUST_USE;

// Writes the request id and hands the record to the producer; partition RD_KAFKA_PARTITION_UA lets the key decide. Waits while the
// producer's queue is full.
void request_send(rd_kafka_t *producer, rd_kafka_topic_t *topic, int partition, const struct bench_request *request,
		  char id[static REQUEST_ID_SIZE]);
