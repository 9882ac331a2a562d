// SPDX-License-Identifier: Apache-2.0
// What became of one hand-over, the same for mail and text. Transports fill it, the desk writes it down.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

#define HANDOVER_CODE_SIZE 33 // as store/message.h allows, and NUL
#define HANDOVER_REMOTE_ID_SIZE 129

enum handover_kind {
	HANDOVER_ACCEPTED, // the other side took the message
	HANDOVER_DEFERRED, // it is known that it did not, and worth another try: an answer for later, or the link broke before the end
	HANDOVER_REFUSED, // it will never take this message
	HANDOVER_UNKNOWN, // everything was handed over and no usable answer came
	HANDOVER_AWAY,    // nothing was handed over, and it is not this message's fault: no link, no login, sender refused
	HANDOVER_HELD,    // nothing was handed over because we did not want to: the gate was shut, or a stop was asked for
};

struct handover {
	enum handover_kind kind;
	char code[HANDOVER_CODE_SIZE];           // reply code or a word of ours; "" if none
	char remote_id[HANDOVER_REMOTE_ID_SIZE]; // "" if none
	int64_t retry_after_ms;                  // what the other side asked for; 0: nothing
	bool answered;                           // it said something about this message: the link works
	bool refused_us;    // AWAY: it works and does not want messages from us; only a message can prove the contrary
	bool busy;          // it asked that we send less: hold the whole channel back, too
	struct fault fault; // why, for all but ACCEPTED; for the log
};

// Asked once per try, before the first byte that could be irrevocable. false: do not send.
struct gate {
	bool (*open)(void *ctx);
	void *ctx;
};

// Keeps the printable ASCII of what the other side sent, cut to size - 1.
void handover_copy(char *out, size_t size, struct slice text);
