// SPDX-License-Identifier: Apache-2.0
// enrolld: the program.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sysexits.h>

#include "app/command.h"

int main(int argc, char **argv)
{
	int status = command_main(argc, argv);
	// A full disk behind a redirection must not look like success; a stdout that was never open, and never used, may.
	bool unsaid = __fpending(stdout) > 0, lost = ferror(stdout) != 0;
	if (fclose(stdout) != 0 && (unsaid || errno != EBADF))
		lost = true;
	if (lost)
		fprintf(stderr, "enrolld: not all of the output could be written to stdout\n");
	return lost && status == EX_OK ? EX_IOERR : status;
}
