// SPDX-License-Identifier: Apache-2.0
// Settings "dialects.*".
#include "enrolld/dialect/dialect.h"

static const struct setting rows[] = {
	{"dialects.*.values", SETTING_AT(MAP, struct dialect_conf, values), .reloadable = true,
	 .doc = "Values for what the dialect's file lists under \"settings\", such as registration: closed."},
};

const struct setting_table dialect_settings = {
	.module = "dialects",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct dialect_conf),
	.per_name = true,
	.underscore = '-',
	.doc = "What a deployment sets of a frontend's dialect, by the dialect's name.",
};
