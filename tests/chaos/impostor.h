/* What the impostors of tests/chaos know, do and count. All of it lies in memory that they share with the one who set them on. */
#ifndef WARREN_TESTS_IMPOSTOR_H
#define WARREN_TESTS_IMPOSTOR_H

#include "broker/tables.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { IMPOSTOR_CALL = 0x0501 /* wallet_address */, PLOT_OPEN = 4 };

struct plot {
	_Atomic bool over;
	uint8_t routing[2][ROUTING_MAX];    /* of wallet@1: the latest known, the one before; may tear, which costs one claim */
	_Atomic unsigned ids;               /* how many different ones were seen */
	struct envelope open[PLOT_OPEN];    /* asks to wallet@1 that wait for their answer; serial 0: none */
	_Atomic unsigned refused;           /* connections that the kernel refused */
	_Atomic unsigned connected, claims; /* … that it allowed; times that a routing id was claimed on one */
	_Atomic unsigned forged;            /* answers sent to asks that were never ours */
	_Atomic unsigned given, asks;       /* messages that came to us; asks among them */
};

/* One round of everything a stranger does, about a millisecond: connects what is not connected, claims, lies, listens. */
void stranger_turn(struct plot *plot, const char *door);

/* Root's eye on the broker's tables. */
struct eye {
	int memory;
	uint64_t peers; /* where they lie */
	uint8_t last[ROUTING_MAX];
};

/* False when no entry of wallet@1, alive under this pid, is found there. */
bool eye_open(struct eye *eye, pid_t broker, uint32_t wallet);
void eye_look(struct eye *eye, struct plot *plot, bool from_death);

#endif
