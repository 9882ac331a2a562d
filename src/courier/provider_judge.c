// SPDX-License-Identifier: Apache-2.0
// What a provider's answer means, by the rules of its file; and what none means.
#include <inttypes.h>
#include <stdio.h>

#include "courier/provider_private.h"
#include "enrolld/doc/json.h"

#define ARENA_BLOCK ((size_t)4 << 10)
#define NUMBER_SIZE 24

// A scalar as text, numbers as JSON writes them; absent for all else.
static struct slice scalar_text(const struct node *node, char out[static NUMBER_SIZE])
{
	if (node_is(node, NODE_TEXT))
		return node->text;
	if (node_is(node, NODE_INT))
		(void)snprintf(out, NUMBER_SIZE, "%" PRId64, node->integer);
	else if (node_is(node, NODE_BOOL))
		(void)snprintf(out, NUMBER_SIZE, "%s", node->boolean ? "true" : "false");
	else
		return SLICE_ABSENT;
	return slice_of(out);
}

static bool status_fits(const struct answer_rule *rule, int status)
{
	for (size_t i = 0; i < rule->status_count; i++) {
		if (status >= rule->status[i].from && status <= rule->status[i].to)
			return true;
	}
	return false;
}

// The rule's word that the answer has at its pointer; absent: another or nothing.
static struct slice word_that_fits(const struct answer_rule *rule, const struct node *root)
{
	char number[NUMBER_SIZE];
	struct slice text = scalar_text(node_at(root, rule->pointer), number);
	for (size_t i = 0; i < rule->word_count && !slice_is_absent(text); i++) {
		if (slice_equal(rule->words[i], text))
			return rule->words[i];
	}
	return SLICE_ABSENT;
}

static enum provider_then decide(const struct provider *p, const struct exchange *e, const struct node *root, struct slice *word)
{
	for (size_t i = 0; i < p->answer_count; i++) {
		const struct answer_rule *rule = &p->answers[i];
		if (!status_fits(rule, e->status))
			continue;
		*word = slice_is_absent(rule->pointer) ? SLICE_ABSENT : word_that_fits(rule, root);
		if (slice_is_absent(rule->pointer) || !slice_is_absent(*word))
			return rule->then;
	}
	// Nothing in the file: redirects are never followed, so the address is wrong; all else by class.
	return e->status / 100 == 3 ? THEN_AWAY : e->status / 100 == 4 ? THEN_REFUSED : THEN_UNSURE;
}

static void read_id(const struct provider *p, const struct exchange *e, const struct node *root, char *out, size_t size)
{
	if (p->id_header) {
		handover_copy(out, size, slice_of(e->id_header));
		return;
	}
	for (size_t i = 0; i < p->id_pointer_count; i++) {
		char number[NUMBER_SIZE];
		struct slice text = scalar_text(node_at(root, p->id_pointers[i]), number);
		if (text.len > 0) {
			handover_copy(out, size, text);
			return;
		}
	}
}

static void set_kind(struct handover *h, enum handover_kind kind)
{
	static const enum reason reasons[] = {
		[HANDOVER_ACCEPTED] = REASON_OK,
		[HANDOVER_DEFERRED] = REASON_DELIVERY_DEFERRED,
		[HANDOVER_REFUSED] = REASON_DELIVERY_REFUSED,
		[HANDOVER_UNKNOWN] = REASON_DELIVERY_UNKNOWN,
		[HANDOVER_AWAY] = REASON_DELIVERY_UNREACHABLE,
	};
	h->kind = kind;
	if (kind != HANDOVER_ACCEPTED)
		fault_set(&h->fault, reasons[kind], "the provider answered %s", h->code);
}

static void judge_answer(const struct provider *p, const struct exchange *e, struct handover *h)
{
	struct arena *arena = arena_create(ARENA_BLOCK);
	const struct node *root = NULL;
	if (e->body.len > 0 && json_parse(strbuf_slice(&e->body), JSON_LIMITS_DEFAULT, arena, &root, NULL) != REASON_OK)
		root = NULL;
	struct slice word = SLICE_ABSENT;
	enum provider_then then = decide(p, e, root, &word);
	char code[HANDOVER_CODE_SIZE];
	(void)snprintf(code, sizeof(code), word.len ? "%d %.20s" : "%d", e->status, word.len ? word.ptr : "");
	handover_copy(h->code, sizeof(h->code), slice_of(code));
	h->answered = then != THEN_AWAY && then != THEN_UNSURE;
	h->refused_us = then == THEN_AWAY;
	h->retry_after_ms = e->retry_after_ms;
	switch (then) {
	case THEN_ACCEPTED:
		set_kind(h, HANDOVER_ACCEPTED);
		read_id(p, e, root, h->remote_id, sizeof(h->remote_id));
		break;
	case THEN_DEFERRED:
		set_kind(h, HANDOVER_DEFERRED);
		h->busy = e->status == 429 || e->status == 503;
		break;
	case THEN_REFUSED: set_kind(h, HANDOVER_REFUSED); break;
	case THEN_UNSURE: set_kind(h, p->idempotent ? HANDOVER_DEFERRED : HANDOVER_UNKNOWN); break;
	case THEN_AWAY: set_kind(h, HANDOVER_AWAY); break;
	}
	arena_destroy(arena);
}

void provider_judge(const struct provider *p, const struct exchange *e, struct handover *h)
{
	*h = (struct handover){.kind = HANDOVER_AWAY};
	if (e->status >= 200) {
		judge_answer(p, e, h);
	} else if (e->aborted == EXCHANGE_ABORTED_GATE || (e->aborted == EXCHANGE_ABORTED_STOP && !e->begun)) {
		h->kind = HANDOVER_HELD;
		fault_set(&h->fault, REASON_STOPPING, "not sent");
	} else if (e->ended) {
		h->kind = p->idempotent ? HANDOVER_DEFERRED : HANDOVER_UNKNOWN;
		handover_copy(h->code, sizeof(h->code), SLICE_LIT("no_answer"));
		fault_set(&h->fault, p->idempotent ? REASON_DELIVERY_DEFERRED : REASON_DELIVERY_UNKNOWN,
			  "no answer to the message: %s", e->error);
	} else if (e->begun) {
		// A request whose body is shorter than announced is incomplete and not acted on (RFC 9112 section 8).
		h->kind = HANDOVER_DEFERRED;
		handover_copy(h->code, sizeof(h->code), SLICE_LIT("link_broke"));
		fault_set(&h->fault, REASON_DELIVERY_DEFERRED, "the link broke before the end of the message: %s", e->error);
	} else {
		fault_set(&h->fault, REASON_DELIVERY_UNREACHABLE, "%s", e->error);
	}
}
