// SPDX-License-Identifier: Apache-2.0
// A folder of its own for the files of a test program.
#pragma once

#include <stddef.h>

// Makes the folder and goes into it; pairs with scratch_leave, which removes it with the files written.
void scratch_enter(void);
void scratch_leave(void);
void scratch_write(const char *name, const char *content);

// An environment of the given variables, valid until the next call.
#define ENV(...) scratch_environment((const char *const[]){__VA_ARGS__, NULL})
char *const *scratch_environment(const char *const *variables);
