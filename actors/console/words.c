/* The known names nearest to a word. Part of the console; pure. */
#include "actors/console/words.h"

#include <stdio.h>
#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned word_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1]; /* the last three rows of the table, in turn */
	unsigned n = (unsigned)strnlen(a, WORD_MAX), m = (unsigned)strnlen(b, WORD_MAX);
	for (unsigned j = 0; j <= m; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			unsigned same = a[i - 1] == b[j - 1] ? 0 : 1;
			row[j] = least(above[j - 1] + same, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

void nearest_offer(struct nearest *nearest, const char *word, const char *name)
{
	size_t length = strlen(word);
	unsigned distance = word_distance(word, name);
	/* A part of the name is near, whatever is missing. */
	if (length >= 3 && strstr(name, word))
		distance = 1;
	if (distance > (length > 7 ? 3 : length > 3 ? 2 : 1))
		return;
	unsigned at = nearest->count;
	while (at > 0 && nearest->distances[at - 1] > distance)
		at--;
	if (at == NEAREST)
		return;
	if (nearest->count < NEAREST)
		nearest->count++;
	for (unsigned i = nearest->count - 1; i > at; i--) {
		nearest->names[i] = nearest->names[i - 1];
		nearest->distances[i] = nearest->distances[i - 1];
	}
	nearest->names[at] = name;
	nearest->distances[at] = distance;
}

const char *nearest_text(const struct nearest *nearest, char *text, size_t room)
{
	size_t used = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < nearest->count && used < room; i++)
		used += (size_t)snprintf(text + used, room - used, "%s%s", i ? ", " : "; did you mean ",
					 nearest->names[i]);
	if (nearest->count && used < room)
		snprintf(text + used, room - used, "?");
	return text;
}
