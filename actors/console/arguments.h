/* The command line: words and options, against a table of options. Pure: reads nothing but what it is given.
 */
#ifndef WARREN_CONSOLE_ARGUMENTS_H
#define WARREN_CONSOLE_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

struct option {
	const char *command; /* which command knows it; NULL: every command */
	const char *name;    /* without the dashes; NULL ends a table */
	char letter;         /* '\0': none */
	const char *value;   /* what its value is called in the help; NULL: it takes none */
	const char *help;
};

enum { WORDS_MAX = 64, GIVEN_MAX = 32, WHY_TEXT = 240 };

struct arguments {
	const char *command; /* whose options are known; NULL: only those of every command */
	const char *words[WORDS_MAX];
	unsigned count;
	struct {
		const struct option *option;
		const char *value; /* "" for one that takes none */
	} given[GIVEN_MAX];
	unsigned given_count;
};

/* Takes words and options from `argv`, which ends with NULL. With `first_word`, stops before the first word;
 * else takes all. Returns where it stopped, or NULL with a sentence in `why`. May be called again to go on.
 * "--" ends the options. */
const char *const *arguments_take(struct arguments *arguments, const char *const *argv,
				  const struct option *options, bool first_word, char why[WHY_TEXT]);

/* NULL when it was not given; the last one counts. */
const char *argument(const struct arguments *arguments, const char *name);

#endif
