// SPDX-License-Identifier: Apache-2.0
// The thread that hands over texts, several at once over one multi handle, with one database connection.
#pragma once

#include "courier/parts.h"

struct texter;

enum reason texter_start(struct parts *parts, struct texter **texter, struct fault *f) ATTR_MUST_USE; // parts must outlive it
void texter_wake(struct texter *texter);                                                              // thread-safe
void texter_join(struct texter *texter); // waits for its end, which parts->stop and a wake bring about, and frees it
