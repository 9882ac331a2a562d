// SPDX-License-Identifier: Apache-2.0
// The page at /: plain HTML that reloads itself, no script, nothing from elsewhere.
#include "app/page.h"

#include "enrolld/base/metric.h"
#include "enrolld/flow/flow.h"
#include "enrolld/version.h"

static const char head[] =
	"<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>"
	"<meta name=viewport content='width=device-width'><title>enrolld</title><style>"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}"
	"h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}"
	"td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}td.n,th.n{text-align:right;"
	"font-variant-numeric:tabular-nums}.ok{color:#176b2c}.no{color:#a4161a}pre{background:#f5f5f5;padding:.6rem}"
	"@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}td,th{border-color:#333}pre{background:#222}"
	".ok{color:#7ddc91}.no{color:#ff8087}}</style>";

static void escaped(struct strbuf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.ptr[i]) {
		case '<': strbuf_add_text(out, "&lt;"); break;
		case '&': strbuf_add_text(out, "&amp;"); break;
		default: strbuf_add_char(out, text.ptr[i]);
		}
	}
}

static void lane_row(struct strbuf *out, const char *lane)
{
	struct metric_labels label = METRIC_LABELS(lane);
	strbuf_printf(out, "<tr><td>%s<td class=n>%.0f<td class=n>%.0f<td class=n>%.0f<td class=n>%.1f s<td class=n>%.0f", lane,
		      metric_read(METRIC_records, label), metric_read(METRIC_window_records, label),
		      metric_read(METRIC_lag_records, label), metric_read(METRIC_oldest_seconds, label),
		      metric_read(METRIC_partitions, METRIC_LABELS(lane, "running")));
	double paused = metric_read(METRIC_partitions, METRIC_LABELS(lane, "paused"));
	if (paused > 0)
		strbuf_printf(out, " <span class=no>(%.0f paused)</span>", paused);
}

static void message_row(struct strbuf *out, const char *channel)
{
	static const char *const states[] = {"accepted", "deferred", "refused", "unknown", "expired"};
	strbuf_printf(out, "<tr><td>%s<td class=n>%.0f", channel, metric_read(METRIC_messages_waiting, METRIC_LABELS(channel)));
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		strbuf_printf(out, "<td class=n>%.0f", metric_read(METRIC_messages, METRIC_LABELS(channel, states[i])));
}

void page_write(const char *instance, bool ready, struct slice why, struct strbuf *out)
{
	strbuf_add_text(out, head);
	strbuf_add_text(out, "<h1>enrolld ");
	escaped(out, slice_of(instance));
	strbuf_printf(out, "</h1><p class=%s>%s</p>", ready ? "ok" : "no",
		      ready ? "Ready: every lane has its partitions, PostgreSQL, Kafka and the mail and text providers answer."
			    : "Not ready:");
	if (!ready) {
		strbuf_add_text(out, "<pre>");
		escaped(out, why);
		strbuf_add_text(out, "</pre>");
	}
	strbuf_add_text(
		out, "<h2>Lanes</h2><table><tr><th>lane<th class=n>records read<th class=n>in hand<th class=n>lag<th class=n>oldest"
		     "<th class=n>partitions");
	for (int i = 0; i < LANE_COUNT; i++)
		lane_row(out, lane_kind_name((enum lane_kind)i));
	strbuf_printf(out, "</table><h2>Hashing</h2><p>%.0f of %.0f threads busy, %.0f hashes made.</p>",
		      metric_read(METRIC_hash_busy, METRIC_NO_LABELS), metric_read(METRIC_hash_threads, METRIC_NO_LABELS),
		      metric_read(METRIC_hash_seconds, METRIC_NO_LABELS));
	strbuf_add_text(
		out,
		"<h2>Messages</h2><table><tr><th>channel<th class=n>waiting<th class=n>accepted<th class=n>deferred<th class=n>refused"
		"<th class=n>unknown<th class=n>expired");
	message_row(out, "email");
	message_row(out, "sms");
	strbuf_add_text(
		out,
		"</table><p><a href=/metrics>metrics</a> · <a href=/readyz>readiness</a> · <a href=/healthz>health</a> · version " ENROLLD_VERSION
		"</p></html>");
}
