/* Which blobs a collector takes away: rows in, a list out. Pure. It is told of every blob, in any order, and remembers the oldest
 * GC_MOST that may go; so one pass needs the same memory whatever the store holds, and what is left over is for the next pass.
 *
 *   time     every blob that was stored `days` ago or longer
 *   size     while less than `floor` bytes are free: the oldest blobs, one after the other, until they are
 *   hybrid   both: those of `time`; and where that leaves less than the floor, the oldest of the rest
 *
 * Never one that is pinned; never one of the trash, which has a time of its own; nothing at all while `mode` is off. Oldest: by
 * when it was stored, then by CID. Seed 003 collects by these words, 30 days and 1,000 MB free of 5,000; it does not say what
 * becomes of a smaller store, and its condition of three replicas needs replication, which this node does not have: so nothing
 * is collected unless an operator turned it on. */
#ifndef WARREN_STORE_GC_H
#define WARREN_STORE_GC_H

#include "actors/store/blobs.h"

enum { GC_MOST = 1000, GC_FLOOR_PART = 5 };

enum gc_mode { GC_OFF, GC_SIZE, GC_TIME, GC_HYBRID };
bool gc_mode_parse(const char *word, enum gc_mode *mode); /* "off", "size", "time", "hybrid" */
const char *gc_mode_word(enum gc_mode mode);

struct gc_rules {
	enum gc_mode mode;
	uint32_t days;
	uint64_t floor; /* bytes; gc_floor() */
};

/* `mib` MiB, but never more than a fifth of the quota, which is the seed's own proportion: in a small store the setting alone
 * would take everything away. */
uint64_t gc_floor(uint64_t mib, uint64_t quota);

struct gc {
	struct gc_rules rules;
	int64_t now;             /* Unix time, seconds */
	uint64_t free;           /* bytes of the quota */
	uint64_t looked, pinned; /* blobs it was told of; of those, pinned ones */
	unsigned count;
	bool more; /* there are others that may go: look again afterwards */
	struct store_blob chosen[GC_MOST];
};

void gc_begin(struct gc *gc, const struct gc_rules *rules, int64_t now, uint64_t free);
void gc_look(struct gc *gc, const struct store_blob *blob);
void gc_choose(struct gc *gc); /* now `chosen` is the list, the oldest first */

#endif
