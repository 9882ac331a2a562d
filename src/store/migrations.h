// SPDX-License-Identifier: Apache-2.0
// The files of schemas/sql, which the build puts into the program.
#pragma once

#include <stddef.h>

struct migration {
	int version;
	const char *name; // as the file: "0001_initial"
	const char *sql;
};
extern const struct migration migrations[]; // by version, from 1 without a gap
extern const size_t migration_count;
extern const char privileges_sql[];
