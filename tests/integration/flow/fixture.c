// SPDX-License-Identifier: Apache-2.0
// The database of the store's own tests.
#include "integration/store/fixture.c" // NOLINT(bugprone-suspicious-include)
