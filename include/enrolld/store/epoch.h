// SPDX-License-Identifier: Apache-2.0
// What in the database was made under an epoch of the key ring and needs it still, for whoever wants to remove it.
#pragma once

#include "enrolld/store/store.h"

struct epoch_use {
	int64_t codes;    // and links that may still be tried
	int64_t sessions; // that go on
	int64_t messages; // that wait to be sent
	int64_t requests; // whose answer may have to be given again
};
// Reads whole tables, so it may take minutes.
enum reason store_epoch_use(const struct store_conf *conf, uint16_t epoch, struct epoch_use *use, struct fault *f) ATTR_MUST_USE;
