// SPDX-License-Identifier: Apache-2.0
// enrolld schema: JSON Schema of a dialect, and AsyncAPI 3 of several.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "app/command.h"
#include "app/dialect.h"
#include "enrolld/dialect/schema.h"
#include "enrolld/doc/json.h"
#include "enrolld/version.h"

#define PAGE_MAX ((size_t)8 << 20)
#define DIALECTS_MAX 64

struct listed {
	const char *name;
	struct dialect_set *set;
};

static int load(const struct invocation *invocation, const char *word, struct arena *arena, struct listed *listed)
{
	struct strbuf report = STRBUF_INIT((size_t)1 << 20);
	struct fault f;
	const char *directory;
	struct conf *conf;
	int status = EX_CONFIG;
	if (!dialect_place(invocation, word, arena, &directory, &listed->name, &conf))
		return EX_CONFIG;
	const struct dialect_options options = {.data_dir = dialect_data(conf, arena)};
	conf_destroy(conf);
	if (dialect_load(directory, &listed->name, 1, &options, &report, &listed->set, &f) == REASON_OK)
		status = EX_OK;
	else
		fwrite(report.data, 1, report.len, stderr);
	strbuf_free(&report);
	return status;
}

static bool is_sign_up(enum operation_kind kind)
{
	return kind == OPERATION_SIGN_UP || kind == OPERATION_SET_PASSWORD;
}

// Calls each for the routes that the lane's topic takes.
static void each_route(struct strbuf *out, const struct listed *dialects, size_t count, bool sign_up,
		       void (*each)(struct strbuf *out, const char *dialect, const struct dialect_route_row *row))
{
	struct dialect_route_row row;
	for (size_t i = 0; i < count; i++)
		for (size_t r = 0; dialect_route_row(dialects[i].set, dialects[i].name, r, &row); r++)
			if (is_sign_up(row.operation) == sign_up)
				each(out, dialects[i].name, &row);
}

static void add_reference(struct strbuf *out, const char *dialect, const struct dialect_route_row *row)
{
	strbuf_printf(out, "      %s.%s:\n        $ref: '#/components/messages/%s.%s'\n", dialect, row->name, dialect, row->name);
}

static void add_message(struct strbuf *out, const char *dialect, const struct dialect_route_row *row)
{
	strbuf_printf(out, "    %s.%s:\n      name: %s.%s\n      summary: '", dialect, row->name, dialect, row->name);
	if (row->path)
		strbuf_printf(out, "%s %s", row->method, row->path);
	if (row->type)
		strbuf_printf(out, "%s%s", row->path ? ", " : "", row->type);
	strbuf_add_text(
		out,
		"'\n      contentType: application/json\n      headers:\n        $ref: '#/components/schemas/request_headers'\n");
	if (row->has_body)
		strbuf_printf(out,
			      "      payload:\n        schemaFormat: application/schema+json;version=draft-2020-12\n"
			      "        schema:\n          $ref: 'dialects/%s/schema.json#/$defs/%s.request'\n",
			      dialect, row->name);
}

static void add_channel(struct strbuf *out, const char *name, const char *topic, const char *text)
{
	strbuf_printf(out, "  %s:\n    address: %s\n    description: %s\n    messages:\n", name, topic, text);
}

static const char head[] =
	"# SPDX-License-Identifier: Apache-2.0\n"
	"# Written by scripts/generate-schemas from the dialects' files: change those, not this one.\n"
	"asyncapi: 3.0.0\n"
	"info:\n"
	"  title: enrolld\n"
	"  version: " ENROLLD_VERSION "\n"
	"  description: Asynchronous registration. Requests of any frontend, results, replies and account events.\n"
	"  license: {name: Apache-2.0}\n"
	"defaultContentType: application/json\n"
	"channels:\n";

static const char outputs[] =
	"  results:\n    address: enroll.results\n    description: One result for each request id, without secrets.\n"
	"    messages:\n      result:\n        $ref: '#/components/messages/result'\n"
	"  accounts:\n    address: enroll.accounts\n    description: What became of accounts.\n"
	"    messages:\n      registered:\n        $ref: '#/components/messages/registered'\n"
	"      verified:\n        $ref: '#/components/messages/verified'\n"
	"      password_changed:\n        $ref: '#/components/messages/password_changed'\n"
	"      message_accepted:\n        $ref: '#/components/messages/message_accepted'\n"
	"      message_refused:\n        $ref: '#/components/messages/message_refused'\n"
	"      message_unknown:\n        $ref: '#/components/messages/message_unknown'\n"
	"      message_expired:\n        $ref: '#/components/messages/message_expired'\n"
	"      sending_held:\n        $ref: '#/components/messages/sending_held'\n"
	"      sending_released:\n        $ref: '#/components/messages/sending_released'\n"
	"  replies:\n    address: enroll.replies\n    description: Answers in the frontend's own words. Which topics replies may go to is a setting.\n"
	"    messages:\n      reply:\n        $ref: '#/components/messages/reply'\n"
	"operations:\n"
	"  sign_up:\n    action: receive\n    channel:\n      $ref: '#/channels/signup'\n    reply:\n      channel:\n        $ref: '#/channels/replies'\n"
	"  otp:\n    action: receive\n    channel:\n      $ref: '#/channels/otp'\n    reply:\n      channel:\n        $ref: '#/channels/replies'\n"
	"  publish_results:\n    action: send\n    channel:\n      $ref: '#/channels/results'\n"
	"  publish_accounts:\n    action: send\n    channel:\n      $ref: '#/channels/accounts'\n"
	"components:\n"
	"  messages:\n"
	"    result:\n      name: enrolld.result.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/result'\n"
	"    registered:\n      name: enrolld.account.registered.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/registered'\n"
	"    verified:\n      name: enrolld.account.verified.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/verified'\n"
	"    password_changed:\n      name: enrolld.account.password_changed.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/password_changed'\n"
	"    message_accepted:\n      name: enrolld.message.accepted.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/message_state'\n"
	"    message_refused:\n      name: enrolld.message.refused.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/message_state'\n"
	"    message_unknown:\n      name: enrolld.message.unknown.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/message_state'\n"
	"    message_expired:\n      name: enrolld.message.expired.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/message_state'\n"
	"    sending_held:\n      name: enrolld.sending.held.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/sending_held'\n"
	"    sending_released:\n      name: enrolld.sending.released.v1\n      contentType: application/json\n      payload:\n        $ref: '#/components/schemas/sending_released'\n"
	"    reply:\n      name: reply\n      summary: The answer whose schema is $defs of the dialect that was asked\n";

static const char schemas[] =
	"  schemas:\n"
	"    request_headers:\n"
	"      type: object\n"
	"      description: As Zilla http-kafka writes them; 'enrolld shapes' tells of all other gateways.\n"
	"      properties:\n"
	"        ':method': {type: string}\n"
	"        ':path': {type: string}\n"
	"        content-type: {type: string}\n"
	"        idempotency-key: {type: string, maxLength: 256}\n"
	"        zilla:reply-to: {type: string}\n"
	"        zilla:correlation-id: {type: string}\n"
	"    result:\n"
	"      type: object\n"
	"      required: [request_id, realm, outcome, at]\n"
	"      properties:\n"
	"        request_id: {type: string, minLength: 1, maxLength: 256}\n"
	"        realm: {type: string}\n"
	"        operation: {type: string}\n"
	"        outcome: {enum: [accepted, refused, expired]}\n"
	"        reason: {type: string}\n"
	"        violations: {type: array, items: {type: object, required: [field, code], properties: {field: {type: string}, code: {type: string}}}}\n"
	"        account_id: {type: string, format: uuid}\n"
	"        at: {type: string, format: date-time}\n"
	"    registered:\n"
	"      type: object\n"
	"      required: [account_id, realm, identities, request_id, at]\n"
	"      properties:\n"
	"        account_id: {type: string, format: uuid}\n"
	"        realm: {type: string}\n"
	"        identities: {type: array, items: {type: object, required: [kind, value, verified], properties: {kind: {type: string}, value: {type: "
	"string}, verified: {type: boolean}}}}\n"
	"        given_name: {type: string}\n"
	"        family_name: {type: string}\n"
	"        display_name: {type: string}\n"
	"        birth_date: {type: string, format: date}\n"
	"        locale: {type: string}\n"
	"        attributes: {type: object}\n"
	"        opening: {type: object}\n"
	"        request_id: {type: string}\n"
	"        at: {type: string, format: date-time}\n"
	"    verified:\n"
	"      type: object\n"
	"      required: [account_id, realm, identity, request_id, at]\n"
	"      properties:\n"
	"        account_id: {type: string, format: uuid}\n"
	"        number: {type: integer}\n"
	"        realm: {type: string}\n"
	"        identity: {type: object, required: [kind, value], properties: {kind: {type: string}, value: {type: string}}}\n"
	"        request_id: {type: string}\n"
	"        at: {type: string, format: date-time}\n"
	"    password_changed:\n"
	"      type: object\n"
	"      required: [account_id, realm, request_id, at]\n"
	"      properties:\n"
	"        account_id: {type: string, format: uuid}\n"
	"        number: {type: integer}\n"
	"        realm: {type: string}\n"
	"        request_id: {type: string}\n"
	"        at: {type: string, format: date-time}\n"
	"    message_state:\n"
	"      type: object\n"
	"      required: [message_id, realm, channel, state, attempts, at]\n"
	"      properties:\n"
	"        message_id: {type: string, format: uuid}\n"
	"        account_id: {type: string, format: uuid}\n"
	"        challenge_id: {type: string, format: uuid}\n"
	"        realm: {type: string}\n"
	"        channel: {enum: [email, sms]}\n"
	"        state: {enum: [accepted, refused, unknown, expired]}\n"
	"        code: {type: string}\n"
	"        attempts: {type: integer, minimum: 0}\n"
	"        at: {type: string, format: date-time}\n"
	"    sending_held:\n"
	"      type: object\n"
	"      required: [realm, prefix, sends, verified, percent, until, at]\n"
	"      properties:\n"
	"        realm: {type: string}\n"
	"        prefix: {type: string}\n"
	"        sends: {type: integer}\n"
	"        verified: {type: integer}\n"
	"        percent: {type: integer}\n"
	"        until: {type: string, format: date-time}\n"
	"        at: {type: string, format: date-time}\n"
	"    sending_released:\n"
	"      type: object\n"
	"      required: [realm, prefix, at]\n"
	"      properties:\n"
	"        realm: {type: string}\n"
	"        prefix: {type: string}\n"
	"        at: {type: string, format: date-time}\n";

static void print_asyncapi(const struct listed *dialects, size_t count)
{
	struct strbuf out = STRBUF_INIT(PAGE_MAX);
	strbuf_add_text(&out, head);
	add_channel(&out, "signup", "enroll.signup", "Requests that hash a password.");
	each_route(&out, dialects, count, true, add_reference);
	add_channel(&out, "otp", "enroll.otp", "All other requests.");
	each_route(&out, dialects, count, false, add_reference);
	strbuf_add_text(&out, outputs);
	each_route(&out, dialects, count, true, add_message);
	each_route(&out, dialects, count, false, add_message);
	strbuf_add_text(&out, schemas);
	command_print(&out);
}

int command_schema(const struct invocation *invocation)
{
	struct listed dialects[DIALECTS_MAX] = {0};
	struct arena *arena;
	size_t count = 0;
	int status = EX_OK;
	if (invocation->argc == 0 || invocation->argc > DIALECTS_MAX || (!invocation->yaml && invocation->argc != 1))
		return command_misuse(invocation, "schema", "takes one dialect, or several with --yaml");
	arena = arena_create(4096);
	json_setup();
	while (status == EX_OK && count < (size_t)invocation->argc) {
		status = load(invocation, invocation->argv[count], arena, &dialects[count]);
		count++;
	}
	if (status == EX_OK && invocation->yaml) {
		print_asyncapi(dialects, count);
	} else if (status == EX_OK) {
		struct strbuf out = STRBUF_INIT(PAGE_MAX);
		dialect_schema(dialects[0].set, dialects[0].name, &out);
		strbuf_add_char(&out, '\n');
		command_print(&out);
	}
	for (size_t i = 0; i < count; i++)
		dialect_set_destroy(dialects[i].set);
	arena_destroy(arena);
	return status;
}
