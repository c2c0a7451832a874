/* Asks a person, or a pipe, for one secret line. */
#ifndef WARREN_PROMPT_H
#define WARREN_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

enum { PROMPT_MOST = 1024 }; /* bytes of a line, with its NUL */

enum prompt_end {
	PROMPT_OK,
	PROMPT_NOTHING, /* the end of input, or an empty line */
	PROMPT_LONG,    /* more than fits */
	PROMPT_STOPPED, /* Ctrl-C */
};
const char *prompt_sentence(enum prompt_end end);

/* Reads one line from `in` into `line` of `room` bytes, without its end and ended by NUL; on a terminal the question is put to
 * `out` and nothing is shown. Whatever is not PROMPT_OK leaves `line` wiped. The caller keeps `line` in secret memory. */
enum prompt_end prompt_secret(int in, int out, const char *question, char *line, size_t room);

bool prompt_is_terminal(int in);

#endif
