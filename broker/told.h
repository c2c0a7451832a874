/* What the broker tells the supervisor about itself, each second: how full its tables are, and what it decided and why. It is
 * asked by nobody, so this is its only word. It never waits: what there is no room for is told the next time. */
#ifndef WARREN_BROKER_TOLD_H
#define WARREN_BROKER_TOLD_H

#include "proto/roster.h"

/* BOUND(SYMBOL, name, limit) */
#define BOUNDS_OF_BROKER(B)                                                                                            \
	B(ASKS, "asks open", OPEN_ASKS)                                                                                \
	B(SHARES, "asks of one person", ASKS_OF_PERSON) /* its drops alone are counted, of processes too */            \
	B(PEOPLE, "people", PEOPLE_MAX)                 /* drops: put out because one more came */                     \
	B(PROCESSES, "processes", PROCESSES_MAX)                                                                       \
	B(LISTENERS, "subscriptions and taps", LISTENERS_MAX)                                                          \
	B(CONNECTIONS, "connections of people", 2 * CONNECTIONS_MAX) /* drops: doors shut */                           \
	B(CONNECTIONS_BUS, "connections of processes", CONNECTIONS_BUS)                                                \
	B(REASONS, "reasons kept", REASONS_OF_ACTOR)

enum bound {
#define BOUND(SYMBOL, ...) BOUND_##SYMBOL,
	BOUNDS_OF_BROKER(BOUND)
#undef BOUND
		BOUNDS
};

/* One of the broker's rows, as it is told. */
#define BOUND_ROW(SYMBOL, text, most) {ROSTER_LIMIT, BOUND_##SYMBOL, BROKER, 0, text, 0, 0, most, 0},

/* `limits`: BOUNDS of them; the depths are the caller's, what was highest is kept here. */
void told(int roster, struct roster_limit *limits);

#endif
