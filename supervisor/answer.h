/* How a verb of `warrend` answers: words for people, or one JSON object with stable keys. */
#ifndef WARREN_SUPERVISOR_ANSWER_H
#define WARREN_SUPERVISOR_ANSWER_H

#include "supervisor/why.h"

#include <stdint.h>
#include <stdio.h>

/* A JSON text as it is written. Commas and escapes are its business; closing what was opened is the caller's. A NULL name is
 * for the elements of a list; a NULL text is null. */
struct json {
	FILE *to;
	bool comma;
};
void json_open(struct json *json, const char *name, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                  /* '}' or ']' */
void json_text(struct json *json, const char *name, const char *text);
void json_number(struct json *json, const char *name, uint64_t number);
void json_bool(struct json *json, const char *name, bool value);
void json_end(struct json *json); /* the line's end */

/* "refused: …" on stderr, or {"ok": false, "error": …, "rule": …, "why": …} on stdout. `rule` NULL: none. Returns 1. */
int answer_refused(bool json, const char *error, const char *rule, const struct why *why);

/* -- asking a person, where there is one ------------------------------------------------------------------------------- */

bool answer_asks(bool json); /* stdin and stderr are a terminal, and nobody wants JSON */

/* Writes the question and reads one line, without its end; "" is the offered `otherwise`. False at the end of the input. */
bool answer_ask(const char *question, const char *otherwise, char *line, size_t room);

#endif
