// SPDX-License-Identifier: Apache-2.0
// What a work item sends out, from what is known of it.
#pragma once

#include "flow/work.h"

// For a request this batch decided and stored: result (or dead letter), account events, reply.
void outputs_of_decision(struct work *work);
// For an inbox hit, by its class: nothing, result and events and reply again, or a reply only.
void outputs_of_hit(struct work *work);
// Drops replies that the sink may not send: unknown topic, too large.
void outputs_drop_reply(struct work *work, const char *why);
