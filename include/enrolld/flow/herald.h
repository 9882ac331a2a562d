// SPDX-License-Identifier: Apache-2.0
// The herald: a thread that publishes notices (what arose without a request) as events, at least once, each time under the same id.
//
// Several workers share the rows. Everything but start, stop and destroy may be called from any thread.
#pragma once

#include "enrolld/flow/flow.h"

struct herald;

// The settings must outlive it.
enum reason herald_start(const struct flow_conf *conf, const struct kafka_conf *kafka, const struct store_conf *store,
			 struct herald **herald, struct fault *f) ATTR_MUST_USE;
void herald_wake(void *herald); // a notice was written; cheap
// The last use of PostgreSQL and Kafka worked. why (or NULL) takes a line if not.
bool herald_ready(const struct herald *herald, struct strbuf *why) ATTR_MUST_USE;
// Publishes what waits once more, if nothing is in the way, and ends the thread. Once.
void herald_stop(struct herald *herald);
void herald_destroy(struct herald *herald); // stops if it was not stopped; NULL is fine
