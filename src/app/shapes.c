// SPDX-License-Identifier: Apache-2.0
// enrolld shapes: how records may be written, printed from the table that reads them.
#include <string.h>
#include <sysexits.h>

#include "app/command.h"
#include "enrolld/doc/json.h"
#include "enrolld/intake/intake.h"

#define PAGE_LIMIT ((size_t)1 << 20)
#define COLUMNS 7

static const char *const columns[COLUMNS] = {"shape",      "records", "what is asked",           "body",
					     "request id", "replies", "what the gateway is told"};
static const char *const keys[COLUMNS] = {"shape", "text", "asks", "body", "request_id", "replies", "configure"};

static void cells_of(const struct shape_row *row, const char *cells[static COLUMNS])
{
	const char *const all[COLUMNS] = {row->name,       row->text,    row->asks,     row->body,
					  row->request_id, row->replies, row->configure};
	memcpy(cells, all, sizeof(all));
}

static void write_text(struct strbuf *out)
{
	struct shape_row row;
	const char *cells[COLUMNS];
	for (size_t i = 0; shape_row(i, &row); i++) {
		cells_of(&row, cells);
		strbuf_printf(out, "%s\n    %s\n", cells[0], cells[1]);
		for (size_t c = 2; c < COLUMNS; c++)
			strbuf_printf(out, "    %-25s %s\n", columns[c], *cells[c] ? cells[c] : "none");
		strbuf_add_char(out, '\n');
	}
}

// In a table's cell a bar would end it.
static void add_cell(struct strbuf *out, const char *text)
{
	strbuf_add_char(out, ' ');
	for (; *text; text++) {
		if (*text == '|')
			strbuf_add_char(out, '\\');
		strbuf_add_char(out, *text);
	}
	strbuf_add_text(out, " |");
}

// Two tables of some of the columns, so that lines stay readable.
static void write_table(struct strbuf *out, const size_t *which, size_t count)
{
	struct shape_row row;
	const char *cells[COLUMNS];
	strbuf_add_char(out, '|');
	for (size_t c = 0; c < count; c++)
		add_cell(out, columns[which[c]]);
	strbuf_add_text(out, "\n|");
	for (size_t c = 0; c < count; c++)
		strbuf_add_text(out, "---|");
	for (size_t i = 0; shape_row(i, &row); i++) {
		cells_of(&row, cells);
		strbuf_add_text(out, "\n|");
		for (size_t c = 0; c < count; c++) {
			if (which[c] == 0)
				strbuf_printf(out, " `%s` |", cells[0]);
			else
				add_cell(out, *cells[which[c]] ? cells[which[c]] : "none");
		}
	}
	strbuf_add_text(out, "\n\n");
}

static void write_json(struct strbuf *out)
{
	struct json_writer w;
	struct shape_row row;
	const char *cells[COLUMNS];
	json_begin(&w, out);
	json_open_list(&w);
	for (size_t i = 0; shape_row(i, &row); i++) {
		cells_of(&row, cells);
		json_open_map(&w);
		for (size_t c = 0; c < COLUMNS; c++)
			json_member_text(&w, keys[c], slice_of(cells[c]));
		json_close_map(&w);
	}
	json_close_list(&w);
	strbuf_add_char(out, '\n');
}

int command_shapes(const struct invocation *invocation)
{
	static const size_t read[] = {0, 1, 2, 3, 4, 5}, written[] = {0, 6};
	if (invocation->json && invocation->markdown)
		return command_misuse(invocation, "shapes", "takes one of --json and --markdown");
	struct strbuf out = STRBUF_INIT(PAGE_LIMIT);
	if (invocation->json) {
		write_json(&out);
	} else if (invocation->markdown) {
		write_table(&out, read, ARRAY_LEN(read));
		strbuf_add_text(&out, "Gateways acknowledge before the record is safe unless they are told otherwise:\n\n");
		write_table(&out, written, ARRAY_LEN(written));
	} else {
		write_text(&out);
	}
	command_print(&out);
	return EX_OK;
}
