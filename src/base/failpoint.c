// SPDX-License-Identifier: Apache-2.0
// Failpoints: what $ENROLLD_FAILPOINTS asks for, and doing it.
#include "enrolld/base/failpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/random.h"

#if defined(ENROLLD_FAILPOINTS) && ENROLLD_FAILPOINTS

enum kind { STEP, FALLIBLE, RULE };

static const struct {
	const char *name;
	enum kind kind;
} rows[FAILPOINT_COUNT] = {
#define FAILPOINT_ROW(id, name, kind, text) {name, kind},
#include "enrolld/base/failpoints.def"
#undef FAILPOINT_ROW
};

enum act { DO_NOTHING, DO_DIE, DO_STALL, DO_FAIL };

static const char *const act_names[] = {"", "die", "stall", "fail"};

// Set before threads start, read-only afterwards but for the counts.
static struct point {
	enum act act;
	int64_t stall_ms;
	long nth;     // 0: every time
	long percent; // 0: always
	atomic_long hits;
} points[FAILPOINT_COUNT];

static bool parse_number(const char **at, long *out)
{
	char *end;
	errno = 0;
	*out = strtol(*at, &end, 10);
	bool good = end != *at && errno == 0 && *out > 0;
	*at = end;
	return good;
}

static bool parse_time(const char **at, int64_t *ms)
{
	long n;
	if (!parse_number(at, &n))
		return false;
	if (strncmp(*at, "ms", 2) == 0) {
		*ms = n;
		*at += 2;
		return true;
	}
	*ms = n * 1000;
	return *(*at)++ == 's';
}

static bool starts(const char **at, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool parse_when(const char *at, struct point *p)
{
	if (*at == '@')
		return at++, parse_number(&at, &p->nth) && (*at == '\0' || *at == ';');
	if (*at == '%')
		return at++, parse_number(&at, &p->percent) && p->percent <= 100 && (*at == '\0' || *at == ';');
	return *at == '\0' || *at == ';';
}

static bool parse_act(const char *at, size_t point)
{
	struct point *p = &points[point];
	enum act act;
	if (starts(&at, "die"))
		act = DO_DIE;
	else if (starts(&at, "fail"))
		act = DO_FAIL;
	else if (starts(&at, "stall:") && parse_time(&at, &p->stall_ms))
		act = DO_STALL;
	else
		return false;
	if (rows[point].kind != FALLIBLE && (act == DO_FAIL) != (rows[point].kind == RULE))
		return false;
	if (!parse_when(at, p))
		return false;
	p->act = act;
	return true;
}

enum reason failpoint_setup(const char *list, struct fault *f)
{
	for (const char *at = list; at && *at;) {
		size_t part = strcspn(at, ";"), name = strcspn(at, "=;"), point = 0;
		while (point < FAILPOINT_COUNT && (strlen(rows[point].name) != name || strncmp(rows[point].name, at, name) != 0))
			point++;
		if (point == FAILPOINT_COUNT || at[name] != '=' || !parse_act(at + name + 1, point))
			return fault_set(
				f, REASON_SETTING_INVALID,
				"ENROLLD_FAILPOINTS: \"%.*s\" is not NAME=die|fail|stall:TIME[@N|%%N], or not for that point",
				(int)part, at);
		at += part + (at[part] == ';');
	}
	return REASON_OK;
}

static void say(enum failpoint point)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "failpoint %s: %s\n", rows[point].name, act_names[points[point].act]);
	(void)!write(STDERR_FILENO, line, (size_t)n); // at once and whole: it may be the last thing done
}

bool failpoint_hit(enum failpoint point)
{
	if (points[point].act == DO_NOTHING)
		return false;
	long hit = atomic_fetch_add(&points[point].hits, 1) + 1;
	if (points[point].nth && hit != points[point].nth)
		return false;
	if (points[point].percent && random_below(100) >= (uint32_t)points[point].percent)
		return false;
	if (rows[point].kind != RULE || hit == 1)
		say(point);
	if (points[point].act == DO_DIE)
		kill(getpid(), SIGKILL);
	if (points[point].act == DO_STALL)
		clock_sleep_ms(points[point].stall_ms);
	return points[point].act == DO_FAIL;
}

#else

enum reason failpoint_setup(const char *list, struct fault *f)
{
	if (list && *list)
		return fault_set(f, REASON_SETTING_INVALID,
				 "ENROLLD_FAILPOINTS is set, but this build has no failpoints: unset it, or build with "
				 "-DENROLLD_FAILPOINTS=ON");
	return REASON_OK;
}

#endif
