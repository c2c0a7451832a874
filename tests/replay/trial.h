/* A trial: what is recorded, and what must hold of each state afterwards. */
#ifndef WARREN_TESTS_TRIAL_H
#define WARREN_TESTS_TRIAL_H

#include "tests/replay/states.h"

enum { TRIAL_WHY = 300 };

enum verdict {
	KEPT,
	LOST,      /* something that was told to have happened has not, or the other way round */
	WRONG,     /* other bytes, half a thing, sums that do not add up */
	UNOPENED,
};

struct trial {
	const char *name;
	unsigned phases;
	const char *but; /* the end of names of files whose bytes do not go through calls */
	void (*prepare)(void); /* before both */
	/* In a process of its own, recorded. 0: it ended as it should have. */
	int (*work)(const char *folder, unsigned phase, uint64_t seed);
	/* In a process of its own: opens what is in `folder`, which is the state before order `at`. */
	enum verdict (*check)(const struct orders *orders, size_t at, const char *folder, char why[TRIAL_WHY]);
};

extern const struct trial trial_store, trial_books, trial_machine;

/* A mark of the process that is recorded. */
void trial_mark(const void *mark, size_t length);

uint64_t trial_chance(uint64_t *state); /* of a sequence of its own; never two alike in a row */

#endif
