/* When what is done every so often is done. Pure. */
#ifndef WARREN_TICK_H
#define WARREN_TICK_H

#include <stdint.h>

/* Milliseconds after `now` (CLOCK_MONOTONIC), at most `every` later. Whole multiples of `every` from the tick of this node on,
 * one of 16 in a second: so all timers of one process, and of one node, fall into one wake-up (a timer of 5 s into every fifth
 * of one of 1 s), and a second of a machine with hundreds of nodes is as even as that of one. */
uint64_t tick_after(uint64_t now, uint64_t every, uint16_t node);

#endif
