// SPDX-License-Identifier: Apache-2.0
// Waits between the tries of one message.
#include "courier/schedule.h"

#include "enrolld/base/random.h"

static int64_t jitter(int64_t ms, int64_t spread)
{
	return ms + (int64_t)random_below((uint64_t)spread + 1);
}

int64_t schedule_retry_ms(const struct courier_conf *conf, int attempts, int64_t retry_after_ms, int64_t left_ms)
{
	int64_t wait = conf->retry_min_ms;
	for (int i = 0; i < attempts && wait < conf->retry_max_ms; i++)
		wait *= 2;
	if (wait > conf->retry_max_ms)
		wait = conf->retry_max_ms;
	wait = jitter(wait - wait / 4, wait / 2);
	if (retry_after_ms > wait)
		wait = jitter(retry_after_ms, retry_after_ms / 8);
	return wait < left_ms ? wait : left_ms > 0 ? left_ms : 1;
}

int64_t schedule_resend_ms(const struct courier_conf *conf, int unknowns, int64_t left_ms)
{
	if (!conf->resend_unknown_mail || unknowns > 0 || left_ms < 2)
		return 0;
	return left_ms / 2 < SCHEDULE_RESEND_MAX_MS ? left_ms / 2 : SCHEDULE_RESEND_MAX_MS;
}
