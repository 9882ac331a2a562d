// SPDX-License-Identifier: Apache-2.0
// The commands on dialects share how they find one.
#pragma once

#include "app/command.h"
#include "enrolld/base/arena.h"
#include "enrolld/dialect/dialect.h"

// word: a dialect's folder, or a name below data.directory (of --config or $ENROLLD_CONFIG, else where it is installed). conf: these settings, the
// caller's to destroy, or NULL where none are named. false: they do not load, which has been told.
bool dialect_place(const struct invocation *invocation, const char *word, struct arena *arena, const char **directory,
		   const char **name, struct conf **conf);

// Where word lists and numbering plans are if not beside the dialects: data.directory of these settings (NULL: none), else $ENROLLD__DATA__DIRECTORY, else
// where they are installed.
const char *dialect_data(const struct conf *conf, struct arena *arena);

int dialect_try(const struct invocation *invocation, const char *word); // dialect_try.c
