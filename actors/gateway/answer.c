/* Answers that are not blobs. Runs in gateway@N; pure but for the clock in answer_raw(). */
#include "actors/gateway/answer.h"

#include "actors/base/log/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *code_of_status(unsigned status)
{
	switch (status) {
	case MHD_HTTP_BAD_REQUEST:
		return "BAD_REQUEST";
	case MHD_HTTP_NOT_FOUND:
		return "NOT_FOUND";
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		return "METHOD_NOT_ALLOWED";
	case MHD_HTTP_REQUEST_TIMEOUT:
		return "TOO_SLOW";
	case MHD_HTTP_LENGTH_REQUIRED:
		return "LENGTH_REQUIRED";
	case MHD_HTTP_PRECONDITION_FAILED:
		return "PRECONDITION_FAILED";
	case MHD_HTTP_RANGE_NOT_SATISFIABLE:
		return "RANGE_NOT_SATISFIABLE";
	case MHD_HTTP_TOO_MANY_REQUESTS:
		return "TOO_MANY_REQUESTS";
	case MHD_HTTP_EXPECTATION_FAILED:
		return "EXPECTATION_FAILED";
	case MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED:
		return "HTTP_VERSION_NOT_SUPPORTED";
	}
	bug("a status without a code");
}

struct complaint complaint_make(unsigned status, const char *code, const char *text)
{
	struct complaint complaint = {.status = status, .code = code ? code : code_of_status(status)};
	snprintf(complaint.text, sizeof complaint.text, "%s", text);
	return complaint;
}

static struct complaint later(enum err err, const char *code)
{
	struct complaint complaint = complaint_make(MHD_HTTP_SERVICE_UNAVAILABLE, code, err_sentence(err));
	complaint.retry_s = 1;
	return complaint;
}

struct complaint complaint_of(enum err err)
{
	const char *sentence = err_sentence(err);
	switch (err) {
	case ERR_NOT_FOUND:
		return complaint_make(MHD_HTTP_NOT_FOUND, "NOT_FOUND", sentence);
	case ERR_BAD_CID:
		return complaint_make(MHD_HTTP_BAD_REQUEST, "BAD_CID", sentence);
	case ERR_TOO_LARGE:
		return complaint_make(MHD_HTTP_CONTENT_TOO_LARGE, "TOO_LARGE", sentence);
	case ERR_FULL:
		return complaint_make(MHD_HTTP_INSUFFICIENT_STORAGE, "STORAGE_FULL", sentence);
	case ERR_WRONG_SHARD:
		return complaint_make(MHD_HTTP_MISDIRECTED_REQUEST, "WRONG_SHARD", sentence);
	case ERR_TRUNCATED:
	case ERR_ABORTED:
		return complaint_make(MHD_HTTP_BAD_REQUEST, "TRUNCATED", sentence);
	case ERR_CORRUPT:
		return complaint_make(MHD_HTTP_INTERNAL_SERVER_ERROR, "CORRUPT", sentence);
	case ERR_DISK: /* full, or read-only: the store takes puts again by itself once that is mended */
		return later(err, "DISK");
	case ERR_BUSY:
	case ERR_MEMORY:
		return later(err, "BUSY");
	case ERR_GONE:
	case ERR_LATE:
		return later(err, "STORE_GONE");
	case ERR_UNAVAILABLE:
	case ERR_NOT_READY:
	case ERR_LOCKED:
		return later(err, "UNAVAILABLE");
	case ERR_OK:
	case ERR_KEPT:
	case ERR_DENIED:
	case ERR_MALFORMED:
	case ERR_UNKNOWN_CALL:
	case ERR_FINGERPRINT:
	case ERR_BAD_VALUE:
	case ERR_BAD_TICKET:
	case ERR_REFUSED:
		break;
	}
	return complaint_make(MHD_HTTP_INTERNAL_SERVER_ERROR, "INTERNAL",
			      "the store gave an answer that makes no sense");
}

void answer_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		bug("MHD_add_response_header");
}

struct MHD_Response *answer_json(char *text)
{
	return answer_text(text, "application/json");
}

struct MHD_Response *answer_text(char *text, const char *type)
{
	if (!text)
		bug("jansson");
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		bug("MHD_create_response_from_buffer");
	answer_header(response, "Content-Type", type);
	answer_header(response, "X-Content-Type-Options", "nosniff");
	answer_header(response, "Cache-Control", "no-store");
	return response;
}

static char *complaint_json(const struct complaint *complaint)
{
	json_t *object = json_pack("{s:s, s:s}", "error", complaint->code, "message", complaint->text);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

struct MHD_Response *answer_complaint(const struct complaint *complaint)
{
	struct MHD_Response *response = answer_json(complaint_json(complaint));
	if (complaint->allow)
		answer_header(response, "Allow", complaint->allow);
	if (complaint->retry_s) {
		char seconds[16];
		snprintf(seconds, sizeof seconds, "%u", complaint->retry_s);
		answer_header(response, "Retry-After", seconds);
	}
	return response;
}

size_t answer_raw(const struct complaint *complaint, char bytes[ANSWER_RAW])
{
	char *json = complaint_json(complaint), date[64], retry[40] = "";
	if (!json)
		bug("jansson");
	time_t now = time(NULL);
	struct tm utc;
	/* The C locale's names of days and months are those of RFC 9110, and no locale is ever set here. */
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
	if (complaint->retry_s)
		snprintf(retry, sizeof retry, "Retry-After: %u\r\n", complaint->retry_s);
	int length = snprintf(
		bytes, ANSWER_RAW,
		"HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
		"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n%sContent-Length: "
		"%zu\r\n\r\n%s",
		complaint->status, MHD_get_reason_phrase_for(complaint->status), date, retry, strlen(json),
		json);
	free(json);
	bug_if(length < 0 || length >= ANSWER_RAW);
	return (size_t)length;
}
