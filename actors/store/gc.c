/* Which blobs a collector takes away. Pure; see gc.h. */
#include "actors/store/gc.h"

#include <stdlib.h>
#include <string.h>

enum { A_DAY = 86400, MIB = 1 << 20 };

static const char *const words[] = {
	[GC_OFF] = "off", [GC_SIZE] = "size", [GC_TIME] = "time", [GC_HYBRID] = "hybrid"};

bool gc_mode_parse(const char *word, enum gc_mode *mode)
{
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], word) == 0) {
			*mode = (enum gc_mode)i;
			return true;
		}
	return false;
}

const char *gc_mode_word(enum gc_mode mode)
{
	return words[mode];
}

uint64_t gc_floor(uint64_t mib, uint64_t quota)
{
	uint64_t part = quota / GC_FLOOR_PART;
	return mib <= part / MIB ? mib * MIB : part;
}

void gc_begin(struct gc *gc, const struct gc_rules *rules, int64_t now, uint64_t free)
{
	gc->rules = *rules;
	gc->now = now;
	gc->free = free;
	gc->looked = gc->pinned = 0;
	gc->count = 0;
	gc->more = false;
}

static int by_age(const void *a, const void *b)
{
	const struct store_blob *one = a, *two = b;
	if (one->stored_at != two->stored_at)
		return one->stored_at < two->stored_at ? -1 : 1;
	return memcmp(&one->cid, &two->cid, sizeof one->cid);
}

static bool too_old(const struct gc *gc, const struct store_blob *blob)
{
	return (gc->rules.mode == GC_TIME || gc->rules.mode == GC_HYBRID) &&
	       blob->stored_at <= gc->now - (int64_t)gc->rules.days * A_DAY;
}

static bool short_of(const struct gc *gc, uint64_t free)
{
	return (gc->rules.mode == GC_SIZE || gc->rules.mode == GC_HYBRID) && free < gc->rules.floor;
}

/* -- the oldest of them: a heap whose top is the youngest ------------------------------------------------------------ */

static void swap(struct gc *gc, unsigned a, unsigned b)
{
	struct store_blob was = gc->chosen[a];
	gc->chosen[a] = gc->chosen[b];
	gc->chosen[b] = was;
}

static void rise(struct gc *gc, unsigned at)
{
	for (; at && by_age(&gc->chosen[at], &gc->chosen[(at - 1) / 2]) > 0; at = (at - 1) / 2)
		swap(gc, at, (at - 1) / 2);
}

static void sink(struct gc *gc)
{
	for (unsigned at = 0, child; (child = 2 * at + 1) < gc->count; at = child) {
		if (child + 1 < gc->count && by_age(&gc->chosen[child + 1], &gc->chosen[child]) > 0)
			child++;
		if (by_age(&gc->chosen[at], &gc->chosen[child]) >= 0)
			return;
		swap(gc, at, child);
	}
}

void gc_look(struct gc *gc, const struct store_blob *blob)
{
	gc->looked++;
	gc->pinned += blob->pinned;
	if (blob->pinned || blob->trashed || (!too_old(gc, blob) && !short_of(gc, gc->free)))
		return;
	if (gc->count < GC_MOST) {
		gc->chosen[gc->count] = *blob;
		rise(gc, gc->count++);
		return;
	}
	gc->more = true;
	if (by_age(blob, &gc->chosen[0]) > 0)
		return;
	gc->chosen[0] = *blob;
	sink(gc);
}

void gc_choose(struct gc *gc)
{
	uint64_t free = gc->free;
	unsigned take = 0;
	qsort(gc->chosen, gc->count, sizeof *gc->chosen, by_age);
	for (; take < gc->count; free += gc->chosen[take++].charge)
		if (!too_old(gc, &gc->chosen[take]) && !short_of(gc, free))
			break;
	gc->more = gc->more && take == gc->count;
	gc->count = take;
}
