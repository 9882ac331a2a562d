// SPDX-License-Identifier: Apache-2.0
// enrolld keys: makes, lists and rotates the key ring, takes old epochs out, and prints the public keys that come of it.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "app/command.h"
#include "enrolld/base/clock.h"
#include "enrolld/conf/process.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/crypto/sign.h"
#include "enrolld/doc/json.h"
#include "enrolld/model/settings.h"
#include "enrolld/store/epoch.h"

#define TEXT_LIMIT ((size_t)64 << 10)
#define REALM_USUAL "default" // as topics.*.realm
#define DAY_MS INT64_C(86400000)

static void write_epoch(const char *path, uint16_t epoch, bool json, const char *text)
{
	struct strbuf out = STRBUF_INIT(TEXT_LIMIT);
	struct json_writer w;
	if (json) {
		json_begin(&w, &out);
		json_open_map(&w);
		json_member_text(&w, "file", slice_of(path));
		json_member_int(&w, "active", epoch);
		json_close_map(&w);
		strbuf_add_char(&out, '\n');
	} else {
		strbuf_printf(&out, "%s: %s\n", path, text);
	}
	command_print(&out);
}

static void write_removed(const char *path, uint16_t epoch)
{
	struct strbuf out = STRBUF_INIT(TEXT_LIMIT);
	struct json_writer w;
	json_begin(&w, &out);
	json_open_map(&w);
	json_member_text(&w, "file", slice_of(path));
	json_member_int(&w, "removed", epoch);
	json_close_map(&w);
	strbuf_add_char(&out, '\n');
	command_print(&out);
}

struct task {
	const char *path;
	const char *operand; // NULL: none
	bool json;
	const struct store_conf *store;
};

static enum reason make(const struct task *t, struct fault *f)
{
	enum reason reason = keyring_create(t->path, f);
	if (reason == REASON_OK)
		write_epoch(t->path, 1, t->json,
			    "made, with epoch 1. Every worker needs this file; keep a copy away from the database");
	return reason;
}

static enum reason rotate(const struct task *t, struct fault *f)
{
	uint16_t epoch = 0;
	enum reason reason = keyring_rotate(t->path, &epoch, f);
	if (reason != REASON_OK)
		return reason;
	char text[240];
	(void)snprintf(
		text, sizeof(text),
		"epoch %u added. Publish \"enrolld keys jwks\" if others check access tokens; give the file to every worker, then "
		"restart them one by one",
		epoch);
	write_epoch(t->path, epoch, t->json, text);
	return REASON_OK;
}

static void write_list(const char *path, const struct key_info *keys, size_t count, bool json)
{
	struct strbuf out = STRBUF_INIT(TEXT_LIMIT);
	struct json_writer w;
	char created[CLOCK_TEXT_SIZE];
	if (json) {
		json_begin(&w, &out);
		json_open_map(&w);
		json_member_text(&w, "file", slice_of(path));
		json_key(&w, "epochs");
		json_open_list(&w);
	} else {
		strbuf_printf(&out, "%-5s  %-24s  %8s  %s\n", "epoch", "made", "age", "use");
	}
	for (size_t i = 0; i < count; i++) {
		const char *when = clock_format_ms(keys[i].created_ms, created);
		long long days = (clock_wall_ms() - keys[i].created_ms) / DAY_MS;
		if (json) {
			json_open_map(&w);
			json_member_int(&w, "epoch", keys[i].epoch);
			json_member_text(&w, "created", slice_of(when));
			json_key(&w, "active");
			json_bool(&w, keys[i].active);
			json_close_map(&w);
		} else {
			strbuf_printf(&out, "%5u  %-24s  %6lld d  %s\n", keys[i].epoch, when, days,
				      keys[i].active ? "new values" : "older values");
		}
	}
	if (json) {
		json_close_list(&w);
		json_close_map(&w);
		strbuf_add_char(&out, '\n');
	}
	command_print(&out);
}

static enum reason list(const struct task *t, struct fault *f)
{
	struct keyring *ring = NULL;
	struct key_info keys[KEYS_MAX];
	enum reason reason = keyring_load(t->path, &ring, f);
	if (reason != REASON_OK)
		return reason;
	size_t count = keyring_list(ring, keys, KEYS_MAX);
	write_list(t->path, keys, count < KEYS_MAX ? count : KEYS_MAX, t->json);
	keyring_destroy(ring);
	return REASON_OK;
}

static enum reason key_set(const struct task *t, struct fault *f)
{
	struct keyring *ring = NULL;
	struct strbuf out = STRBUF_INIT(TEXT_LIMIT);
	enum reason reason = keyring_load(t->path, &ring, f);
	if (reason != REASON_OK)
		return reason;
	sign_key_set(ring, slice_of(t->operand ? t->operand : REALM_USUAL), &out);
	keyring_destroy(ring);
	command_print(&out);
	return REASON_OK;
}

// An old epoch of the file.
static enum reason find_epoch(const struct task *t, uint16_t *ret_epoch, struct fault *f)
{
	struct keyring *ring = NULL;
	int64_t epoch = 0;
	enum reason reason = keyring_load(t->path, &ring, f);
	if (reason != REASON_OK)
		return reason;
	if (!setting_parse_int(slice_of(t->operand), &epoch) || epoch < 1 || epoch > UINT16_MAX ||
	    !keyring_has(ring, (uint16_t)epoch))
		reason = fault_set(f, REASON_KEYS_INVALID, "%s: there is no epoch \"%.20s\"; enrolld keys list", t->path,
				   t->operand);
	else if (epoch == keyring_active(ring))
		reason = fault_set(f, REASON_KEYS_INVALID, "%s: epoch %d is the active one; enrolld keys rotate first", t->path,
				   (int)epoch);
	keyring_destroy(ring);
	if (reason == REASON_OK)
		*ret_epoch = (uint16_t)epoch;
	return reason;
}

static enum reason remove_epoch(const struct task *t, struct fault *f)
{
	uint16_t epoch;
	struct epoch_use use;
	enum reason reason = find_epoch(t, &epoch, f);
	if (reason == REASON_OK)
		reason = store_epoch_use(t->store, epoch, &use, f);
	if (reason != REASON_OK)
		return reason;
	if (use.codes || use.sessions || use.messages || use.requests)
		return fault_set(
			f, REASON_KEYS_NEEDED,
			"epoch %u is needed by %lld codes and links that may be tried, %lld sessions, %lld messages that wait, and "
			"%lld requests whose answer may be asked for again until database.horizon is over",
			epoch, (long long)use.codes, (long long)use.sessions, (long long)use.messages, (long long)use.requests);
	reason = keyring_remove(t->path, epoch, f);
	if (reason == REASON_OK && t->json)
		write_removed(t->path, epoch);
	else if (reason == REASON_OK)
		printf("%s: epoch %u is gone. Give the file to every worker; those that run keep it until they restart\n", t->path,
		       epoch);
	return reason;
}

static const struct {
	const char *name;
	int least, most; // operands
	enum reason (*run)(const struct task *t, struct fault *f);
} actions[] = {{"new", 0, 0, make},
	       {"list", 0, 0, list},
	       {"rotate", 0, 0, rotate},
	       {"jwks", 0, 1, key_set},
	       {"remove", 1, 1, remove_epoch}};

int command_keys(const struct invocation *invocation)
{
	size_t action = 0;
	if (invocation->argc < 1)
		return command_misuse(invocation, "keys", "which one? new, list, rotate, jwks or remove");
	while (action < ARRAY_LEN(actions) && strcmp(actions[action].name, invocation->argv[0]) != 0)
		action++;
	if (action == ARRAY_LEN(actions))
		return command_misuse(invocation, "keys", "\"%s\" is not one of new, list, rotate, jwks and remove",
				      invocation->argv[0]);
	if (invocation->argc - 1 > actions[action].most)
		return command_misuse(invocation, "keys", "\"%s\" is one word too many",
				      invocation->argv[1 + actions[action].most]);
	if (invocation->argc - 1 < actions[action].least)
		return command_misuse(invocation, "keys", "write: remove EPOCH");

	struct conf *conf = NULL;
	struct fault f;
	int status = command_load(invocation, &conf);
	if (status != EX_OK)
		return status;
	const struct process_conf *process = conf_get(conf, &process_settings);
	const struct task task = {process->keys_file, invocation->argc > 1 ? invocation->argv[1] : NULL, invocation->json,
				  conf_get(conf, &store_settings)};
	enum reason reason = crypto_setup(&f);
	if (reason == REASON_OK)
		reason = actions[action].run(&task, &f);
	if (reason != REASON_OK)
		status = command_fail(&f);
	conf_destroy(conf);
	return status;
}
