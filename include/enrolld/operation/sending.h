// SPDX-License-Identifier: Apache-2.0
// Which addresses are sent messages, and how many: prefix lists, numbers for tests, budgets, and what is watched for anomalies.
//
// All of it are settings, which may be read again while the worker runs: every function is safe to call from several threads, and what it gives
// is a copy. Numbers are E.164 as the dialect keeps them ("+442071838750"); a text that is none begins with no prefix but the budget "+".
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/model/code.h"
#include "enrolld/model/registration.h"
#include "enrolld/model/settings.h"

struct sending_conf {
	struct setting_list allow, deny; // in all realms
	struct setting_map budgets;      // of all realms together
};
extern const struct setting_table sending_settings; // "sending.*"

enum withheld { WITHHELD_REFUSE, WITHHELD_SILENT };

struct realm_conf {
	const char *name; // "*": every realm that has no section
	struct setting_list allow, deny;
	struct setting_map budgets;
	int withheld; // enum withheld
	int64_t hold_percent, hold_sends, hold_window_ms, hold_grace_ms, hold_time_ms, hold_digits;
	bool test;
	struct setting_map test_numbers; // number -> code
};
extern const struct setting_table realm_settings; // "realms.*"

struct sending;

// The settings are copied.
struct sending *sending_create(const struct sending_conf *all, const struct realm_conf *realms, size_t count);
void sending_destroy(struct sending *sending); // NULL is fine
void sending_replace(struct sending *sending, const struct sending_conf *all, const struct realm_conf *realms, size_t count);

// In the functions below NULL is a policy that says nothing.

// OK or PREFIX_DENIED. Of the entries that the number begins with the longest one holds; of those of one length the realm's own, then the one that
// denies. If no entry fits, it is sent to unless there is any list of what is allowed.
enum reason sending_judge(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value) ATTR_MUST_USE;
// Is what is withheld in the realm answered as if it had been sent?
bool sending_is_silent(struct sending *sending, struct slice realm) ATTR_MUST_USE;
// Is it a number for tests? Then nothing is ever sent to it, and this is its code. The rest of the code is filled with NULs.
bool sending_test_code(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value,
		       char code[static CODE_TEXT_SIZE]) ATTR_MUST_USE;

#define BUDGET_DEPTH 4 // budgets that one number may begin with
#define BUDGET_WINDOWS 2
#define BUDGETS_MAX ((size_t)2 * BUDGET_DEPTH * BUDGET_WINDOWS)

struct sending_budget {
	struct slice realm; // empty: all of them
	struct slice name;  // "+44/1h"
	const char *label;  // of its realm in metrics; NULL: it is not measured
	int64_t allowed, window_ms;
};
// Those that a message to the address is counted on.
size_t sending_budgets(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value, struct arena *arena,
		       struct sending_budget out[static BUDGETS_MAX]) ATTR_MUST_USE;

// A prefix whose codes are watched: how many of those that were sent come back.
struct sending_watch {
	struct slice prefix; // "+44207"
	int64_t percent, sends, window_ms, grace_ms, time_ms;
};
bool sending_watches(struct sending *sending) ATTR_MUST_USE; // any at all
bool sending_watch(struct sending *sending, struct slice realm, enum claim_kind kind, struct slice value, struct arena *arena,
		   struct sending_watch *watch) ATTR_MUST_USE;

// What stands for a realm in metrics: its name if it has a section, else "(other)".
const char *sending_label(struct sending *sending, struct slice realm, struct arena *arena) ATTR_MUST_USE;
// All of them, but for SENDING_ALL_REALMS.
const char *const *sending_labels(struct sending *sending, struct arena *arena, size_t *count) ATTR_MUST_USE;
#define SENDING_ALL_REALMS "(all)"
#define SENDING_OTHER_REALMS "(other)"
