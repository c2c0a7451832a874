/* When to try again, and when to give one up. Pure. */
#ifndef WARREN_HERALD_PACE_H
#define WARREN_HERALD_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PACE_FIRST_MS = 1000, /* after the first failure; then twice as long, … */
	PACE_MOST_MS = 60000, /* … up to this */
	PACE_REFUSALS = 3,    /* a 4xx so often is an answer: that one is given up */
	PACE_SAY = 3,         /* failures in a row that are worth an alert */
};

struct pace {
	uint32_t failures; /* in a row */
	uint32_t refusals; /* of the one that is sent now */
};

enum pace_next { PACE_DONE, PACE_AGAIN, PACE_GIVE_UP };

/* `status` of HTTP, 0: none came. *wait_ms until the next attempt. */
enum pace_next pace_after(struct pace *pace, long status, uint64_t *wait_ms);

#endif
