// SPDX-License-Identifier: Apache-2.0
// enrolld version: what this build is and what it runs on.
#include "enrolld/version.h"

#include <gnu/libc-version.h>
#include <microhttpd.h>
#include <stdio.h>
#include <sysexits.h>

#include "app/command.h"
#include "enrolld/courier/courier.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/doc/node.h"
#include "enrolld/kafka/admin.h"
#include "enrolld/rules/rules.h"
#include "enrolld/store/schema.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static const char *hardening(void)
{
#if defined(__OPTIMIZE__) && defined(_FORTIFY_SOURCE)
	return "fortified";
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return "with sanitizers";
#else
	return "not fortified";
#endif
}

static void libraries(struct strbuf *out)
{
	static void (*const modules[])(struct strbuf *) = {
		kafka_libraries, store_libraries, courier_libraries, crypto_libraries, doc_libraries, rules_libraries,
	};
	for (size_t i = 0; i < ARRAY_LEN(modules); i++)
		modules[i](out);
	strbuf_printf(out, "libmicrohttpd %s\n", MHD_get_version());
	strbuf_printf(out, "glibc %s\n", gnu_get_libc_version());
}

int command_version(const struct invocation *invocation)
{
	struct strbuf text = STRBUF_INIT(8192);
	strbuf_printf(&text, "enrolld %s\n", ENROLLD_VERSION);
	if (invocation->verbose) {
		strbuf_printf(&text, "commit %s\ncompiler %s, %s\ndatabase schema %d\ndata %s\n", ENROLLD_COMMIT, COMPILER,
			      hardening(), SCHEMA_VERSION, ENROLLD_DATADIR);
		libraries(&text);
	}
	command_print(&text);
	return EX_OK;
}
