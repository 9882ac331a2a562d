// SPDX-License-Identifier: Apache-2.0
// Settings of the Kafka connection ("kafka.*"); any librdkafka property passes through, with safe defaults beneath.
#pragma once

#include "enrolld/model/settings.h"

enum kafka_results { KAFKA_RESULTS_TRANSACTIONAL, KAFKA_RESULTS_IDEMPOTENT };

struct kafka_conf {
	const char *bootstrap_servers;
	struct setting_map properties;          // both ends, e.g. security.protocol
	struct setting_map consumer_properties; // win over properties
	struct setting_map producer_properties; // win over properties
	int results;                            // enum kafka_results
	int64_t session_timeout_ms;
	int64_t transaction_timeout_ms;
	int64_t prefetch_records;
	int64_t prefetch_bytes;
	bool static_membership;
};

// Its check refuses properties that librdkafka does not know, and those that the worker's guarantees rest on.
extern const struct setting_table kafka_settings;
