/* The machine rule of disk space, the size of a store. Pure: no I/O, no state. */
#include "supervisor/room.h"

enum { SHARE_PERCENT = 80, KEEP_PERCENT = 10 };
static const uint64_t MIB = UINT64_C(1) << 20, GIB = UINT64_C(1) << 30;

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

static uint64_t percent(uint64_t of, unsigned percent)
{
	return of / 100 * percent + of % 100 * percent / 100;
}

struct room_left room_left(const struct room *room)
{
	uint64_t keep = percent(room->total, KEEP_PERCENT);
	uint64_t promised = less(room->allocated, room->reserved);
	struct room_left left = {
		.share = less(percent(room->free + room->reserved, SHARE_PERCENT), room->allocated),
		.keep = less(less(room->free, promised), keep > GIB ? keep : GIB),
	};
	left.binds = left.share <= left.keep ? ROOM_SHARE : ROOM_KEEP;
	left.allocatable = left.binds == ROOM_SHARE ? left.share : left.keep;
	return left;
}

/* The arena with its slack of a 64th, the index with a reserve of a 64th and 32 MiB. */
uint64_t store_takes(uint32_t quota_mib)
{
	uint64_t quota = quota_mib * MIB;
	return quota + quota / 64 + quota / 64 + 32 * MIB;
}

uint64_t store_arena_takes(uint32_t quota_mib)
{
	uint64_t quota = quota_mib * MIB;
	return quota + quota / 64;
}
