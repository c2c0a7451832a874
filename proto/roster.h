/* Supervisor and broker, over FD_ROSTER: who is alive. One struct a datagram, host order. */
#ifndef WARREN_PROTO_ROSTER_H
#define WARREN_PROTO_ROSTER_H

#include "proto/reasons.h"

#include <stdint.h>

enum roster_verb {
	ROSTER_BORN = 1, /* to the broker: let this one in; acknowledged, and only then does the child exec */
	ROSTER_GONE,     /* to the broker: said before the pid is reaped, so nobody else can have it yet */
	ROSTER_ACK,      /* to the supervisor: `serial` has taken effect */
	ROSTER_COUNTS,   /* to the supervisor, each second: struct roster_counts follows instead */
	ROSTER_LIMIT,    /* to the supervisor, each second: struct roster_limit, one for each of the broker's bounds */
	ROSTER_REASON,   /* to the supervisor: struct roster_reason, what the broker decided and why */
};

/* Entries that are not acknowledged yet, at most: so many acknowledgements always find room on their way back. */
enum { ROSTER_WINDOW = 64 };

struct roster_entry {
	uint32_t verb;
	uint32_t serial; /* counts up from 1 for each broker birth */
	uint8_t kind;
	uint8_t padding;
	uint16_t node;
	uint32_t pid;
	uint32_t uid;
	uint64_t birth;
	uint8_t routing[16];
};

/* Processes, not people, that asked what they may not: ours never do. */
struct roster_accused {
	uint64_t count;
	uint16_t node;   /* of the newest; so are kind, and the number of the call or event; 0: a tap */
	uint16_t number;
	uint8_t kind;
	uint8_t padding[3];
};

/* What the broker has seen since its birth; shown by `warren limits` through the steward. */
struct roster_counts {
	uint32_t verb; /* ROSTER_COUNTS */
	uint32_t open, open_high, open_limit; /* asks waiting for their answer */
	uint64_t routed, denied, busy, late, gone, dropped;
	uint32_t peers, people; /* processes that said hello, consoles connected */
	struct roster_accused accused;
};

/* One bound, of the broker or (on the way to the steward) of the supervisor. */
struct roster_limit {
	uint32_t verb;  /* ROSTER_LIMIT */
	uint16_t index; /* below ROSTER_LIMITS; in the broker's order */
	uint8_t kind;   /* whose: BROKER; 0: the supervisor's */
	uint8_t padding;
	char name[33];
	uint64_t depth, high, limit, drops;
};
enum { ROSTER_LIMITS = 16 };

struct roster_reason {
	uint32_t verb; /* ROSTER_REASON */
	uint32_t padding;
	struct reason reason;
};

#endif
