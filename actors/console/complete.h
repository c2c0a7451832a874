/* What may come next on a command line: from the tables of commands, calls, actors and reasons, and from the
 * machine's sockets. */
#ifndef WARREN_CONSOLE_COMPLETE_H
#define WARREN_CONSOLE_COMPLETE_H

#include <stdbool.h>

enum { CANDIDATES_MAX = 1024, CANDIDATE_TEXT = 80 };

struct candidates {
	char all[CANDIDATES_MAX][CANDIDATE_TEXT]; /* sorted, each once */
	unsigned count;
};

/* `words` are those before the one that is being typed, without "warren"; `prefix` is what there is of that one. `root` may be
 * NULL: then no node is known. */
void complete(struct candidates *candidates, const char *const *words, unsigned count, const char *prefix, const char *root);

#endif
