// SPDX-License-Identifier: Apache-2.0
// ThreadSanitizer sees POSIX threads only, and librdkafka uses those of C11: here one is made of the other, for such builds alone.
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#if defined(__SANITIZE_THREAD__)

// glibc's own types are the same objects under two names.
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t), "C11 and POSIX threads differ");

#pragma GCC visibility push(default)

struct start {
	thrd_start_t fn;
	void *arg;
};

static void *run(void *arg)
{
	struct start start = *(struct start *)arg;
	free(arg);
	return (void *)(intptr_t)start.fn(start.arg);
}

static int result(int error)
{
	return error == 0 ? thrd_success : thrd_error;
}

int thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
	struct start *start = malloc(sizeof(*start));
	if (!start)
		return thrd_nomem;
	*start = (struct start){fn, arg};
	return result(pthread_create(thread, NULL, run, start));
}

int thrd_join(thrd_t thread, int *code)
{
	void *value = NULL;
	int error = pthread_join(thread, &value);
	if (code)
		*code = (int)(intptr_t)value;
	return result(error);
}

int thrd_detach(thrd_t thread)
{
	return result(pthread_detach(thread));
}

int mtx_init(mtx_t *lock, int type)
{
	pthread_mutexattr_t attr;
	(void)pthread_mutexattr_init(&attr);
	if (type & mtx_recursive)
		(void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	return result(pthread_mutex_init((pthread_mutex_t *)lock, &attr));
}

void mtx_destroy(mtx_t *lock)
{
	(void)pthread_mutex_destroy((pthread_mutex_t *)lock);
}

int mtx_lock(mtx_t *lock)
{
	return result(pthread_mutex_lock((pthread_mutex_t *)lock));
}

int mtx_trylock(mtx_t *lock)
{
	return pthread_mutex_trylock((pthread_mutex_t *)lock) == 0 ? thrd_success : thrd_busy;
}

int mtx_unlock(mtx_t *lock)
{
	return result(pthread_mutex_unlock((pthread_mutex_t *)lock));
}

int cnd_init(cnd_t *cond)
{
	return result(pthread_cond_init((pthread_cond_t *)cond, NULL));
}

void cnd_destroy(cnd_t *cond)
{
	(void)pthread_cond_destroy((pthread_cond_t *)cond);
}

int cnd_signal(cnd_t *cond)
{
	return result(pthread_cond_signal((pthread_cond_t *)cond));
}

int cnd_broadcast(cnd_t *cond)
{
	return result(pthread_cond_broadcast((pthread_cond_t *)cond));
}

int cnd_wait(cnd_t *cond, mtx_t *lock)
{
	return result(pthread_cond_wait((pthread_cond_t *)cond, (pthread_mutex_t *)lock));
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict lock, const struct timespec *restrict until)
{
	int error = pthread_cond_timedwait((pthread_cond_t *)cond, (pthread_mutex_t *)lock, until);
	return error == ETIMEDOUT ? thrd_timedout : result(error);
}

#pragma GCC visibility pop

#endif
