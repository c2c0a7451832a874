/* The machine rule of disk space, the tiers, the size of a store. Pure: no I/O, no state. */
#include "supervisor/room.h"

#include <stdio.h>
#include <string.h>

enum { SHARE_PERCENT = 80, KEEP_PERCENT = 10 };
static const uint64_t MIB = UINT64_C(1) << 20, GIB = UINT64_C(1) << 30;

static const struct tier {
	const char *name;
	uint32_t mib;
} tiers[] = {
#define TIER(name, mib) {#name, mib},
#include "supervisor/tiers.def"
#undef TIER
};
enum { TIERS = sizeof tiers / sizeof *tiers };

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

uint32_t tier_mib(const char *name)
{
	for (int i = 0; i < TIERS; i++)
		if (strcmp(tiers[i].name, name) == 0)
			return tiers[i].mib;
	return 0;
}

const char *tier_names(char text[TIER_NAMES_TEXT])
{
	size_t length = 0;
	for (int i = 0; i < TIERS && length < TIER_NAMES_TEXT; i++) {
		const char *before = i == 0 ? "" : i + 1 == TIERS ? " or " : ", ";
		length += (size_t)snprintf(text + length, TIER_NAMES_TEXT - length, "%s%s", before,
					   tiers[i].name);
	}
	return text;
}

const char *tier_that_fits(uint64_t bytes)
{
	for (int i = TIERS; i-- > 0;)
		if (store_takes(tiers[i].mib) <= bytes)
			return tiers[i].name;
	return NULL;
}

/* The arena with its slack of a 64th, the index with a reserve of a 64th and 32 MiB. */
uint64_t store_takes(uint32_t quota_mib)
{
	uint64_t quota = quota_mib * MIB;
	return quota + quota / 64 + quota / 64 + 32 * MIB;
}
