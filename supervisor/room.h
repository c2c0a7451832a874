/* How much may be promised on a disk (FEATURES K2), and what a node's store takes. Pure. */
#ifndef WARREN_SUPERVISOR_ROOM_H
#define WARREN_SUPERVISOR_ROOM_H

#include <stdint.h>

/* Bytes, all of one file system. */
struct room {
	uint64_t total;     /* its size */
	uint64_t free;      /* now, to an ordinary user */
	uint64_t reserved;  /* what our nodes' stores hold already: free again if there were none */
	uint64_t allocated; /* what our nodes were promised, reserved already or not */
};

enum room_rule {
	ROOM_SHARE, /* 80 % of what would be free without our nodes, less what they were promised */
	ROOM_KEEP,  /* what is free less what is promised and not yet reserved, but for 10 % of the disk or 1 GiB */
};

struct room_left {
	uint64_t share, keep, allocatable; /* allocatable is the smaller */
	enum room_rule binds;              /* which one that is */
};
struct room_left room_left(const struct room *room);

/* Bytes that a store of this quota takes on disk: arena, slack, and the index's reserve (DESIGN 6). */
uint64_t store_takes(uint32_t quota_mib);

/* The least that the store's arena file must hold of it, blobs and their slack; the rest is the index's. */
#define STORE_ARENA "arena" /* nodeN/storage/arena */
uint64_t store_arena_takes(uint32_t quota_mib);

#endif
