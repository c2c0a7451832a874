/* Which alerts follow from what the supervisor says, and from the clock. Pure but for what it remembers between two looks. */
#ifndef WARREN_STEWARD_RULES_H
#define WARREN_STEWARD_RULES_H

#include "actors/steward/alerts.h"
#include "proto/steward.h"

enum {
	RULES_PROCESSES = 2600,   /* remembered at most: the bound of STEWARD_STATUS_REPLY */
	RESTARTS_MANY = 3,        /* deaths … */
	RESTARTS_WITHIN_MS = 300000, /* … within this time; over when it was calm for … */
	RESTARTS_CALM_MS = 60000,
	CLOCK_STEP_MS = 2000,     /* between the wall's clock and the machine's own, from one look to the next */
	DISK_FULL_PERCENT = 5,    /* free, at most; over again at one more */
};

struct rules;
struct rules *rules_new(void);
void rules_free(struct rules **rules);

/* One round: raises what the rows show, ends what they no longer show. */
void rules_look(struct rules *rules, const struct steward_status_reply *status, struct alerts *alerts,
		const struct alert_moment *now);

/* How far the wall's clock was set since the last look, in ms; 0: it was not. */
int64_t rules_clock(struct rules *rules, const struct alert_moment *now);

#endif
