/* Lists of runs that do not fit in a blob's header: kept in slots of 128 bytes, eight to a unit of 1 KiB.
 *
 * Units that hold slots are taken from the arena's slack, which is quota/64 + 1 units beyond the quota. It is always enough:
 * a header holds HEADER_RUNS (9) runs, a slot SLOT_RUNS (15) more, so a blob of n > 9 runs, and therefore of at least n units,
 * needs ceil((n - 9) / 15) slots of 128 bytes: at worst 1 for 10 units, an 80th of its bytes. A unit is turned to slots only
 * when no slot is spare, so there are never more of them than the most slots ever held at once needed. They are given back
 * to the arena at the next start, when the map is built anew. */
#ifndef WARREN_STORE_SLOTS_H
#define WARREN_STORE_SLOTS_H

#include "actors/store/freemap.h"

enum { SLOT = 128, SLOT_RUNS = 15, HEADER_RUNS = 9 };

/* Slot s lies at byte s * SLOT of the arena's units. */
struct slots {
	struct freemap *map; /* not ours */
	uint32_t per_unit;
	uint64_t *spare;
	uint32_t count, room;
	uint64_t pages; /* units that hold slots */
};

void slots_begin(struct slots *slots, struct freemap *map, uint32_t unit);
void slots_end(struct slots *slots);

/* How many slots a list of so many runs needs. */
uint32_t slots_for(uint32_t runs);

/* Fills `into`, or takes none and returns false: the slack is used up, which the sum above rules out. */
bool slots_take(struct slots *slots, uint64_t *into, uint32_t count);
void slots_give(struct slots *slots, const uint64_t *from, uint32_t count);

/* At a start: these are in use. Sorts `used`. False when a unit of theirs is taken, or one slot is named twice. */
bool slots_restore(struct slots *slots, uint64_t *used, size_t count);

/* The slack that so many units of quota need. */
uint64_t slots_slack(uint64_t quota_units);

#endif
