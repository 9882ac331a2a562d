// SPDX-License-Identifier: Apache-2.0
// Failpoints: named places where a test build can die, stall or fail, so that every step between two durable facts is tried.
//
// $ENROLLD_FAILPOINTS lists what to do, e.g. "store.committed=die@3;sink.begun=stall:15s;look.done=fail%5":
//	die          SIGKILL to the process          @N   at the N-th time only (default: every time)
//	stall:TIME   sleep, e.g. 500ms or 15s        %N   by chance, N of 100 times
//	fail         the step reports a failure; a rule is broken
// What is done is said on standard error first. A build without them (every release) refuses to start while that variable is set, so that
// no test setting is silently ignored.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/fault.h"

enum failpoint {
#define FAILPOINT_ROW(id, name, kind, text) FAILPOINT_##id,
#include "enrolld/base/failpoints.def"
#undef FAILPOINT_ROW
	FAILPOINT_COUNT
};

// Reads the variable; call once at the start, before threads. SETTING_INVALID names the part that is not understood, or says that this
// build has none.
enum reason failpoint_setup(const char *list, struct fault *f) ATTR_MUST_USE;

#if defined(ENROLLD_FAILPOINTS) && ENROLLD_FAILPOINTS
// Does what is asked for the point; true if the step is to fail. Thread-safe.
bool failpoint_hit(enum failpoint point);
#define FAILPOINT(id) failpoint_hit(FAILPOINT_##id)
#else
#define FAILPOINT(id) false
#endif
