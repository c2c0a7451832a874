/* What a person may have meant: the known names nearest to a word. Pure. */
#ifndef WARREN_CONSOLE_WORDS_H
#define WARREN_CONSOLE_WORDS_H

#include <stddef.h>

enum { NEAREST = 3, WORD_MAX = 64 };

struct nearest {
	const char *names[NEAREST]; /* best first */
	unsigned distances[NEAREST];
	unsigned count;
};

/* Considers one name; keeps it when it is near enough. Begin with a zeroed `nearest`. */
void nearest_offer(struct nearest *nearest, const char *word, const char *name);

/* "; did you mean store@1, store@2?" or "" when nothing is near. */
const char *nearest_text(const struct nearest *nearest, char *text, size_t room);

/* Edits (insert, delete, replace, swap two neighbours) between two words; only their first WORD_MAX bytes
 * count. */
unsigned word_distance(const char *a, const char *b);

#endif
