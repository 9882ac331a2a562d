// SPDX-License-Identifier: Apache-2.0
// URLs of mail servers and providers.
#include "courier/endpoint.h"

#include <curl/curl.h>

#include "courier/address.h"

bool endpoint_is_host(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !strchr(".-[]:", c))
			return false;
	}
	return text.len > 0 && text.len <= 253 && text.ptr[0] != '-' && text.ptr[0] != '.';
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *value = NULL;
	bool there = curl_url_get(url, part, &value, 0) == CURLUE_OK;
	curl_free(value);
	return there;
}

static bool has_path(CURLU *url)
{
	char *path = NULL;
	bool there = curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK && strcmp(path, "/") != 0;
	curl_free(path);
	return there;
}

static enum reason check(CURLU *url, const char *text, const char *plain, const char *tls, struct endpoint *endpoint,
			 struct fault *f)
{
	char *scheme = NULL, *host = NULL;
	enum reason reason = REASON_OK;
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK || !endpoint_is_host(slice_of(host)))
		reason = fault_set(f, REASON_SETTING_INVALID, "not a URL of the form %s://host:port or %s://host:port", plain, tls);
	else if (strcmp(scheme, plain) != 0 && strcmp(scheme, tls) != 0)
		reason = fault_set(f, REASON_SETTING_INVALID, "must begin with %s:// or %s://", plain, tls);
	else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		reason = fault_set(f, REASON_SETTING_INVALID, "user and password have settings of their own");
	else if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT) || (plain[0] == 's' && has_path(url)))
		reason = fault_set(f, REASON_SETTING_INVALID, "nothing may follow the host and port%s",
				   plain[0] == 's' ? "" : " but a path");
	else
		*endpoint = (struct endpoint){.tls = strcmp(scheme, tls) == 0, .loopback = is_loopback(host)};
	curl_free(scheme);
	curl_free(host);
	return reason;
}

enum reason endpoint_parse(const char *text, const char *plain, const char *tls, struct endpoint *endpoint, struct fault *f)
{
	if (!address_is_one_line(slice_of(text)))
		return fault_set(f, REASON_SETTING_INVALID, "control characters are not allowed");
	CURLU *url = curl_url();
	if (!url)
		return fault_set(f, REASON_NO_MEMORY, "no memory");
	enum reason reason = check(url, text, plain, tls, endpoint, f);
	curl_url_cleanup(url);
	return reason;
}
