// SPDX-License-Identifier: Apache-2.0
// Checks that a call panics, in a process of its own.
#pragma once

// Runs fn(ctx) in a child; fails the test unless the child aborts with a panic whose text holds words.
void assert_panics(void (*fn)(void *ctx), void *ctx, const char *words);
