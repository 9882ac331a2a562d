// SPDX-License-Identifier: Apache-2.0
// What the courier's threads share: read-only parts, the state of the two channels, the stop.
#pragma once

#include <pthread.h>

#include "courier/provider.h"
#include "courier/stopper.h"
#include "courier/wording.h"
#include "enrolld/courier/courier.h"
#include "enrolld/template/template.h"

enum channel { CHANNEL_MAIL, CHANNEL_TEXT, CHANNEL_COUNT };

struct parts {
	const struct courier_conf *conf;
	const struct store_conf *store;
	const struct keyring *keys;
	const char *instance;
	struct courier_listener listener;
	struct arena *arena;
	struct wordings *wordings;
	const struct template *link; // NULL: messages carry a code only
	struct provider *provider;   // NULL: texts are not sent
	struct stopper stop;
	// Wake-ups.
	pthread_mutex_t lock; // guards the generation and who is careful
	pthread_cond_t wake;
	uint64_t generation;               // raised by each wake-up
	size_t threads[CHANNEL_COUNT];     // that hand messages over
	size_t careful[CHANNEL_COUNT];     // of them, those that failed and did not work since
	_Atomic int paused[CHANNEL_COUNT]; // enum reason of the last failure while all of them are careful; 0: it works
};

const char *channel_name(enum channel channel) ATTR_MUST_USE; // "email", "sms": as in the rows

void parts_init_wakes(struct parts *parts);
void parts_destroy_wakes(struct parts *parts);
void parts_wake(struct parts *parts);
uint64_t parts_generation(struct parts *parts) ATTR_MUST_USE; // to be read before looking for work
// Until somebody wakes after that generation, the time is over or a stop is asked for.
void parts_wait(struct parts *parts, uint64_t generation, int64_t timeout_ms);
// Until the time is over or a stop is asked for.
void parts_sleep(struct parts *parts, int64_t timeout_ms);

// A thread of the channel has failed, or works (again); *careful is its own. What fails for one only is no outage, so the channel is paused
// while none works. Said in the log, once for each change.
void parts_failed(struct parts *parts, enum channel channel, bool *careful, const struct fault *f);
void parts_worked(struct parts *parts, enum channel channel, bool *careful);
enum reason parts_paused(const struct parts *parts, enum channel channel) ATTR_MUST_USE; // why; REASON_OK: it is not
