// SPDX-License-Identifier: Apache-2.0
// The codes of a backlog of code requests, so that they can be tried: from=dsn keys=file out=file. They are derived as the worker does, since
// that so many texts arrive is not what is measured; that what arrives is what is accepted is shown by other tests.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "enrolld/model/code.h"
#include "rows.h"

// In the order of the columns.
enum { NUMBER, PURPOSE, REALM, NONCE, EPOCH, SERIAL, LENGTH, ALPHABET };

static long number_at(const PGresult *rows, int row, int column)
{
	return strtol(PQgetvalue(rows, row, column), NULL, 10);
}

static void derive(const struct keyring *keys, const PGresult *rows, int row, FILE *out)
{
	size_t size = 0;
	unsigned char *nonce = PQunescapeBytea((const unsigned char *)PQgetvalue(rows, row, NONCE), &size);
	if (!nonce || size != NONCE_SIZE)
		die("a nonce has %zu bytes", size);
	struct code_seed seed = {.epoch = (uint16_t)number_at(rows, row, EPOCH), .serial = (uint32_t)number_at(rows, row, SERIAL)};
	struct code_form form = {(unsigned)number_at(rows, row, LENGTH),
				 code_alphabet_find(slice_of(PQgetvalue(rows, row, ALPHABET)))};
	char code[CODE_TEXT_SIZE];
	memcpy(seed.nonce.bytes, nonce, NONCE_SIZE);
	PQfreemem(nonce);
	code_derive(keys, slice_of(PQgetvalue(rows, row, PURPOSE)), slice_of(PQgetvalue(rows, row, REALM)), &seed, &form, code);
	fprintf(out, "%s %s\n", PQgetvalue(rows, row, NUMBER), code);
}

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	struct fault f;
	struct keyring *keys;
	if (crypto_setup(&f) != REASON_OK || keyring_load(args_text(&args, "keys", NULL), &keys, &f) != REASON_OK)
		die("%s", f.detail);
	PGconn *conn = rows_connect(args_text(&args, "from", NULL));
	PGresult *rows = rows_ask(
		conn, "SELECT right(claim_value, 8)::bigint, purpose, realm, nonce, key_epoch, serial, length, alphabet "
		      "FROM enrolld.challenge WHERE claim_kind = 'phone' ORDER BY 1");
	const char *path = args_text(&args, "out", NULL);
	FILE *out = fopen(path, "w");
	if (!out)
		die("%s cannot be written", path);
	for (int i = 0; i < PQntuples(rows); i++)
		derive(keys, rows, i, out);
	if (fclose(out) != 0)
		die("%s could not be written", path);
	printf("{\"codes\": %d}\n", PQntuples(rows));
	PQclear(rows);
	PQfinish(conn);
	keyring_destroy(keys);
	return 0;
}
