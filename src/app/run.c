// SPDX-License-Identifier: Apache-2.0
// enrolld run: signals, the service manager, and the worker between them.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "app/command.h"
#include "app/notify.h"
#include "app/worker.h"
#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/conf/process.h"
#include "enrolld/flow/flow.h"
#include "enrolld/version.h"

#define TICK_MS 500
#define REPORT_MAX ((size_t)64 * 1024)

// Passwords pass through this process: no core files, no debugger of the same user.
static void forbid_cores(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigprocmask(SIG_BLOCK, set, NULL);
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

static void note_change(void *ctx, const char *name, bool reloadable)
{
	(void)ctx;
	LOG(setting_changed, log_text("setting", name), log_bool("in_force", reloadable));
}

static void log_dialect_errors(const struct strbuf *report)
{
	for (struct slice rest = strbuf_slice(report); rest.len;) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		struct slice line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
		size_t used = line.len + (end != NULL);
		LOG(dialect_error, log_slice("error", line));
		rest = (struct slice){rest.ptr + used, rest.len - used};
	}
}

// A reload that fails leaves everything as it was.
static void reload(const struct invocation *invocation, struct worker *worker, struct conf **conf)
{
	struct conf *next;
	struct fault f;
	struct strbuf report = STRBUF_INIT(REPORT_MAX);
	notify_send("RELOADING=1");
	if (conf_load(conf_tables(), invocation->config, environ, NULL, &next, &f) != REASON_OK) {
		LOG_FAULT(settings_refused, &f);
	} else {
		if (worker_reload(worker, next, &report, &f) != REASON_OK) {
			log_dialect_errors(&report);
			LOG_FAULT(dialects_refused, &f);
		} else {
			size_t changed = conf_diff(*conf, next, note_change, NULL);
			LOG(settings_reloaded, log_int("changed", (int64_t)changed));
			LOG(dialects_reloaded);
		}
		// The worker keeps pointing into the first configuration: only the reloadable values were taken from the new one.
		conf_destroy(next);
	}
	strbuf_free(&report);
	notify_send("READY=1");
}

struct watch {
	struct worker *worker;
	int64_t watchdog_ms;
	int64_t pinged_ns;
	bool ready;
};

static void ping(struct watch *watch)
{
	struct strbuf why = STRBUF_INIT(2048);
	bool ready = worker_ready(watch->worker, &why);
	if (ready && !watch->ready)
		notify_send("STATUS=ready");
	else if (!ready && watch->ready)
		notify_send("STATUS=waiting: see /readyz");
	watch->ready = ready;
	strbuf_reset(&why);
	int64_t now = clock_mono_ns();
	if (watch->watchdog_ms && now - watch->pinged_ns >= watch->watchdog_ms * 1000000 && worker_healthy(watch->worker, &why)) {
		notify_send("WATCHDOG=1");
		watch->pinged_ns = now;
	}
	strbuf_free(&why);
	worker_measure(watch->worker);
}

// Until a signal asks for an end or a lane cannot go on. Returns the exit status.
static int serve(const struct invocation *invocation, struct worker *worker, struct conf **conf, const sigset_t *set)
{
	struct watch watch = {.worker = worker, .watchdog_ms = notify_watchdog_ms()};
	struct timespec tick = {0, TICK_MS * 1000000L};
	for (;;) {
		struct fault f;
		if (worker_failure(worker, &f) != REASON_OK) {
			LOG_FAULT(worker_failed, &f);
			return command_status(f.reason);
		}
		ping(&watch);
		int number = sigtimedwait(set, NULL, &tick);
		if (number == SIGHUP)
			reload(invocation, worker, conf);
		else if (number > 0)
			return EX_OK;
	}
}

// A second signal while draining leaves at once.
static void unblock_for_impatience(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int start_failed(const struct fault *f, struct strbuf *report)
{
	struct slice lines = strbuf_slice(report);
	if (lines.len)
		fprintf(stderr, "%.*s%s", (int)lines.len, lines.ptr, lines.ptr[lines.len - 1] == '\n' ? "" : "\n");
	LOG_FAULT(worker_failed, f);
	return command_fail(f);
}

int command_run(const struct invocation *invocation)
{
	struct conf *conf = NULL;
	struct worker *worker = NULL;
	struct strbuf report = STRBUF_INIT(16384);
	sigset_t set;
	struct fault f;
	if (failpoint_setup(getenv("ENROLLD_FAILPOINTS"), &f) != REASON_OK)
		return command_fail(&f);
	int status = command_load(invocation, &conf);
	if (status != EX_OK)
		return status;
	forbid_cores();
	block_signals(&set);
	const struct process_conf *process = conf_get(conf, &process_settings);
	const struct flow_conf *flow = conf_get(conf, &flow_settings);
	log_configure((enum log_level)process->log_level, (enum log_format)process->log_format);
	if (worker_create(conf, &worker, &report, &f) != REASON_OK) {
		status = start_failed(&f, &report);
	} else {
		LOG(worker_started, log_text("version", ENROLLD_VERSION), log_text("instance", flow->instance),
		    log_int("admin_port", worker_admin_port(worker)));
		notify_send(
			"READY=1\nSTATUS=waiting: see /readyz"); // an outage of Kafka or PostgreSQL is waited for, not a failed start
		status = serve(invocation, worker, &conf, &set);
		bool clean = false;
		LOG(worker_stopping);
		notify_send("STOPPING=1\nSTATUS=finishing what is in hand");
		unblock_for_impatience();
		worker_stop(worker, &clean);
		LOG(worker_stopped, log_bool("clean", clean));
	}
	worker_destroy(worker);
	strbuf_free(&report);
	conf_destroy(conf);
	return status;
}
