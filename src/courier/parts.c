// SPDX-License-Identifier: Apache-2.0
// Wake-ups and pauses.
#include "courier/parts.h"

#include <errno.h>
#include <time.h>

#include "enrolld/base/log.h"

#define NS_PER_S 1000000000
#define NS_PER_MS 1000000

const char *channel_name(enum channel channel)
{
	return channel == CHANNEL_MAIL ? "email" : "sms";
}

void parts_init_wakes(struct parts *p)
{
	pthread_condattr_t attr;
	int error = pthread_condattr_init(&attr);
	if (error == 0)
		error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_mutex_init(&p->lock, NULL);
	if (error == 0)
		error = pthread_cond_init(&p->wake, &attr);
	if (error != 0)
		PANIC("courier: %s", strerrordesc_np(error));
	(void)pthread_condattr_destroy(&attr);
}

void parts_destroy_wakes(struct parts *p)
{
	(void)pthread_cond_destroy(&p->wake);
	(void)pthread_mutex_destroy(&p->lock);
}

void parts_wake(struct parts *p)
{
	(void)pthread_mutex_lock(&p->lock);
	p->generation++;
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_cond_broadcast(&p->wake);
}

uint64_t parts_generation(struct parts *p)
{
	(void)pthread_mutex_lock(&p->lock);
	uint64_t generation = p->generation;
	(void)pthread_mutex_unlock(&p->lock);
	return generation;
}

static struct timespec end_of(int64_t ms)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * NS_PER_MS;
	if (t.tv_nsec >= NS_PER_S) {
		t.tv_sec++;
		t.tv_nsec -= NS_PER_S;
	}
	return t;
}

// any: wake-ups after the generation count, else the stop alone does.
static void wait(struct parts *p, bool any, uint64_t generation, int64_t timeout_ms)
{
	struct timespec end = end_of(timeout_ms > 0 ? timeout_ms : 0);
	int error = 0;
	(void)pthread_mutex_lock(&p->lock);
	while (!stopper_asked(&p->stop) && !(any && p->generation != generation) && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&p->wake, &p->lock, &end);
	(void)pthread_mutex_unlock(&p->lock);
}

void parts_wait(struct parts *p, uint64_t generation, int64_t timeout_ms)
{
	wait(p, true, generation, timeout_ms);
}

void parts_sleep(struct parts *p, int64_t timeout_ms)
{
	wait(p, false, 0, timeout_ms);
}

void parts_failed(struct parts *p, enum channel channel, bool *careful, const struct fault *f)
{
	(void)pthread_mutex_lock(&p->lock);
	p->careful[channel] += !*careful;
	*careful = true;
	bool all = p->careful[channel] >= p->threads[channel];
	if (all && atomic_exchange(&p->paused[channel], (int)f->reason) == REASON_OK)
		LOG_FAULT(courier_paused, f, log_text("channel", channel_name(channel)));
	(void)pthread_mutex_unlock(&p->lock);
}

void parts_worked(struct parts *p, enum channel channel, bool *careful)
{
	(void)pthread_mutex_lock(&p->lock);
	p->careful[channel] -= *careful;
	*careful = false;
	if (atomic_exchange(&p->paused[channel], REASON_OK) != REASON_OK)
		LOG(courier_resumed, log_text("channel", channel_name(channel)));
	(void)pthread_mutex_unlock(&p->lock);
}

enum reason parts_paused(const struct parts *p, enum channel channel)
{
	return (enum reason)atomic_load(&p->paused[channel]);
}
