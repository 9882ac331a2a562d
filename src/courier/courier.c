// SPDX-License-Identifier: Apache-2.0
// The courier's life: read the files, start the threads, wake and stop them.
#include "enrolld/courier/courier.h"

#include <stdlib.h>

#include "courier/draft.h"
#include "courier/http.h"
#include "courier/mailer.h"
#include "courier/parts.h"
#include "courier/smtp.h"
#include "courier/texter.h"
#include "enrolld/base/metric.h"
#include "enrolld/version.h"

#define ARENA_BLOCK ((size_t)4 << 10)

struct courier {
	struct parts parts;
	struct mailer **mailers;
	size_t mailer_count;
	struct texter *texter; // NULL: texts are not sent
	bool stopped;
};

static const char *folder(struct arena *arena, const char *set, const char *name)
{
	return set ? set : arena_printf(arena, "%s/%s", ENROLLD_DATADIR, name).ptr;
}

static enum reason load_files(struct parts *p, struct fault *f)
{
	const struct courier_conf *conf = p->conf;
	enum reason reason = wordings_load(folder(p->arena, conf->messages_dir, "messages"), &p->wordings, f);
	if (reason == REASON_OK && conf->link_url)
		reason = draft_compile_link(conf->link_url, p->arena, &p->link, f);
	if (reason != REASON_OK || !conf->text_url)
		return reason;
	struct slice path = arena_printf(p->arena, "%s/%s.yaml", folder(p->arena, conf->providers_dir, "providers"),
					 conf->text_provider);
	return provider_load(path.ptr, &p->provider, f);
}

static enum reason start_threads(struct courier *c, struct fault *f)
{
	const struct courier_conf *conf = c->parts.conf;
	enum reason reason = REASON_OK;
	size_t mailers = conf->smtp_url ? (size_t)conf->smtp_connections : 0;
	c->parts.threads[CHANNEL_MAIL] = mailers;
	c->parts.threads[CHANNEL_TEXT] = 1;
	c->mailers = ARENA_ARRAY(c->parts.arena, mailers, struct mailer *);
	while (reason == REASON_OK && c->mailer_count < mailers) {
		reason = mailer_start(&c->parts, c->mailer_count, &c->mailers[c->mailer_count], f);
		c->mailer_count += reason == REASON_OK;
	}
	if (reason == REASON_OK && conf->text_url)
		reason = texter_start(&c->parts, &c->texter, f);
	return reason;
}

enum reason courier_create(const struct courier_conf *conf, const struct store_conf *store, const struct keyring *keys,
			   const char *instance, struct courier_listener listener, struct courier **courier, struct fault *f)
{
	struct courier *c = calloc(1, sizeof(*c));
	if (!c)
		return fault_set(f, REASON_NO_MEMORY, "no memory for the courier");
	c->parts.conf = conf;
	c->parts.store = store;
	c->parts.keys = keys;
	c->parts.listener = listener;
	c->parts.arena = arena_create(ARENA_BLOCK);
	c->parts.instance = arena_text(c->parts.arena, instance);
	parts_init_wakes(&c->parts);
	if (conf->enabled && (conf->smtp_url || conf->text_url)) {
		enum reason reason = load_files(&c->parts, f);
		if (reason == REASON_OK)
			reason = start_threads(c, f);
		if (reason != REASON_OK) {
			courier_destroy(c);
			return reason;
		}
	}
	*courier = c;
	return REASON_OK;
}

void courier_wake(struct courier *c)
{
	parts_wake(&c->parts);
	if (c->texter)
		texter_wake(c->texter);
}

bool courier_ready(const struct courier *c, struct strbuf *why)
{
	bool ready = true;
	for (int i = 0; i < CHANNEL_COUNT; i++) {
		enum reason reason = parts_paused(&c->parts, (enum channel)i);
		if (reason == REASON_OK)
			continue;
		ready = false;
		if (why)
			strbuf_printf(why, "%s: %s\n", channel_name((enum channel)i), reason_code(reason));
	}
	return ready;
}

void courier_measure(const struct courier *c)
{
	const bool used[CHANNEL_COUNT] = {[CHANNEL_MAIL] = c->mailer_count > 0, [CHANNEL_TEXT] = c->texter};
	for (int i = 0; i < CHANNEL_COUNT; i++)
		if (used[i])
			metric_set(METRIC_courier_up, METRIC_LABELS(channel_name((enum channel)i)),
				   parts_paused(&c->parts, (enum channel)i) == REASON_OK);
}

void courier_stop(struct courier *c, int64_t deadline_ms)
{
	if (c->stopped)
		return;
	c->stopped = true;
	stopper_ask(&c->parts.stop, deadline_ms);
	courier_wake(c);
	for (size_t i = 0; i < c->mailer_count; i++)
		mailer_join(c->mailers[i]);
	if (c->texter)
		texter_join(c->texter);
	c->mailer_count = 0;
	c->texter = NULL;
}

void courier_destroy(struct courier *c)
{
	if (!c)
		return;
	courier_stop(c, 0);
	parts_destroy_wakes(&c->parts);
	provider_free(c->parts.provider);
	wordings_free(c->parts.wordings);
	arena_destroy(c->parts.arena);
	free(c);
}

enum reason courier_probe_mail(const struct courier_conf *conf, struct fault *f)
{
	struct smtp *smtp;
	enum reason reason = smtp_open(conf, NULL, &smtp, f);
	if (reason != REASON_OK)
		return reason;
	reason = smtp_probe(smtp, f);
	smtp_close(smtp);
	return reason;
}

enum reason courier_probe_texts(const struct courier_conf *conf, struct fault *f)
{
	return http_probe(conf, f);
}

enum reason courier_probe_files(const struct courier_conf *conf, struct fault *f)
{
	struct parts parts = {.conf = conf, .arena = arena_create(ARENA_BLOCK)};
	enum reason reason = load_files(&parts, f);
	provider_free(parts.provider);
	wordings_free(parts.wordings);
	arena_destroy(parts.arena);
	return reason;
}
