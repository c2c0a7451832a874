/* Which units of the arena file are free, in memory: rebuilt from the index at every start, never on disk.
 *
 * One bit for each unit, and above it a bit for each word that has a free unit, and so on, up to a single word: the next free
 * unit is found in as many steps as there are levels (5 for 2^30 units). 129 KiB for each GiB of 1 KiB units. */
#ifndef WARREN_STORE_FREEMAP_H
#define WARREN_STORE_FREEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Units that lie together. On disk and in the index: one u64, little-endian, start << 24 | count. */
struct run {
	uint64_t start; /* below 2^40 */
	uint32_t count; /* at most RUN_MOST */
};
enum { RUN_MOST = (1 << 24) - 1 };

uint64_t run_pack(struct run run);
struct run run_unpack(uint64_t packed);

/* The units of one blob, in the order of its bytes. Begins as all zero; owns `run`. */
struct runs {
	struct run *run;
	uint32_t count, room;
	uint64_t units;
	uint32_t near; /* a run found last, and the unit of the blob it begins with: arena.c */
	uint64_t near_unit;
};
void runs_add(struct runs *runs, struct run run); /* joined to the last one where they touch */
void runs_end(struct runs *runs);

struct freemap;
struct freemap *freemap_new(uint64_t units); /* all free */
void freemap_end(struct freemap **map);

uint64_t freemap_left(const struct freemap *map);

/* Takes `want` units and adds them to `into`, or takes none and returns false. Looks on from where it last took some (next
 * fit), at LOOK free stretches at most, for one that is long enough; else takes the longest of those. */
bool freemap_take(struct freemap *map, uint64_t want, struct runs *into);

/* Exactly these units. False, and nothing changed, when one of them is taken already or is not there. */
bool freemap_claim(struct freemap *map, struct run run);
void freemap_give(struct freemap *map, struct run run);
void freemap_give_all(struct freemap *map, struct runs *runs); /* and ends `runs` */

#endif
