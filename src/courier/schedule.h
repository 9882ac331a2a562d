// SPDX-License-Identifier: Apache-2.0
// When a message is tried again. Pure but for the jitter.
#pragma once

#include "enrolld/courier/courier.h"

// Wait of a deferred message that was handed over so many times before: retry_min doubled for each, at most retry_max, a quarter more or less;
// no shorter than what the other side asked for, no longer than the life that is left (the row then expires in its place).
int64_t schedule_retry_ms(const struct courier_conf *conf, int attempts, int64_t retry_after_ms, int64_t left_ms) ATTR_MUST_USE;

// Wait of a mail whose outcome is unknown and was so that many times before: half the life that is left, at most SCHEDULE_RESEND_MAX_MS; 0 if it is
// not sent again.
#define SCHEDULE_RESEND_MAX_MS (30 * 60000)
int64_t schedule_resend_ms(const struct courier_conf *conf, int unknowns, int64_t left_ms) ATTR_MUST_USE;
