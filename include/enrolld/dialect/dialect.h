// SPDX-License-Identifier: Apache-2.0
// Dialects: what a frontend asks and how it is answered, as data files. Loaded as a whole, then read-only and shared by all threads.
// The format is described, with examples, in schemas/dialects/README.md.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/model/answer.h"
#include "enrolld/model/payload.h"
#include "enrolld/model/receipt.h"
#include "enrolld/model/registration.h"
#include "enrolld/model/request.h"
#include "enrolld/model/settings.h"

struct dialect_set;
struct dialect;
struct route;

// What a deployment says of one dialect ("dialects.*.…").
struct dialect_conf {
	const char *name;          // the dialect's
	struct setting_map values; // of its "settings"
};
extern const struct setting_table dialect_settings;

struct dialect_options {
	const struct dialect_conf *confs; // of dialects that are not loaded too
	size_t conf_count;
	const struct keyring *keys; // for limits, bearer tokens and minted ones; outlives the set. NULL: these are left out
	struct strbuf *notes;       // what is right but may be an oversight, one a line; NULL: nobody asks
	const char *data_dir;       // where word lists and numbering plans are too; NULL: nowhere else
};

// Loads the named dialects from directory/<name>/dialect.yaml, word lists from directory/../wordlists, numbering plans from directory/../phones, or from
// these folders of options->data_dir. A name that comes twice is loaded once. options may be NULL.
// DIALECT_INVALID or FILE_UNREADABLE: nothing is kept; the detail has the first error, report (may be NULL) all of them, one a line:
// "file:line: what is wrong; what would be right".
enum reason dialect_load(const char *directory, const char *const *names, size_t count, const struct dialect_options *options,
			 struct strbuf *report, struct dialect_set **set, struct fault *f) ATTR_MUST_USE;
void dialect_set_destroy(struct dialect_set *set); // NULL is fine

// What a deployment should know of a dialect's settings as they are: the dialect's own words. Live as long as the set.
struct dialect_warning {
	const char *text, *remedy;
};
size_t dialect_warnings(const struct dialect_set *set, const char *name, const struct dialect_warning **warnings);

// The set in force, for several threads, while another may take its place. A set is destroyed when its last holder releases it; what was just loaded
// has one holder, its loader, who gives it away with create and put.
struct dialect_shelf;
struct dialect_shelf *dialect_shelf_create(struct dialect_set *set) ATTR_MUST_USE;
void dialect_shelf_destroy(struct dialect_shelf *shelf);                           // NULL is fine
struct dialect_set *dialect_shelf_take(struct dialect_shelf *shelf) ATTR_MUST_USE; // to be released
void dialect_shelf_put(struct dialect_shelf *shelf, struct dialect_set *set);
void dialect_set_release(struct dialect_set *set); // NULL is fine

// Which dialect and route a request is for: by event type, or by method and path, among the topic's dialects in their order. Sets request->route.
// ROUTE_UNKNOWN or METHOD_NOT_ALLOWED: *route is NULL and *dialect the one that answers (the topic's first, or the path's owner).
// names: at least one, all of them loaded.
enum reason dialect_route(const struct dialect_set *set, const char *const *names, size_t count, struct request *request,
			  const struct dialect **dialect, const struct route **route, struct fault *f) ATTR_MUST_USE;

// The canonical registration with its violations (INVALID if there are any), or why the request is refused before its rules are asked (a REFUSE reason;
// the registration then has limits and what the answer may speak of, no more). OK: acceptable so far. Where the dialect takes the id from the body and
// no header gave one, sets request->request_id.
// The password goes to a secret of pool, which the registration then owns, and its text in the tree is wiped; what is kept lives in the arena, nothing
// points into the record's value, which the caller wipes. HASH_MEMORY (RETRY): the pool is exhausted.
// A route whose fields do not come from the body does not read it.
enum reason dialect_read(const struct route *route, struct request *request, struct secret_pool *pool, int64_t now_ms,
			 struct arena *arena, struct registration *registration, struct fault *f) ATTR_MUST_USE;

// What comes before the body, for a record whose body nobody will read: accept, access and the limits it counts for. What refuses it there comes before
// what was wrong with the record.
enum reason dialect_admit(const struct route *route, struct request *request, int64_t now_ms, struct arena *arena,
			  struct registration *registration, struct fault *f) ATTR_MUST_USE;

// The violations in the dialect's own words and order, now that is known which claims are taken ("taken" facts); the list is the arena's.
// IDENTITY_TAKEN: only claims that are taken stand in it; INVALID: others too; OK: none is told.
enum reason dialect_taken(const struct route *route, const struct registration *registration, const bool taken[static CLAIMS_MAX],
			  struct arena *arena, struct violation **violations, size_t *count);

// The answer in the frontend's own words: pure, so that a redelivery gives the same bytes. Texts of violations are found by field and code, whatever
// the receipt has. registration: as dialect_read left it, also where it failed; NULL if it was not asked. route may be NULL.
void dialect_answer(const struct dialect *dialect, const struct route *route, const struct request *request,
		    const struct registration *registration, const struct receipt *receipt, struct arena *arena,
		    struct answer *answer);

// Of a mail with a code of the rule: where its link leads, and how its token is written, as the frontend has it. What it does not say is left.
void dialect_link(const struct route *route, const struct code_rule *rule, const struct request *request,
		  const struct registration *registration, const struct uuid *account_id, struct arena *arena,
		  struct payload *payload);

enum operation_kind route_operation(const struct route *route) ATTR_MUST_USE;
const char *route_name(const struct route *route) ATTR_MUST_USE; // "native.sign_up": part of the inbox key
const char *dialect_name(const struct dialect *dialect) ATTR_MUST_USE;
