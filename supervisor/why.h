/* A refusal in words: what is wrong, with its inputs, and what to do. Pure. */
#ifndef WARREN_SUPERVISOR_WHY_H
#define WARREN_SUPERVISOR_WHY_H

#include <stdbool.h>

enum { WHY_TEXT = 700 };
struct why {
	char text[WHY_TEXT];
};

/* Writes the sentence and returns false, so that `return refuse(why, …)` reads as what it is. */
bool refuse(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same as it may stand between quotes in a log line. */
const char *quotable(struct why *why);

#endif
