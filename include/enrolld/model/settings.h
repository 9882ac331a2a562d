// SPDX-License-Identifier: Apache-2.0
// Rows by which a module declares its settings: from them come parser, validation, environment names and reference.
//
// A module's public header holds its struct and its table, its source the rows:
//
//	// include/enrolld/kafka/conf.h
//	struct kafka_conf {
//		const char *bootstrap_servers;
//		int64_t drain_limit_ms;
//		int64_t fetch_bytes;
//		enum kafka_results results;
//		struct setting_map properties;
//	};
//	extern const struct setting_table kafka_settings;
//
//	// src/kafka/conf.c
//	static const struct setting_choice results[] = {{"transactional", KAFKA_RESULTS_TRANSACTIONAL, "Exactly once."},
//							{"idempotent", KAFKA_RESULTS_IDEMPOTENT, "At least once."}, {0}};
//	#define AT(type, member) SETTING_AT(type, struct kafka_conf, member)
//	static const struct setting rows[] = {
//		{"kafka.bootstrap_servers", AT(TEXT, bootstrap_servers), .required = true,
//		 .doc = "Brokers to start from, host:port, comma-separated."},
//		{"kafka.drain_limit", AT(DURATION, drain_limit_ms), .min = 100, .max = 600000, .fallback = "25s", .reloadable = true,
//		 .doc = "How long a stop waits for what is in hand."},
//		{"kafka.fetch_bytes", AT(SIZE, fetch_bytes), .min = 65536, .max = 1 << 30, .fallback = "16MiB", .doc = "..."},
//		{"kafka.results", AT(CHOICE, results), .choices = results, .fallback = "transactional", .doc = "..."},
//		{"kafka.properties", AT(MAP, properties), .underscore = '.', .doc = "Passed to librdkafka as they are."},
//	};
//	const struct setting_table kafka_settings = {
//		.module = "kafka", .rows = rows, .count = ARRAY_LEN(rows), .struct_size = sizeof(struct kafka_conf), .doc = "..."};
//
// A table of things with names has "*" where the name stands ("topics.*.shape"), .per_name = true, and a struct whose first member is a
// const char * that takes the name; the values are then an array of such structs, in the order of the file.
// A row may be a value and the beginning of others: "topics.*.realm" and "topics.*.realm.header" go together.
// Tests get a struct with the defaults from settings_defaults(), without any file.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/attr.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"
#include "enrolld/base/strbuf.h"

enum setting_type {
	SETTING_BOOL,     // bool; true or false
	SETTING_INT,      // int64_t; decimal
	SETTING_DURATION, // int64_t, milliseconds; "500ms", "10s", "5m", "2h", "7d", "0"
	SETTING_SIZE,     // int64_t, bytes; "512", "64KiB", "1MiB", "2GiB"
	SETTING_TEXT,     // const char *; if not set NULL, or "" where the default says so
	SETTING_PATH,   // const char *, NULL if not set; in a file relative to that file's folder, elsewhere to the working folder
	SETTING_CHOICE, // int or an enum; one of choices
	SETTING_LIST,   // struct setting_list of texts; comma-separated in the environment and in fallback
	SETTING_MAP,    // struct setting_map, name -> text: passed through
	SETTING_SECRET, // const char *, NULL if not set; never printed. By NAME_file too: a file's content without its last newline
};

struct setting_choice {
	const char *name; // NULL ends the list
	int value;
	const char *doc; // one sentence, or NULL
};

struct setting_list {
	const char *const *items;
	size_t count;
};

struct setting_pair {
	const char *name;
	const char *value;
};

struct setting_map {
	const struct setting_pair *pairs; // in the order of the file, no name twice
	size_t count;
};

struct setting {
	const char *name; // "kafka.bootstrap_servers"; segments of a-z, 0-9 and _, or one "*" in a table per name
	enum setting_type type;
	size_t offset; // into the module's struct; type and offset by SETTING_AT
	int64_t min;   // INT, DURATION, SIZE: inclusive. TEXT, PATH, SECRET: bytes if set. LIST, MAP: entries. Both 0: no range
	int64_t max;
	const char *unit;                     // of an INT, for people: "threads"
	const char *fallback;                 // the default as one would write it; NULL: required, or NULL, 0, false, no entries
	const struct setting_choice *choices; // CHOICE; also LIST, if only these names may stand in it
	char underscore;                      // MAP: what _ in an environment variable's name stands for, e.g. '.'; 0: itself
	bool reloadable;                      // SIGHUP puts a change in force; else it needs a restart
	bool required;
	bool empty_ok;   // TEXT, PATH: "" may be given although there is another default
	const char *doc; // what it does, in one or two sentences
};

struct setting_table {
	const char *module;
	const struct setting *rows;
	size_t count;
	size_t struct_size;
	bool per_name; // one "*" in every row's name, at the same place; the struct's first member, a const char *, takes the name
	char underscore; // per_name: as in struct setting, for the name
	const char *doc; // one sentence for the reference
	// What no single row can say; optional. Fails with SETTING_INVALID and a detail "kafka.x: what is wrong". conf: the struct.
	enum reason (*check)(const void *conf, struct fault *f);
};

// .type and .offset of a row; does not compile if the member is of another type than the setting.
// clang-format off
#define SETTING_AT(kind, conf, member)                                                                                             \
	.type = SETTING_##kind,                                                                                                    \
	.offset = offsetof(conf, member) + 0 * sizeof(char[_Generic(((conf *)NULL)->member, SETTING_C_##kind)])
#define SETTING_C_BOOL bool: 1
#define SETTING_C_INT int64_t: 1
#define SETTING_C_DURATION int64_t: 1
#define SETTING_C_SIZE int64_t: 1
#define SETTING_C_TEXT const char *: 1
#define SETTING_C_PATH const char *: 1
#define SETTING_C_CHOICE int: 1, unsigned: 1
#define SETTING_C_LIST struct setting_list: 1
#define SETTING_C_MAP struct setting_map: 1
#define SETTING_C_SECRET const char *: 1
// clang-format on

// Fills the struct with the rows' defaults, required ones with NULL, 0 or no entries. What the members point to lives in the
// arena. A default that does not parse is a panic.
void settings_defaults(const struct setting_table *table, struct arena *arena, void *conf);

// Sets one member from a text, with all checks. An empty text sets TEXT, PATH and SECRET to NULL, or to "" if that is the default or
// empty_ok; it is refused where the row is required or has another default: there the member is never NULL or empty. Fails with
// SETTING_INVALID and a detail without the setting's name; secrets and passed-through values are not in it. MAP takes
// "name=value,name=value".
enum reason setting_set(const struct setting *row, struct slice text, struct arena *arena, void *conf,
			struct fault *f) ATTR_MUST_USE;
// LIST and MAP from their entries.
enum reason setting_set_list(const struct setting *row, const struct slice *items, size_t count, struct arena *arena, void *conf,
			     struct fault *f) ATTR_MUST_USE;
enum reason setting_set_map(const struct setting *row, const struct slice *names, const struct slice *values, size_t count,
			    struct arena *arena, void *conf, struct fault *f) ATTR_MUST_USE;

// Does the name of a passed-through value say that it is not to be shown (password, secret, key, token, ...)?
bool setting_is_secret_name(const char *name) ATTR_MUST_USE;
// The value as one would write it. A SECRET, and a MAP's value with such a name, prints as "***".
void setting_write(const struct setting *row, const void *conf, struct strbuf *out);
bool setting_equal(const struct setting *row, const void *conf_a, const void *conf_b) ATTR_MUST_USE;
const char *setting_type_name(enum setting_type type) ATTR_MUST_USE; // "duration"

// The texts of durations, sizes and integers, for data files that use them too. false if it is none or does not fit.
bool setting_parse_int(struct slice text, int64_t *n) ATTR_MUST_USE;
bool setting_parse_duration(struct slice text, int64_t *ms) ATTR_MUST_USE;
bool setting_parse_size(struct slice text, int64_t *bytes) ATTR_MUST_USE;
#define SETTING_NUMBER_SIZE 32
// In the largest unit that divides it: "90s", "2h", "64KiB".
const char *setting_format_duration(int64_t ms, char out[static SETTING_NUMBER_SIZE]);
const char *setting_format_size(int64_t bytes, char out[static SETTING_NUMBER_SIZE]);

// The value of the map's entry, or NULL.
const char *setting_map_get(const struct setting_map *map, const char *name) ATTR_MUST_USE;
