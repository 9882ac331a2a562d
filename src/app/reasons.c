// SPDX-License-Identifier: Apache-2.0
// enrolld reasons: the words the worker speaks, printed from its tables: reason codes, rules, log events, metrics.
#include <string.h>
#include <sysexits.h>

#include "app/command.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/doc/json.h"
#include "enrolld/rules/rules.h"

#define COLUMNS 4
#define LINE_WIDTH 100
#define PAGE_LIMIT ((size_t)4 << 20)

struct page {
	const char *key; // in JSON
	const char *title;
	const char *intro;
	const char *columns[COLUMNS]; // the last one that is there holds the sentence
	// Fills the cells of the row at index; false past the end. Texts are constant or the arena's.
	bool (*row)(size_t index, struct arena *arena, const char *cells[COLUMNS]);
};

static bool reason_cells(size_t index, struct arena *arena, const char *cells[COLUMNS])
{
	(void)arena;
	if (index >= REASON_COUNT)
		return false;
	enum reason reason = (enum reason)index;
	cells[0] = reason_code(reason);
	cells[1] = verdict_name(reason_verdict(reason));
	cells[2] = reason_text(reason);
	return true;
}

static bool verdict_cells(size_t index, struct arena *arena, const char *cells[COLUMNS])
{
	static const char *const texts[] = {
		[VERDICT_DONE] = "Nothing is wrong.",
		[VERDICT_REFUSE] = "The request is at fault: it is answered and never tried again.",
		[VERDICT_BURY] = "The record cannot be answered, or spoils its batch: it goes to the dead letters, alone.",
		[VERDICT_RETRY] = "The world is at fault: the worker waits and tries again, and no request loses an attempt.",
		[VERDICT_HALT] = "Settings or program are at fault: the worker stops and says why.",
	};
	(void)arena;
	if (index >= ARRAY_LEN(texts))
		return false;
	cells[0] = verdict_name((enum verdict)index);
	cells[1] = texts[index];
	return true;
}

static bool rule_cells(size_t index, struct arena *arena, const char *cells[COLUMNS])
{
	struct rule_row row;
	(void)arena;
	if (!rule_row(index, &row))
		return false;
	cells[0] = row.name;
	cells[1] = row.code;
	cells[2] = row.whole ? "request" : "field";
	cells[3] = row.text;
	return true;
}

static bool event_cells(size_t index, struct arena *arena, const char *cells[COLUMNS])
{
	(void)arena;
	if (index >= EVENT_COUNT)
		return false;
	const struct log_event_row *row = log_event_row((enum log_event)index);
	cells[0] = row->name;
	cells[1] = log_level_name(row->level);
	cells[2] = row->text;
	return true;
}

static bool metric_cells(size_t index, struct arena *arena, const char *cells[COLUMNS])
{
	static const char *const kinds[] = {
		[METRIC_KIND_COUNTER] = "counter",
		[METRIC_KIND_GAUGE] = "gauge",
		[METRIC_KIND_SECONDS] = "histogram",
		[METRIC_KIND_SIZES] = "histogram",
	};
	if (index >= METRIC_COUNT)
		return false;
	const struct metric_row *row = metric_row((enum metric)index);
	cells[0] = arena_printf(arena, "enrolld_%s", row->name).ptr;
	cells[1] = kinds[row->kind];
	cells[2] = row->labels;
	cells[3] = row->text;
	return true;
}

static const struct page pages[] = {
	{"reasons",
	 "Reason codes",
	 "Why a request ended as it did, or why the worker waits or stops. Results, replies, dead letters, metrics and log lines carry the code.",
	 {"code", "verdict", "meaning"},
	 reason_cells},
	{"verdicts",
	 "Verdicts",
	 "What becomes of a request, or of the worker, for the reason's sake.",
	 {"verdict", "meaning"},
	 verdict_cells},
	{"rules",
	 "Rules of dialects",
	 "What a dialect can ask of a field or of the request as a whole. A dialect may give a rule another code and another text.",
	 {"rule", "code", "over", "meaning"},
	 rule_cells},
	{"events",
	 "Log events",
	 "The field \"event\" of a log line. Further fields carry ids, codes, counts and durations, never payloads, addresses or secrets; a line about a "
	 "fault has reason, verdict and detail.",
	 {"event", "level", "meaning"},
	 event_cells},
	{"metrics",
	 "Metrics",
	 "At /metrics of the admin endpoint, in the Prometheus text format. Times are in seconds.",
	 {"metric", "kind", "labels", "meaning"},
	 metric_cells},
};

static size_t column_count(const struct page *page)
{
	size_t n = 0;
	while (n < COLUMNS && page->columns[n])
		n++;
	return n;
}

static void add_wrapped(struct strbuf *out, const char *text)
{
	size_t column = 0;
	while (*text) {
		size_t n = strcspn(text, " ");
		if (column && column + 1 + n > LINE_WIDTH) {
			strbuf_add_char(out, '\n');
			column = 0;
		}
		strbuf_printf(out, "%s%.*s", column ? " " : "", (int)n, text);
		column += n + (column ? 1 : 0);
		text += n + strspn(text + n, " ");
	}
	strbuf_add_text(out, "\n\n");
}

static void write_text(const struct page *page, struct arena *arena, struct strbuf *out)
{
	size_t last = column_count(page) - 1;
	int width[COLUMNS] = {0};
	const char *cells[COLUMNS];
	for (size_t i = 0; page->row(i, arena, cells); i++)
		for (size_t c = 0; c < last; c++)
			if ((int)strlen(cells[c]) > width[c])
				width[c] = (int)strlen(cells[c]);
	strbuf_printf(out, "# %s\n\n", page->title);
	add_wrapped(out, page->intro);
	for (size_t i = 0; page->row(i, arena, cells); i++) {
		for (size_t c = 0; c < last; c++)
			strbuf_printf(out, "%-*s  ", width[c], cells[c]);
		strbuf_printf(out, "%s\n", cells[last]);
	}
	strbuf_add_char(out, '\n');
}

// In a table's cell a bar would end it.
static void add_cell(struct strbuf *out, const char *text, bool code)
{
	const char *mark = code && *text ? "`" : "";
	strbuf_printf(out, " %s", mark);
	for (; *text; text++) {
		if (*text == '|')
			strbuf_add_char(out, '\\');
		strbuf_add_char(out, *text);
	}
	strbuf_printf(out, "%s |", mark);
}

static void write_markdown(const struct page *page, struct arena *arena, struct strbuf *out)
{
	size_t count = column_count(page);
	const char *cells[COLUMNS];
	strbuf_printf(out, "## %s\n\n%s\n\n|", page->title, page->intro);
	for (size_t c = 0; c < count; c++)
		strbuf_printf(out, " %s |", page->columns[c]);
	strbuf_add_text(out, "\n|");
	for (size_t c = 0; c < count; c++)
		strbuf_add_text(out, "---|");
	for (size_t i = 0; page->row(i, arena, cells); i++) {
		strbuf_add_text(out, "\n|");
		for (size_t c = 0; c < count; c++)
			add_cell(out, cells[c],
				 c == 0 || strcmp(page->columns[c], "code") == 0 || strcmp(page->columns[c], "labels") == 0);
	}
	strbuf_add_text(out, "\n\n");
}

static void json_labels(struct json_writer *w, const char *labels)
{
	json_open_list(w);
	while (*labels) {
		size_t n = strcspn(labels, ",");
		json_text(w, (struct slice){labels, n});
		labels += n + (labels[n] == ',');
	}
	json_close_list(w);
}

static void write_json(const struct page *page, struct arena *arena, struct json_writer *w)
{
	size_t count = column_count(page);
	const char *cells[COLUMNS];
	json_key(w, page->key);
	json_open_list(w);
	for (size_t i = 0; page->row(i, arena, cells); i++) {
		json_open_map(w);
		for (size_t c = 0; c < count; c++) {
			json_key(w, page->columns[c]);
			if (strcmp(page->columns[c], "labels") == 0)
				json_labels(w, cells[c]);
			else
				json_text(w, slice_of(cells[c]));
		}
		json_close_map(w);
	}
	json_close_list(w);
}

int command_reasons(const struct invocation *invocation)
{
	if (invocation->json && invocation->markdown)
		return command_misuse(invocation, "reasons", "takes one of --json and --markdown");
	struct strbuf out = STRBUF_INIT(PAGE_LIMIT);
	struct arena *arena = arena_create(4096);
	struct json_writer w;
	if (invocation->json) {
		json_begin(&w, &out);
		json_open_map(&w);
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (invocation->json)
			write_json(&pages[i], arena, &w);
		else if (invocation->markdown)
			write_markdown(&pages[i], arena, &out);
		else
			write_text(&pages[i], arena, &out);
	}
	if (invocation->json) {
		json_close_map(&w);
		strbuf_add_char(&out, '\n');
	}
	arena_destroy(arena);
	command_print(&out);
	return EX_OK;
}
