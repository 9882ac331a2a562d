// SPDX-License-Identifier: Apache-2.0
// The hash pool: what it makes, its order, its bounds, and how it ends.
#include "enrolld/credential/pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/argon2_memory.h"
#include "enrolld/base/clock.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/queue.h"
#include "enrolld/crypto/foreign.h"
#include "enrolld/crypto/keys.h"

#define WAIT_MS 20000

static struct secret_pool *secrets;

struct task {
	struct credential_job job;
	char hash[ARGON2_TEXT_SIZE];
	int number;
};

static struct credential_pool *pool_of(int64_t threads, bool keep_memory)
{
	const struct credential_conf conf = {
		.threads = threads, .memory_bytes = 8 << 20, .passes = 1, .keep_memory = keep_memory, .allow_weak = true};
	struct credential_pool *pool = NULL;
	struct fault f;
	assert_int_equal(credential_pool_create(&conf, &pool, &f), REASON_OK);
	return pool;
}

static struct secret *secret_of(const char *password)
{
	struct secret *secret = secret_create(secrets, slice_of(password));
	assert_non_null(secret);
	return secret;
}

static void hand_over(struct credential_job *job, void *ctx)
{
	if (!queue_try_push(ctx, job))
		abort();
}

static void fill(struct task *task, const char *password, enum credential_priority priority, struct queue *done)
{
	*task = (struct task){0};
	task->job.password = secret_of(password);
	task->job.hash = task->hash;
	task->job.priority = priority;
	task->job.done = hand_over;
	task->job.ctx = done;
}

static struct task *wait_done(struct queue *done)
{
	void *item;
	assert_int_equal(queue_take(done, &item, 1, WAIT_MS), 1);
	return item; // the job is the task's first member
}

static bool fits(const char *hash, const char *password)
{
	struct fault f;
	bool it_fits = false;
	assert_int_equal(foreign_verify(NULL, slice_of(hash), slice_of(password), &it_fits, &f), REASON_OK);
	return it_fits;
}

static void hashes_and_compares(bool keep_memory)
{
	struct queue *done = queue_create(16);
	struct credential_pool *pool = pool_of(2, keep_memory);
	struct task tasks[6];
	for (int i = 0; i < 6; i++) {
		char password[32];
		(void)snprintf(password, sizeof(password), "password %d", i);
		fill(&tasks[i], password, i % 2 ? CREDENTIAL_USUAL : CREDENTIAL_URGENT, done);
		assert_true(credential_pool_submit(pool, &tasks[i].job));
	}
	for (int i = 0; i < 6; i++) {
		struct task *task = wait_done(done);
		assert_int_equal(task->job.reason, REASON_OK);
		assert_null(task->job.password);
	}
	for (int i = 0; i < 6; i++) {
		char password[32];
		(void)snprintf(password, sizeof(password), "password %d", i);
		assert_true(fits(tasks[i].hash, password));
		assert_false(fits(tasks[i].hash, "password"));
	}

	struct task right, wrong;
	fill(&right, "password 3", CREDENTIAL_URGENT, done);
	fill(&wrong, "password 4", CREDENTIAL_URGENT, done);
	right.job.hash = wrong.job.hash = NULL;
	right.job.stored = wrong.job.stored = slice_of(tasks[3].hash);
	assert_true(credential_pool_submit(pool, &right.job));
	assert_true(credential_pool_submit(pool, &wrong.job));
	(void)wait_done(done);
	(void)wait_done(done);
	assert_int_equal(right.job.reason, REASON_OK);
	assert_int_equal(wrong.job.reason, REASON_OK);
	assert_true(right.job.fits);
	assert_false(wrong.job.fits);
	credential_pool_destroy(pool);
	queue_destroy(done);
}

static struct task *run_one(struct credential_pool *pool, struct queue *done, struct task *task)
{
	assert_true(credential_pool_submit(pool, &task->job));
	assert_ptr_equal(wait_done(done), task);
	assert_int_equal(task->job.reason, REASON_OK);
	assert_true(!task->job.password && !task->job.next);
	return task;
}

// Another password gets its hash where the one before fits, and nowhere else.
static void the_next_one_is_hashed_if_the_old_one_fits(void **state)
{
	(void)state;
	struct queue *done = queue_create(4);
	struct credential_pool *pool = pool_of(1, false);
	struct task first, task;
	fill(&first, "old", CREDENTIAL_USUAL, done);
	assert_true(run_one(pool, done, &first)->job.made);
	static const char *const tried[] = {"wrong", "old"};
	for (int i = 0; i < 2; i++) {
		fill(&task, tried[i], CREDENTIAL_USUAL, done);
		task.job.next = secret_of("new");
		task.job.stored = slice_of(first.hash);
		(void)run_one(pool, done, &task);
		assert_int_equal(task.job.fits, i);
		assert_int_equal(task.job.made, i);
	}
	assert_true(fits(task.hash, "new"));
	credential_pool_destroy(pool);
	queue_destroy(done);
}

// A hash made elsewhere, or at another cost, gets today's, unless the setting says no.
static void hashes_are_renewed(void **state)
{
	static const char foreign[] = "pbkdf2_sha256$1000$saltsalt$E196ZhRPzw+wA84EjzHwJO1cv/MFJdO6C/sxmUeTYqY=";
	(void)state;
	for (int renew = 0; renew < 2; renew++) {
		const struct credential_conf conf = {
			.threads = 1, .memory_bytes = 8 << 20, .passes = 1, .allow_weak = true, .renew = renew};
		struct queue *done = queue_create(4);
		struct credential_pool *pool = NULL;
		struct fault f;
		struct task task, again;
		assert_int_equal(credential_pool_create(&conf, &pool, &f), REASON_OK);
		fill(&task, "wrong", CREDENTIAL_URGENT, done);
		task.job.stored = slice_of(foreign);
		(void)run_one(pool, done, &task);
		assert_false(task.job.fits || task.job.made);
		fill(&task, "password", CREDENTIAL_URGENT, done);
		task.job.stored = slice_of(foreign);
		(void)run_one(pool, done, &task);
		assert_true(task.job.fits);
		assert_int_equal(task.job.made, renew);
		if (renew) {
			assert_true(fits(task.hash, "password"));
			fill(&again, "password", CREDENTIAL_URGENT, done);
			again.job.stored = slice_of(task.hash);
			(void)run_one(pool, done, &again);
			assert_true(again.job.fits && !again.job.made); // it is today's
		}
		credential_pool_destroy(pool);
		queue_destroy(done);
	}
}

static void hashes_with_kept_memory(void **state)
{
	(void)state;
	hashes_and_compares(true);
#if ARGON2_MEMORY_LENT
	assert_true(metric_read(METRIC_hash_kept, METRIC_NO_LABELS) >= 8 << 20); // the library took what was offered
#endif
}

static void hashes_without(void **state)
{
	(void)state;
	double before = metric_read(METRIC_hash_seconds, METRIC_NO_LABELS);
	hashes_and_compares(false);
	assert_true(metric_read(METRIC_hash_seconds, METRIC_NO_LABELS) == before + 8);
	assert_true(metric_read(METRIC_hash_threads, METRIC_NO_LABELS) == 2);
	assert_true(metric_read(METRIC_hash_busy, METRIC_NO_LABELS) == 0);
}

// A job whose done holds its thread until the gate opens.
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open, reached;
	struct task task;
};

static void hold(struct credential_job *job, void *ctx)
{
	(void)job;
	struct gate *gate = ctx;
	(void)pthread_mutex_lock(&gate->lock);
	gate->reached = true;
	(void)pthread_cond_broadcast(&gate->changed);
	while (!gate->open)
		(void)pthread_cond_wait(&gate->changed, &gate->lock);
	(void)pthread_mutex_unlock(&gate->lock);
}

static void gate_occupy(struct gate *gate, struct credential_pool *pool)
{
	(void)pthread_mutex_init(&gate->lock, NULL);
	(void)pthread_cond_init(&gate->changed, NULL);
	gate->open = gate->reached = false;
	fill(&gate->task, "gate", CREDENTIAL_URGENT, NULL);
	gate->task.job.done = hold;
	gate->task.job.ctx = gate;
	assert_true(credential_pool_submit(pool, &gate->task.job));
	(void)pthread_mutex_lock(&gate->lock);
	while (!gate->reached)
		(void)pthread_cond_wait(&gate->changed, &gate->lock);
	(void)pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	gate->open = true;
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->lock);
}

static void gate_free(struct gate *gate)
{
	(void)pthread_cond_destroy(&gate->changed);
	(void)pthread_mutex_destroy(&gate->lock);
}

struct submission {
	struct credential_pool *pool;
	struct credential_job *job;
	bool taken;
};

static void *submit(void *ctx)
{
	struct submission *submission = ctx;
	submission->taken = credential_pool_submit(submission->pool, submission->job);
	return NULL;
}

// Urgent ones go first although they came later, but never starve the usual ones.
static void urgent_goes_first(void **state)
{
	(void)state;
	struct queue *done = queue_create(32);
	struct credential_pool *pool = pool_of(1, false);
	struct gate gate;
	gate_occupy(&gate, pool);
	struct task tasks[4];
	for (int i = 0; i < 4; i++) {
		fill(&tasks[i], "x", i < 2 ? CREDENTIAL_USUAL : CREDENTIAL_URGENT, done);
		assert_true(credential_pool_submit(pool, &tasks[i].job)); // two of each fit
	}
	gate_open(&gate);
	static const int order[] = {2, 3, 0, 1};
	for (int i = 0; i < 4; i++)
		assert_ptr_equal(wait_done(done), &tasks[order[i]]);
	credential_pool_destroy(pool);
	gate_free(&gate);
	queue_destroy(done);
}

// Keeps the urgent queue full from the hash thread itself: each urgent job that ends sends another.
struct flood {
	struct credential_pool *pool;
	struct task tasks[2];
	int before_usual;
	bool usual_done;
	struct queue *done;
};

static void send_another(struct credential_job *job, void *ctx)
{
	struct flood *flood = ctx;
	if (flood->usual_done)
		return;
	flood->before_usual++;
	job->password = secret_create(secrets, SLICE_LIT("x"));
	if (!job->password || !credential_pool_submit(flood->pool, job))
		abort();
}

static void note_usual(struct credential_job *job, void *ctx)
{
	struct flood *flood = ctx;
	flood->usual_done = true;
	hand_over(job, flood->done);
}

static void a_flood_of_urgent_ones_leaves_room(void **state)
{
	(void)state;
	struct flood flood = {.pool = pool_of(1, false), .done = queue_create(1)};
	struct gate gate;
	gate_occupy(&gate, flood.pool);
	struct task usual;
	fill(&usual, "x", CREDENTIAL_USUAL, NULL);
	usual.job.done = note_usual;
	usual.job.ctx = &flood;
	assert_true(credential_pool_submit(flood.pool, &usual.job));
	for (int i = 0; i < 2; i++) {
		fill(&flood.tasks[i], "x", CREDENTIAL_URGENT, NULL);
		flood.tasks[i].job.done = send_another;
		flood.tasks[i].job.ctx = &flood;
		assert_true(credential_pool_submit(flood.pool, &flood.tasks[i].job));
	}
	gate_open(&gate);
	(void)wait_done(flood.done); // comes only if the usual one got its turn
	credential_pool_destroy(flood.pool);
	assert_true(flood.usual_done);
	assert_in_range(flood.before_usual, 1, 7);
	queue_destroy(flood.done);
	gate_free(&gate);
}

static void a_full_queue_holds_the_sender(void **state)
{
	(void)state;
	struct queue *done = queue_create(32);
	struct credential_pool *pool = pool_of(1, false);
	struct gate gate;
	gate_occupy(&gate, pool);
	struct task tasks[3], urgent;
	for (int i = 0; i < 3; i++)
		fill(&tasks[i], "x", CREDENTIAL_USUAL, done);
	fill(&urgent, "x", CREDENTIAL_URGENT, done);
	assert_true(credential_pool_submit(pool, &tasks[0].job));
	assert_true(credential_pool_submit(pool, &tasks[1].job));
	struct submission third = {pool, &tasks[2].job, false};
	pthread_t sender;
	assert_int_equal(pthread_create(&sender, NULL, submit, &third), 0);
	struct timespec soon;
	(void)clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec += 1;
	assert_int_not_equal(pthread_timedjoin_np(sender, NULL, &soon), 0); // waits
	assert_true(credential_pool_submit(pool, &urgent.job));             // the other queue has room
	gate_open(&gate);
	assert_int_equal(pthread_join(sender, NULL), 0);
	assert_true(third.taken);
	for (int i = 0; i < 4; i++)
		assert_int_equal(wait_done(done)->job.reason, REASON_OK);
	credential_pool_destroy(pool);
	gate_free(&gate);
	queue_destroy(done);
}

// Closing sends waiting senders away with their passwords, and still does what is queued.
static void closing_finishes_what_waits(void **state)
{
	(void)state;
	struct queue *done = queue_create(32);
	struct credential_pool *pool = pool_of(1, false);
	struct gate gate;
	gate_occupy(&gate, pool);
	struct task tasks[4];
	for (int i = 0; i < 4; i++)
		fill(&tasks[i], "x", CREDENTIAL_USUAL, done);
	assert_true(credential_pool_submit(pool, &tasks[0].job));
	assert_true(credential_pool_submit(pool, &tasks[1].job));
	struct submission late = {pool, &tasks[2].job, true};
	pthread_t sender;
	assert_int_equal(pthread_create(&sender, NULL, submit, &late), 0);
	clock_sleep_ms(50);
	credential_pool_close(pool);
	credential_pool_close(pool);
	assert_int_equal(pthread_join(sender, NULL), 0);
	assert_false(late.taken);
	assert_false(credential_pool_submit(pool, &tasks[3].job));
	assert_non_null(tasks[2].job.password);
	secret_release(tasks[2].job.password);
	secret_release(tasks[3].job.password);
	gate_open(&gate);
	credential_pool_destroy(pool);
	credential_pool_destroy(NULL);
	assert_int_equal(queue_length(done), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(wait_done(done)->job.reason, REASON_OK);
	gate_free(&gate);
	queue_destroy(done);
}

static void refuses_a_cost_out_of_range(void **state)
{
	(void)state;
	struct credential_conf conf = {.threads = 1, .memory_bytes = 1 << 20, .passes = 1, .allow_weak = true};
	struct credential_pool *pool = NULL;
	struct fault f;
	assert_int_equal(credential_pool_create(&conf, &pool, &f), REASON_SETTING_INVALID);
	assert_null(pool);
}

static void zero_threads_is_one_per_cpu(void **state)
{
	(void)state;
	credential_pool_destroy(pool_of(0, true));
	double threads = metric_read(METRIC_hash_threads, METRIC_NO_LABELS);
	assert_true(threads >= 1 && threads <= (double)sysconf(_SC_NPROCESSORS_CONF));
}

#if ARGON2_MEMORY_LENT
// Bytes that are not zero in the maps that are a hash thread's memory: 8 MiB, readable and writable, aligned to 2 MiB, left out of core files. A
// thread's stack may look the same but for the last.
static size_t left_behind(void)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	assert_non_null(maps);
	char line[512];
	size_t count = 0;
	uintptr_t from = 0, to = 0;
	while (fgets(line, sizeof(line), maps)) {
		char *end;
		uintptr_t begin = strtoul(line, &end, 16);
		if (*end == '-') { // the head of the next one
			from = begin;
			to = strtoul(end + 1, &end, 16);
			if (strncmp(end, " rw-p", 5) != 0)
				to = from;
		} else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd") && to - from == 8 << 20 &&
			   from % (2 << 20) == 0) {
			for (uintptr_t at = from; at < to; at++)
				count += *(const volatile char *)at != 0;
		}
	}
	(void)fclose(maps);
	return count;
}

static void idle_memory_is_wiped(void **state)
{
	(void)state;
	struct queue *done = queue_create(4);
	struct credential_pool *pool = pool_of(1, true);
	struct task task;
	fill(&task, "x", CREDENTIAL_USUAL, done);
	assert_true(credential_pool_submit(pool, &task.job));
	(void)wait_done(done);
	assert_true(left_behind() > 1 << 20);
	int64_t until_ns = clock_mono_ns() + WAIT_MS * INT64_C(1000000);
	while (left_behind() > 0 && clock_mono_ns() < until_ns)
		clock_sleep_ms(100);
	assert_int_equal(left_behind(), 0);

	fill(&task, "y", CREDENTIAL_USUAL, done); // and serves again
	assert_true(credential_pool_submit(pool, &task.job));
	(void)wait_done(done);
	assert_true(fits(task.hash, "y"));
	credential_pool_destroy(pool);
	queue_destroy(done);
}

static size_t address_space(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	assert_non_null(statm);
	char line[128];
	assert_non_null(fgets(line, sizeof(line), statm));
	(void)fclose(statm);
	return strtoul(line, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}
#endif

// No memory holds a job up and does not end it; only a closed pool gives it back undone.
static void lack_of_memory_is_waited_out(void **state)
{
	(void)state;
#if !ARGON2_MEMORY_LENT
	skip(); // they need address space of their own
#else
	struct queue *done = queue_create(4);
	struct credential_pool *pool = pool_of(1, false);
	struct task tasks[3];
	for (int i = 0; i < 3; i++)
		fill(&tasks[i], "x", CREDENTIAL_USUAL, done);
	assert_true(credential_pool_submit(pool, &tasks[0].job)); // warms the allocator
	assert_int_equal(wait_done(done)->job.reason, REASON_OK);

	struct rlimit before, tight;
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	tight = before;
	tight.rlim_cur = address_space() + (4 << 20);
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	assert_true(credential_pool_submit(pool, &tasks[1].job));
	void *item;
	size_t early = queue_take(done, &item, 1, 300);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(early, 0);
	assert_int_equal(wait_done(done)->job.reason, REASON_OK);
	assert_true(fits(tasks[1].hash, "x"));

	tight.rlim_cur = address_space() + (4 << 20);
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	assert_true(credential_pool_submit(pool, &tasks[2].job));
	clock_sleep_ms(200);
	credential_pool_destroy(pool);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(wait_done(done)->job.reason, REASON_HASH_MEMORY);
	assert_null(tasks[2].job.password);
	queue_destroy(done);
#endif
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	bool locked;
	return crypto_setup(&f) == REASON_OK && secret_pool_create(32, &secrets, &locked, &f) == REASON_OK ? 0 : -1;
}

// Every password was released: the pool of secrets insists.
static int teardown(void **state)
{
	(void)state;
	secret_pool_destroy(secrets);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_one_is_hashed_if_the_old_one_fits),
		cmocka_unit_test(hashes_are_renewed),
		cmocka_unit_test(hashes_with_kept_memory),
		cmocka_unit_test(hashes_without),
		cmocka_unit_test(urgent_goes_first),
		cmocka_unit_test(a_flood_of_urgent_ones_leaves_room),
		cmocka_unit_test(a_full_queue_holds_the_sender),
		cmocka_unit_test(closing_finishes_what_waits),
		cmocka_unit_test(refuses_a_cost_out_of_range),
		cmocka_unit_test(zero_threads_is_one_per_cpu),
#if ARGON2_MEMORY_LENT
		cmocka_unit_test(idle_memory_is_wiped),
#endif
		cmocka_unit_test(lack_of_memory_is_waited_out),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
