// SPDX-License-Identifier: Apache-2.0
// Parameters of a statement in PostgreSQL's text form: a value, or an array with an element per row, which the statement unnests.
// Their memory is wiped when freed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/strbuf.h"
#include "enrolld/base/uuid.h"

#define PARAMS_MAX 16
#define PARAM_SIZE_LIMIT ((size_t)32 << 20) // bytes of one parameter

struct param {
	struct strbuf text;
	bool set; // else NULL
	bool array;
	bool broken; // a value holds a NUL, which PostgreSQL cannot store
};

struct params {
	struct param at[PARAMS_MAX];
	size_t count;
};

void params_init(struct params *params, size_t count);
void params_free(struct params *params);
// Closes the arrays; an array without elements is empty. false if a value does not fit: the data's fault.
bool params_finish(struct params *params) ATTR_MUST_USE;
const char *params_value(const struct params *params, size_t index) ATTR_MUST_USE; // NULL is SQL's NULL; after params_finish

void param_set_text(struct param *param, struct slice text); // absent: NULL
void param_set_int(struct param *param, int64_t n);
void param_set_uuid(struct param *param, const struct uuid *id);

// One element more; param_array makes one of none.
void param_array(struct param *param);
void param_add_text(struct param *param, struct slice text); // absent: NULL
void param_add_int(struct param *param, int64_t n);
void param_add_uuid(struct param *param, const struct uuid *id);          // NULL: NULL
void param_add_bytes(struct param *param, const void *bytes, size_t len); // bytea in hexadecimal
