/* What is wrong with a configuration: every mistake, each with the place it is in, shown all at once. */
#ifndef WARREN_SUPERVISOR_MISTAKES_H
#define WARREN_SUPERVISOR_MISTAKES_H

#include <stdio.h>

enum { MISTAKES_MAX = 200 }; /* more are counted and not shown */

struct mistakes {
	char *lines[MISTAKES_MAX];
	unsigned count; /* all, also those that are not shown */
};

/* `line` 0: the whole file. */
void mistake(struct mistakes *mistakes, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

void mistakes_print(const struct mistakes *mistakes, FILE *to);
void mistakes_end(struct mistakes *mistakes);

#endif
