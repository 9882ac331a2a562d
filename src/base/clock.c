// SPDX-License-Identifier: Apache-2.0
// Both clocks, their text form, and waits between tries.
#include "enrolld/base/clock.h"

#include <errno.h>
#include <time.h>

#include "enrolld/base/random.h"

#define NS_PER_S 1000000000
#define NS_PER_MS 1000000
#define MS_PER_DAY 86400000
#define WALL_MS_MIN (-62135596800000) // 0001-01-01T00:00:00.000Z
#define WALL_MS_MAX 253402300799999   // 9999-12-31T23:59:59.999Z

static struct timespec now(clockid_t clock)
{
	struct timespec t;
	(void)clock_gettime(clock, &t);
	return t;
}

int64_t clock_wall_ms(void)
{
	struct timespec t = now(CLOCK_REALTIME);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / NS_PER_MS;
}

int64_t clock_mono_ns(void)
{
	struct timespec t = now(CLOCK_MONOTONIC);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

void clock_sleep_ms(int64_t ms)
{
	if (ms <= 0)
		return;
	struct timespec until = now(CLOCK_MONOTONIC);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * NS_PER_MS;
	if (until.tv_nsec >= NS_PER_S) {
		until.tv_sec++;
		until.tv_nsec -= NS_PER_S;
	}
	// An absolute end, so that a signal does not lengthen the sleep.
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		continue;
}

// Days since 1970 to a date, without the time zone lock of gmtime_r: Howard Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", civil_from_days.
static void date_of_day(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468; // days since 0000-03-01, never negative from year 1 on
	int64_t era = z / 146097;
	int64_t doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

// value with leading zeros, and what follows it.
static char *put_number(char *at, int value, int digits, char after)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	at[digits] = after;
	return at + digits + 1;
}

const char *clock_format_ms(int64_t wall_ms, char out[static CLOCK_TEXT_SIZE])
{
	if (wall_ms < WALL_MS_MIN)
		wall_ms = WALL_MS_MIN;
	if (wall_ms > WALL_MS_MAX)
		wall_ms = WALL_MS_MAX;
	int64_t days = wall_ms / MS_PER_DAY;
	int ms = (int)(wall_ms % MS_PER_DAY);
	if (ms < 0) {
		days--;
		ms += MS_PER_DAY;
	}
	int year, month, day;
	date_of_day(days, &year, &month, &day);
	char *at = out;
	at = put_number(at, year, 4, '-');
	at = put_number(at, month, 2, '-');
	at = put_number(at, day, 2, 'T');
	at = put_number(at, ms / 3600000, 2, ':');
	at = put_number(at, ms / 60000 % 60, 2, ':');
	at = put_number(at, ms / 1000 % 60, 2, '.');
	at = put_number(at, ms % 1000, 3, 'Z');
	*at = '\0';
	return out;
}

int64_t backoff_next_ms(struct backoff *b)
{
	int64_t wait = b->min_ms > 0 ? b->min_ms : 1;
	for (unsigned i = 0; i < b->tries && wait < b->max_ms; i++)
		wait = wait > b->max_ms / 2 ? b->max_ms : wait * 2;
	if (wait > b->max_ms)
		wait = b->max_ms;
	if (b->tries < UINT32_MAX)
		b->tries++;
	int64_t half = wait / 2;
	return wait - half + (int64_t)random_below((uint64_t)half + 1);
}

void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}
