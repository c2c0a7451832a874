/* Rows 8 to 10 of the matrix over the bus: taking another's identity, answering for another, asking beyond one's rights. */
#ifndef WARREN_BUS_ATTACKS_H
#define WARREN_BUS_ATTACKS_H

#include "actors/base/born/born.h"

struct bus_attack {
	const char *path; /* of bus.sock, as the attacker sees it */
	const struct born *born;
	void (*live)(void *context); /* to be called while waiting */
	void *context;
	unsigned forbidden, allowed; /* asks made that the rows forbid, or allow: the control */
	bool welcomed;               /* as ourselves: the control of row 8 */
};

struct bus_attempt {
	unsigned row;
	const char *symbol, *name;
	bool (*try)(struct bus_attack *attack); /* true: it got through */
};

extern const struct bus_attempt bus_attempts[]; /* end: name NULL */

#endif
