// SPDX-License-Identifier: Apache-2.0
// What every libcurl handle of the courier has in common.
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "enrolld/base/attr.h"

// Starts the library with memory that is wiped when it is given back. Once, before anything else of it.
CURLcode curl_memory_init(void);

// Starts the library on the first call (thread-safe). A handle without signals, environment or verbose output. NULL if there is no memory.
CURL *curl_setup_easy(void) ATTR_MUST_USE;

// TLS 1.2 or later, certificate and host name checked, against ca_file or else the system's authorities.
bool curl_setup_tls(CURL *easy, const char *ca_file) ATTR_MUST_USE;

// A write callback that keeps nothing.
size_t curl_setup_discard(char *data, size_t size, size_t count, void *ctx);

// What went wrong, for a fault: libcurl's own words where they name hosts and certificates only, else its general ones, since the others may
// quote the other side. buffer: the handle's CURLOPT_ERRORBUFFER.
const char *curl_setup_error(CURLcode code, const char *buffer) ATTR_MUST_USE;
