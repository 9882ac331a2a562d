// SPDX-License-Identifier: Apache-2.0
// Loaded catalogues; only wording.c and wording_load.c look inside.
#pragma once

#include <stdlib.h>

#include "courier/wording.h"
#include "enrolld/base/secret.h"
#include "enrolld/template/template.h"

#define KINDS_MAX 64
#define LANGUAGES_MAX 64 // of one kind
#define PHRASES_MAX 32   // of one catalogue

struct phrase {
	const char *name; // "t.greeting"
	const struct template *text;
};

struct catalogue {
	struct slice language, direction;
	struct phrase phrases[PHRASES_MAX];
	size_t phrase_count;
	size_t subject; // index of the phrase "subject"; phrase_count: none
};

struct wording {
	struct slice kind;
	const struct template *text;
	const struct template *html; // NULL: none
	struct catalogue *catalogues;
	size_t catalogue_count;
};

struct wordings {
	struct arena *arena;
	struct wording items[KINDS_MAX];
	size_t count;
};
