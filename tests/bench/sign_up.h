// SPDX-License-Identifier: Apache-2.0
// A native sign-up as a gateway writes it: raw JSON body, HTTP names in headers.
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "enrolld/base/attr.h"

struct sign_up {
	const char *prefix; // of request id and address, so that runs do not meet
	long number;
	bool foreign;         // carries a password hash, which costs the worker no hashing
	const char *reply_to; // NULL: no reply is asked for
};

#define SIGN_UP_ID_SIZE 128

// Writes the request id and hands the record to the producer; partition RD_KAFKA_PARTITION_UA lets the key decide. Waits while the
// producer's queue is full.
void sign_up_send(rd_kafka_t *producer, rd_kafka_topic_t *topic, int partition, const struct sign_up *request,
		  char id[static SIGN_UP_ID_SIZE]);
