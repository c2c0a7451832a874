/* One piece of work, in a process of its own, again and again: each time one call more of it goes through before one fails. */
#ifndef WARREN_TESTS_NTH_TRIAL_H
#define WARREN_TESTS_NTH_TRIAL_H

#include "tests/nth/nth.h"

#include <stdbool.h>
#include <stddef.h>

struct trouble { /* how calls fail */
	const char *name;
	uint32_t families;
	int error;    /* as in struct nth_page */
	bool onwards; /* that call and all after it */
};

struct trial { /* one time */
	const struct trouble *trouble;
	uint64_t at; /* 0: nothing fails, calls are counted */
	char what[96]; /* for whoever reads why a test failed */
	int status;    /* of waitpid() */
	bool fired, aborted;
	struct nth_page *page;
	char said[8192]; /* on its standard error */
};

/* In the child: from here on calls are counted and fail, until trial_over(). Both look at how many descriptors are open; what is
 * open then and was not before is a failure. */
void trial_begin(void);
void trial_over(void);

struct work {
	const char *name;
	uint32_t aborts; /* families whose failing may end it by abort(), with a line that says so */
	void (*before)(void *context);                        /* makes what it works on */
	void (*body)(void *context);                          /* in the child */
	void (*after)(void *context, const struct trial *trial); /* looks at what is there, and removes it */
};

/* All troubles, each with N = 1, 2, … until no call failed (WARREN_LONG), or some of these. Returns how many calls failed. */
unsigned try_all(const struct work *work, void *context);

#endif
