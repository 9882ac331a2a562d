// SPDX-License-Identifier: Apache-2.0
// libcurl's start, and handles with safe defaults.
#include "courier/curl_setup.h"

#include <pthread.h>

static CURLcode started = CURLE_FAILED_INIT;

static void start(void)
{
	started = curl_memory_init();
}

CURL *curl_setup_easy(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (pthread_once(&once, start) != 0 || started != CURLE_OK)
		return NULL;
	CURL *easy = curl_easy_init();
	if (!easy)
		return NULL;
	if (curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK) {
		curl_easy_cleanup(easy);
		return NULL;
	}
	return easy;
}

bool curl_setup_tls(CURL *easy, const char *ca_file)
{
	bool good = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
		    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
		    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
	if (ca_file && ca_file[0])
		good = good && curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
	return good;
}

size_t curl_setup_discard(char *data, size_t size, size_t count, void *ctx)
{
	(void)data, (void)ctx;
	return size * count;
}

const char *curl_setup_error(CURLcode code, const char *buffer)
{
	bool ours = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_PEER_FAILED_VERIFICATION ||
		    code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
	return ours && buffer[0] ? buffer : curl_easy_strerror(code);
}
