/* See tick.h. Each wake-up of a process costs some 60 us of a processor, whatever it does then; hundreds of nodes have thousands
 * of processes' timers. */
#include "actors/base/tick.h"

enum { SECOND_MS = 1000, TICKS = 16 };

uint64_t tick_after(uint64_t now, uint64_t every, uint16_t node)
{
	uint64_t tick = node % TICKS * (SECOND_MS / TICKS), from = now + SECOND_MS - tick;
	return from - from % every + every - SECOND_MS + tick;
}
