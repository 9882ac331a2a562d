// SPDX-License-Identifier: Apache-2.0
// An SQL statement. Each is a constant in the file of its table; its name is that of the prepared statement and all that a fault shows.
#pragma once

struct statement {
	const char *name;
	const char *sql; // schema-qualified throughout: search_path is empty
};
