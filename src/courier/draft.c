// SPDX-License-Identifier: Apache-2.0
// Writing a message from its row.
#include "courier/draft.h"

#include "courier/address.h"
#include "enrolld/base/secret.h"
#include "enrolld/crypto/seal.h"
#include "enrolld/model/code.h"

#define LINK_BYTES_MAX 2048

static enum reason open_payload(const struct parts *parts, const struct message_lease *lease, struct arena *arena,
				struct payload *payload, struct fault *f)
{
	char id[UUID_TEXT_SIZE];
	uuid_format(&lease->message_id, id);
	struct slice plain;
	enum reason reason = seal_open(parts->keys, slice_of(id), lease->sealed, arena, &plain, f);
	if (reason == REASON_OK)
		reason = payload_read(plain, arena, payload, f);
	if (reason != REASON_OK)
		return reason;
	bool mail = strcmp(lease->channel, channel_name(CHANNEL_MAIL)) == 0;
	if (mail ? !address_is_mail(payload->recipient) : !address_is_phone(payload->recipient))
		return fault_set(f, REASON_DELIVERY_REFUSED, "the recipient is not an address of this channel");
	return REASON_OK;
}

// Where the frontend leads, or the deployment.
static void write_link(const struct parts *parts, const struct message_lease *lease, const struct payload *payload,
		       struct strbuf *link)
{
	char token[TOKEN_TEXT_SIZE], hex[CODE_TOKEN_HEX_SIZE];
	code_link_token(parts->keys, lease->purpose, lease->realm, &lease->seed, token);
	code_token_hex(token, hex);
	struct slice shown = slice_of(payload->hex ? hex : token);
	const struct template_value values[] = {
		{.name = "token", .kind = TEMPLATE_TEXT, .text = shown},
		{.name = "realm", .kind = TEMPLATE_TEXT, .text = lease->realm},
		{.name = "purpose", .kind = TEMPLATE_TEXT, .text = lease->purpose},
		{0},
	};
	if (!slice_is_absent(payload->link)) {
		strbuf_add_slice(link, payload->link);
		strbuf_add_slice(link, shown);
		strbuf_add_slice(link, payload->link_end);
	} else if (parts->link) {
		template_render(parts->link, values, link);
	}
	secret_wipe(token, sizeof(token));
	secret_wipe(hex, sizeof(hex));
}

static enum reason write_words(const struct parts *parts, const struct message_lease *lease, const struct wording *wording,
			       struct draft *draft, struct fault *f)
{
	char code[CODE_TEXT_SIZE] = "";
	bool challenges = lease->purpose.len > 0; // else it only tells something
	struct strbuf link = STRBUF_INIT(LINK_BYTES_MAX);
	const struct payload *p = &draft->payload;
	if (challenges) {
		code_derive(parts->keys, lease->purpose, lease->realm, &lease->seed, &lease->form, code);
		write_link(parts, lease, p, &link);
	}
	const struct wording_values values = {
		.brand = slice_of(parts->conf->brand),
		.code = challenges ? slice_of(code) : SLICE_ABSENT,
		.name = address_is_greetable(p->name) ? p->name : SLICE_ABSENT,
		.link = link.len > 0 ? strbuf_slice(&link) : SLICE_ABSENT,
		.life_ms = lease->expires_in_ms,
	};
	enum reason reason = wording_render(wording, p->locale, parts->conf->default_locale, &values, &draft->words, f);
	if (reason == REASON_OK && strbuf_overflowed(&link))
		reason = fault_set(f, REASON_DELIVERY_REFUSED, "the link is longer than %d bytes", LINK_BYTES_MAX);
	strbuf_free(&link);
	secret_wipe(code, sizeof(code));
	return reason;
}

enum reason draft_write(const struct parts *parts, const struct message_lease *lease, struct arena *arena, struct draft *draft,
			struct fault *f)
{
	if (lease->superseded)
		return fault_set(f, REASON_CODE_SUPERSEDED, "a newer code has taken the place of the one that it carries");
	const struct wording *wording = wordings_find(parts->wordings, lease->template_name);
	if (!wording)
		return fault_set(f, REASON_DIALECT_INVALID, "there are no words for messages of this kind; see courier.messages");
	if (lease->purpose.len > 0 && !keyring_has(parts->keys, lease->seed.epoch))
		return fault_set(f, REASON_KEYS_INVALID, "the key epoch %u of the message is not in the key ring",
				 lease->seed.epoch);
	enum reason reason = open_payload(parts, lease, arena, &draft->payload, f);
	return reason == REASON_OK ? write_words(parts, lease, wording, draft, f) : reason;
}

void draft_free(struct draft *draft)
{
	wording_text_free(&draft->words);
	draft->payload = (struct payload){0};
}

enum reason draft_compile_link(const char *link_url, struct arena *arena, const struct template **link, struct fault *f)
{
	static const char *const names[] = {"token", "realm", "purpose"};
	enum reason reason = template_compile_text(slice_of(link_url), TEMPLATE_URL, "courier.link_url", arena, link, f);
	if (reason == REASON_OK)
		reason = template_check_names(*link, names, ARRAY_LEN(names), f);
	return reason == REASON_OK ? REASON_OK
				   : fault_set(f, REASON_SETTING_INVALID,
					       "courier.link_url: the places are {{token}}, {{realm}} and {{purpose}}");
}
