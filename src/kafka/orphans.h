// SPDX-License-Identifier: Apache-2.0
// Partitions of our topics that no member of the group has. Private to kafka; reader thread.
//
// Cooperative rebalancing moves a partition in two rounds: its old owner gives it up, joins again, and only then somebody gets it. A static
// member that dies between the two comes back without a rebalance (KIP-345): the group is stable, every member content, and what was to
// move stays with nobody for as long as nobody comes or goes. So each member looks at the whole group now and then, and when partitions
// are with nobody, one of them joins anew, which makes the group assign everything.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/fault.h"

struct orphans {
	int64_t look_ns; // when to look again; 0: some seconds after the next call
	unsigned seen;   // looks in a row that found some
};

void orphans_doubt(struct orphans *o); // the assignment has changed: look again in some seconds

// What a look at the group found.
struct group_look {
	bool stable;    // no rebalance is under way
	size_t orphans; // partitions of the topics that nobody has
	size_t rank; // members that are to act before the one asked about: those with fewer partitions, or as many and a smaller id
};
// Asks the brokers, each question for at most timeout_ms. member: the one whose rank is asked for.
enum reason group_look(rd_kafka_t *rk, const char *group, const char *member, char *const *topics, size_t topic_count,
		       int timeout_ms, struct group_look *look, struct fault *f) ATTR_MUST_USE;

// Which static members (by group.instance.id) the group has now. present[i] tells of ids[i].
enum reason group_present(rd_kafka_t *rk, const char *group, const char *const *ids, size_t count, int timeout_ms, bool *present,
			  struct fault *f) ATTR_MUST_USE;

// Is it time for a look?
bool orphans_due(struct orphans *o) ATTR_MUST_USE;
// Takes a look into account (NULL: it failed). true: it is for this member to join anew.
bool orphans_decide(struct orphans *o, const struct group_look *look) ATTR_MUST_USE;
