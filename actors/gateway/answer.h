/* What a client is told: complaints as JSON, and the header fields that every answer carries. */
#ifndef WARREN_GATEWAY_ANSWER_H
#define WARREN_GATEWAY_ANSWER_H

#include "proto/err.h"

#include <microhttpd.h>
#include <stddef.h>

/* A refusal or a failure: {"error": code, "message": text}. */
struct complaint {
	unsigned status;     /* 0: there is none */
	const char *code;    /* "STORAGE_FULL" */
	const char *allow;   /* of a 405; else NULL */
	unsigned retry_s;    /* Retry-After; 0: not sent */
	char text[256];	     /* a sentence */
};

/* `code` names the status when it is NULL. */
struct complaint complaint_make(unsigned status, const char *code, const char *text);
struct complaint complaint_of(enum err err); /* how an error of proto/err.h looks from outside */

/* A response of JSON text, which it takes over and frees. Never NULL. */
struct MHD_Response *answer_json(char *text);
struct MHD_Response *answer_text(char *text, const char *type); /* the same of another type */
struct MHD_Response *answer_complaint(const struct complaint *complaint);

void answer_header(struct MHD_Response *response, const char *name, const char *value);

/* The same complaint as the bytes of a whole response that closes the connection, for when the library has no moment in which
 * it would send one. Returns their count. */
enum { ANSWER_RAW = 1024 };
size_t answer_raw(const struct complaint *complaint, char bytes[ANSWER_RAW]);

#endif
