// SPDX-License-Identifier: Apache-2.0
// The passed mark of each assigned partition: what the database is known to hold, and what it has yet to be raised to. Thread-safe.
#pragma once

#include "enrolld/store/store.h"

struct marks;

struct marks *marks_create(void);
void marks_destroy(struct marks *marks);

// A partition was assigned: the mark must be raised to passed before its first record is looked at.
void marks_assigned(struct marks *marks, const char *topic, int32_t partition, int64_t passed);
// A Kafka transaction of ours has committed the offset.
void marks_passed(struct marks *marks, const char *topic, int32_t partition, int64_t offset);

// What must be raised now (urgent: only after assignments; else everything), at most max. Returns how many.
size_t marks_pending(struct marks *marks, bool urgent, struct mark *out, size_t max) ATTR_MUST_USE;
// The database holds these now.
void marks_raised(struct marks *marks, const struct mark *raised, size_t count);
// The mark as known, whether raised yet or not; -1 if the partition was never seen.
int64_t marks_known(struct marks *marks, const char *topic, int32_t partition) ATTR_MUST_USE;
size_t marks_count(struct marks *marks) ATTR_MUST_USE; // partitions ever seen, for the size of arrays
