// SPDX-License-Identifier: Apache-2.0
// librdkafka clients as the bench programs need them: what fails ends the program.
#pragma once

#include <librdkafka/rdkafka.h>

#include "enrolld/base/attr.h"

// pairs: property, value, ..., NULL. The producer gets a delivery callback: without one a flush waits 10 ms (see deliveries).
rd_kafka_t *kafka_producer(const char *bootstrap, const char *const *pairs) ATTR_MUST_USE;
rd_kafka_t *kafka_consumer(const char *bootstrap, const char *const *pairs) ATTR_MUST_USE;
// Records that the brokers acknowledged since the start; one that failed ends the program.
size_t kafka_delivered(void) ATTR_MUST_USE;

// Ends the program if error is one.
void kafka_must(rd_kafka_error_t *error, const char *what);
void kafka_must_code(rd_kafka_resp_err_t code, const char *what);
int kafka_partitions(rd_kafka_t *rk, const char *topic); // also warms the metadata of the topic
// Starts reading all partitions at their end, without a group.
void kafka_read_from_end(rd_kafka_t *consumer, const char *topic);
