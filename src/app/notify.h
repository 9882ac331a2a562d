// SPDX-License-Identifier: Apache-2.0
// The service manager's notification protocol (sd_notify(3)): one datagram to $NOTIFY_SOCKET; silent where there is none.
#pragma once

#include <stdint.h>

#include "enrolld/base/attr.h"

void notify_send(const char *state); // e.g. "READY=1"
// Half of the watchdog's interval, or 0 if the manager watches nothing (WATCHDOG_USEC, WATCHDOG_PID).
int64_t notify_watchdog_ms(void) ATTR_MUST_USE;
