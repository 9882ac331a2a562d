// SPDX-License-Identifier: Apache-2.0
// The page for people at /: what the worker is doing, from the same numbers that /metrics gives.
#pragma once

#include "enrolld/base/slice.h"
#include "enrolld/base/strbuf.h"

void page_write(const char *instance, bool ready, struct slice why, struct strbuf *out);
