// SPDX-License-Identifier: Apache-2.0
// Lending an argon2_memory to the library, for the duration of one call.
#pragma once

#include "enrolld/crypto/argon2.h"

// Between the two, a map of the right size that this thread asks for is the region. NULL lends nothing. Calls do not nest.
void argon2_memory_lend(struct argon2_memory *m);
// *starved: the kernel refused a map in between. (libsodium 1.0.18 tells a failed allocation and a wrong password alike.)
void argon2_memory_take_back(struct argon2_memory *m, bool *starved);
