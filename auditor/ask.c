/* HTTP by libcurl. The other side may be hostile: time, size, protocols and redirects are bounded. */
#include "auditor/ask.h"

#include "actors/base/proof/proof_json.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct answer *answer = context;
	size_t length = size * count;
	if (length > PROOF_JSON - answer->length)
		return 0;
	char *grown = realloc(answer->body, answer->length + length + 1);
	if (!grown)
		return 0;
	memcpy(grown + answer->length, bytes, length);
	answer->body = grown;
	answer->length += length;
	grown[answer->length] = '\0';
	return length;
}

static CURLcode setup(CURL *easy, const char *url, const char *json, struct curl_slist *headers,
		      struct answer *answer)
{
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_URL, url);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ASK_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "warren-auditor");
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	if (!json)
		return bad;
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	bad |= curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, json);
	return bad;
}

void ask(const char *url, const char *json, struct answer *answer)
{
	*answer = (struct answer){0};
	CURL *easy = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURLcode end = easy && headers ? setup(easy, url, json, headers, answer) : CURLE_OUT_OF_MEMORY;
	if (end == CURLE_OK)
		end = curl_easy_perform(easy);
	if (end == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
	else
		snprintf(answer->why, sizeof answer->why, "%s", curl_easy_strerror(end));
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
}

void answer_end(struct answer *answer)
{
	free(answer->body);
	*answer = (struct answer){0};
}
