// SPDX-License-Identifier: Apache-2.0
// The hash pool: bounded queues by priority, one hasher a thread.
#include "enrolld/credential/pool.h"

#include <sched.h>
#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/thread.h"
#include "enrolld/crypto/foreign.h"

#define NS_PER_S INT64_C(1000000000)
#define IDLE_WIPE_NS NS_PER_S            // how long a thread's memory may hold what the last hash left there
#define MEASURE_EVERY_NS (30 * NS_PER_S) // the kernel may give huge pages later, or take them away
#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 2000
#define URGENT_RUN_MAX 7 // then a usual job gets its turn

// A ring of jobs that wait.
struct waiting {
	struct credential_job **jobs;
	size_t first, count;
	pthread_cond_t room;
};

struct hasher {
	struct credential_pool *pool;
	pthread_t thread;
	struct argon2_memory *memory; // NULL: the library's own
	int64_t measured_ns;          // 0: never
	size_t huge, kept;            // bytes, guarded by the pool's lock
};

struct credential_pool {
	struct argon2_cost cost;
	bool renew;
	pthread_mutex_t lock; // guards all below that changes
	pthread_cond_t work;  // a job came, or the pool was closed
	pthread_cond_t closing;
	struct waiting waiting[CREDENTIAL_PRIORITIES];
	size_t capacity; // of each
	unsigned urgent_run;
	unsigned busy;
	bool closed;
	size_t hasher_count; // whose threads run
	struct hasher hashers[];
};

static void lock(struct credential_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
}

static void unlock(struct credential_pool *pool)
{
	(void)pthread_mutex_unlock(&pool->lock);
}

// Which priority is served next; CREDENTIAL_PRIORITIES if nothing waits. Under the lock.
static enum credential_priority next_priority(const struct credential_pool *pool)
{
	bool urgent = pool->waiting[CREDENTIAL_URGENT].count > 0, usual = pool->waiting[CREDENTIAL_USUAL].count > 0;
	if (urgent && !(usual && pool->urgent_run >= URGENT_RUN_MAX))
		return CREDENTIAL_URGENT;
	return usual ? CREDENTIAL_USUAL : CREDENTIAL_PRIORITIES;
}

// Under the lock.
static struct credential_job *take_next(struct credential_pool *pool)
{
	enum credential_priority priority = next_priority(pool);
	if (priority == CREDENTIAL_PRIORITIES)
		return NULL;
	pool->urgent_run = priority == CREDENTIAL_URGENT ? pool->urgent_run + 1 : 0;
	struct waiting *waiting = &pool->waiting[priority];
	struct credential_job *job = waiting->jobs[waiting->first];
	waiting->first = (waiting->first + 1) % pool->capacity;
	waiting->count--;
	(void)pthread_cond_signal(&waiting->room);
	return job;
}

// Under the lock.
static void set_busy(struct credential_pool *pool, int change)
{
	pool->busy += (unsigned)change;
	metric_set(METRIC_hash_busy, METRIC_NO_LABELS, pool->busy);
}

static void measure(struct hasher *hasher)
{
	struct credential_pool *pool = hasher->pool;
	size_t huge = argon2_memory_huge(hasher->memory);
	size_t kept = argon2_memory_used(hasher->memory) ? (size_t)pool->cost.memory_kib * 1024 : 0;
	hasher->measured_ns = clock_mono_ns();
	lock(pool);
	hasher->huge = huge;
	hasher->kept = kept;
	size_t all_huge = 0, all_kept = 0;
	for (size_t i = 0; i < pool->hasher_count; i++) {
		all_huge += pool->hashers[i].huge;
		all_kept += pool->hashers[i].kept;
	}
	metric_set(METRIC_hash_huge, METRIC_NO_LABELS, (double)all_huge);
	metric_set(METRIC_hash_kept, METRIC_NO_LABELS, (double)all_kept);
	unlock(pool);
}

// Waits for a job; wipes the memory when none came for a while. NULL: the pool is closed and empty.
static struct credential_job *take(struct hasher *hasher)
{
	struct credential_pool *pool = hasher->pool;
	bool wiped = !hasher->memory;
	int64_t wipe_ns = clock_mono_ns() + IDLE_WIPE_NS;
	lock(pool);
	struct credential_job *job;
	while (!(job = take_next(pool)) && !pool->closed) {
		if (!thread_wait(&pool->work, &pool->lock, wiped ? THREAD_NO_END : wipe_ns)) {
			unlock(pool);
			argon2_memory_wipe(hasher->memory);
			wiped = true;
			lock(pool);
		}
	}
	if (job)
		set_busy(pool, 1);
	unlock(pool);
	return job;
}

static void observe(int64_t start_ns)
{
	metric_observe(METRIC_hash_seconds, METRIC_NO_LABELS, (double)(clock_mono_ns() - start_ns) / (double)NS_PER_S);
}

static enum reason make(struct hasher *hasher, struct credential_job *job, const struct secret *password)
{
	struct fault f;
	int64_t start_ns = clock_mono_ns();
	enum reason reason = argon2_hash(hasher->memory, hasher->pool->cost, secret_bytes(password), job->hash, &f);
	job->made = reason == REASON_OK;
	if (job->made)
		observe(start_ns);
	return reason;
}

static bool wants_renewal(const struct hasher *hasher, const struct credential_job *job)
{
	return hasher->pool->renew && job->hash && !foreign_is_own(job->stored, hasher->pool->cost);
}

static enum reason compare(struct hasher *hasher, struct credential_job *job)
{
	struct fault f;
	int64_t start_ns = clock_mono_ns();
	enum reason reason = foreign_verify(hasher->memory, job->stored, secret_bytes(job->password), &job->fits, &f);
	if (reason != REASON_OK)
		return reason;
	observe(start_ns);
	if (job->fits && job->next)
		return make(hasher, job, job->next);
	return job->fits && wants_renewal(hasher, job) ? make(hasher, job, job->password) : REASON_OK;
}

static enum reason hash_once(struct hasher *hasher, struct credential_job *job)
{
	return slice_is_absent(job->stored) ? make(hasher, job, job->password) : compare(hasher, job);
}

// Waits before the next try; false if the pool is closed.
static bool pause_hasher(struct credential_pool *pool, struct backoff *backoff)
{
	int64_t until_ns = clock_mono_ns() + backoff_next_ms(backoff) * (NS_PER_S / 1000);
	lock(pool);
	while (!pool->closed && thread_wait(&pool->closing, &pool->lock, until_ns))
		;
	bool closed = pool->closed;
	unlock(pool);
	return !closed;
}

// Lack of memory is an outage: it holds the job up, it does not end it.
static void work_on(struct hasher *hasher, struct credential_job *job)
{
	struct backoff backoff = BACKOFF_INIT(RETRY_MIN_MS, RETRY_MAX_MS);
	do
		job->reason = hash_once(hasher, job);
	while (job->reason == REASON_HASH_MEMORY && pause_hasher(hasher->pool, &backoff));
	secret_release(job->password);
	secret_release(job->next);
	job->password = job->next = NULL;
	secret_wipe_traces();
	bool made = job->made;
	job->done(job, job->ctx); // the job may be gone
	if (made && hasher->memory && (hasher->measured_ns == 0 || clock_mono_ns() - hasher->measured_ns >= MEASURE_EVERY_NS))
		measure(hasher);
}

static void run(void *ctx)
{
	struct hasher *hasher = ctx;
	struct credential_job *job;
	thread_set_batch_priority();
	while ((job = take(hasher))) {
		work_on(hasher, job);
		lock(hasher->pool);
		set_busy(hasher->pool, -1);
		unlock(hasher->pool);
	}
}

bool credential_pool_submit(struct credential_pool *pool, struct credential_job *job)
{
	struct waiting *waiting = &pool->waiting[job->priority];
	if (!job->password || (!job->hash && (slice_is_absent(job->stored) || job->next)))
		PANIC("a hash job without password or place for the hash");
	lock(pool);
	while (!pool->closed && waiting->count == pool->capacity)
		(void)thread_wait(&waiting->room, &pool->lock, THREAD_NO_END);
	bool taken = !pool->closed;
	if (taken) {
		waiting->jobs[(waiting->first + waiting->count++) % pool->capacity] = job;
		(void)pthread_cond_signal(&pool->work);
	}
	unlock(pool);
	return taken;
}

void credential_pool_close(struct credential_pool *pool)
{
	lock(pool);
	pool->closed = true;
	(void)pthread_cond_broadcast(&pool->work);
	(void)pthread_cond_broadcast(&pool->closing);
	for (int i = 0; i < CREDENTIAL_PRIORITIES; i++)
		(void)pthread_cond_broadcast(&pool->waiting[i].room);
	unlock(pool);
}

static size_t thread_count(const struct credential_conf *conf)
{
	cpu_set_t cpus;
	if (conf->threads > 0)
		return (size_t)conf->threads;
	return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (size_t)CPU_COUNT(&cpus) : 1;
}

static struct credential_pool *allocate(size_t threads)
{
	struct credential_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->hashers[0]));
	if (!pool)
		return NULL;
	pool->capacity = 2 * threads;
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, &attr);
	(void)pthread_cond_init(&pool->closing, &attr);
	bool complete = true;
	for (int i = 0; i < CREDENTIAL_PRIORITIES; i++) {
		(void)pthread_cond_init(&pool->waiting[i].room, &attr);
		pool->waiting[i].jobs = calloc(pool->capacity, sizeof(pool->waiting[i].jobs[0]));
		complete = complete && pool->waiting[i].jobs;
	}
	(void)pthread_condattr_destroy(&attr);
	if (complete)
		return pool;
	credential_pool_destroy(pool);
	return NULL;
}

enum reason credential_pool_create(const struct credential_conf *conf, struct credential_pool **ret_pool, struct fault *f)
{
	struct argon2_cost cost = credential_cost(conf);
	enum reason reason = credential_cost_check(cost, true, f);
	if (reason != REASON_OK)
		return reason;
	size_t threads = thread_count(conf);
	struct credential_pool *pool = allocate(threads);
	if (!pool)
		return fault_set(f, REASON_NO_MEMORY, "no memory for the hash pool");
	pool->cost = cost;
	pool->renew = conf->renew;
	while (pool->hasher_count < threads) {
		struct hasher *hasher = &pool->hashers[pool->hasher_count];
		hasher->pool = pool;
		hasher->memory = conf->keep_memory ? argon2_memory_create(cost) : NULL;
		reason = thread_start("hash", run, hasher, &hasher->thread, f);
		if (reason != REASON_OK) {
			argon2_memory_destroy(hasher->memory);
			credential_pool_destroy(pool);
			return reason;
		}
		lock(pool);
		pool->hasher_count++;
		unlock(pool);
	}
	metric_set(METRIC_hash_threads, METRIC_NO_LABELS, (double)threads);
	*ret_pool = pool;
	return REASON_OK;
}

void credential_pool_destroy(struct credential_pool *pool)
{
	if (!pool)
		return;
	credential_pool_close(pool);
	for (size_t i = 0; i < pool->hasher_count; i++) {
		thread_join(pool->hashers[i].thread);
		argon2_memory_destroy(pool->hashers[i].memory);
	}
	for (int i = 0; i < CREDENTIAL_PRIORITIES; i++) {
		free(pool->waiting[i].jobs);
		(void)pthread_cond_destroy(&pool->waiting[i].room);
	}
	(void)pthread_cond_destroy(&pool->closing);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}
