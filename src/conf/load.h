// SPDX-License-Identifier: Apache-2.0
// A configuration while it is loaded: who assigns what, what is wrong with it, and the result.
#pragma once

#include "conf/name.h"
#include "enrolld/base/arena.h"
#include "enrolld/conf/conf.h"
#include "enrolld/doc/node.h"

enum origin_kind { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_CREDENTIAL };

struct origin {
	enum origin_kind kind;
	int line, column;             // FILE
	const char *variable;         // ENVIRONMENT
	bool failed;                  // the value was not acceptable; said already
	const struct origin *entries; // MAP: one per entry
};

// All values of one table: one struct, or one per name.
struct section {
	const struct setting_table *table;
	size_t count;
	char *values;           // count structs
	struct origin *origins; // count * table->count
};

struct conf {
	struct arena *arena;
	struct conf_tables tables;
	struct section *sections; // as tables
	const char *path;         // NULL: no file
};

enum assignment_kind {
	ASSIGN_NOTHING, // only says that the section is there
	ASSIGN_FAILED,  // not acceptable, said already
	ASSIGN_TEXT,
	ASSIGN_LIST,
	ASSIGN_MAP,    // replaces all entries
	ASSIGN_ENTRY,  // one entry of a map
	ASSIGN_SECRET, // the text is the path of a file
};

struct assignment {
	enum assignment_kind kind;
	struct row_ref ref;
	struct slice instance;              // absent unless the table is per name
	struct slice text;                  // TEXT, SECRET
	const struct slice *names;          // MAP, ENTRY
	const struct slice *values;         // LIST, MAP, ENTRY
	const struct origin *entry_origins; // MAP
	size_t count;
	struct origin origin;
};

struct load {
	struct conf *conf;
	struct assignment *assignments;
	size_t count, size;
	struct strbuf errors;
	size_t error_count;
};

// Notes an error; at NULL: of no place but the file as a whole.
void load_error(struct load *load, const struct origin *at, struct slice name, const char *fmt, ...) ATTR_PRINTF(4, 5);
void load_unknown(struct load *load, const struct origin *at, const struct name *name, bool as_variable);
void load_assign(struct load *load, const struct assignment *assignment);

void load_file(struct load *load, const struct node *root);
void load_environment(struct load *load, char *const *environment);
// Assignments to values, then credentials, what is required, and the modules' own checks. environment: for $CREDENTIALS_DIRECTORY.
void load_apply(struct load *load, char *const *environment);

// The value of the variable, or NULL.
const char *environment_get(char *const *environment, const char *name) ATTR_MUST_USE;

// A secret file without its last newline, in the arena. Fails with FILE_UNREADABLE or SETTING_INVALID; the detail does not name the path.
enum reason secret_file_read(const char *path, struct arena *arena, struct slice *text, struct fault *f) ATTR_MUST_USE;

// "enrolld.yaml:3:5", "ENROLLD__X", "credential", "default".
void origin_write(const struct conf *conf, const struct origin *origin, struct strbuf *out);
const struct section *section_of(const struct conf *conf, const struct setting_table *table) ATTR_MUST_USE;
// The name of the section's struct, NULL if it is not per name.
const char *section_instance(const struct section *section, size_t index) ATTR_MUST_USE;
