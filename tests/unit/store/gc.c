/* The chooser against its words: 10,000 random stores, each compared with a slow and plain reading of gc.h. */
#include "actors/store/gc.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { STATES = 10000, ROWS_MOST = 4000, A_DAY = 86400, MIB = 1 << 20 };

static uint64_t state;

static uint64_t drawn(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below;
}

struct world {
	struct store_blob rows[ROWS_MOST];
	unsigned count;
	struct gc_rules rules;
	int64_t now;
	uint64_t free;
};

/* Few values, so that bounds are hit: ages just at the limit, the floor just reached, equal times. */
static void draw_world(struct world *world)
{
	world->count = (unsigned)drawn(drawn(20) ? 60 : ROWS_MOST);
	world->now = 1700000000;
	world->rules = (struct gc_rules){(enum gc_mode)drawn(4), (uint32_t)drawn(5) + 1, drawn(40) * 1024};
	world->free = drawn(40) * 1024;
	for (unsigned i = 0; i < world->count; i++) {
		struct store_blob *row = &world->rows[i];
		*row = (struct store_blob){.charge = (drawn(4) + 1) * 1024};
		memcpy(row->cid.bytes, &i, sizeof i);
		row->size = row->charge - 300;
		row->stored_at = world->now - (int64_t)drawn(7) * A_DAY + (int64_t)drawn(3) - 1;
		row->pinned = !drawn(4);
		row->trashed = !row->pinned && !drawn(5) ? world->now - 5 : 0;
	}
}

static bool too_old(const struct world *world, const struct store_blob *row)
{
	return world->now - row->stored_at >= (int64_t)world->rules.days * A_DAY;
}

static int older(const void *a, const void *b)
{
	const struct store_blob *one = a, *two = b;
	if (one->stored_at != two->stored_at)
		return one->stored_at < two->stored_at ? -1 : 1;
	return memcmp(&one->cid, &two->cid, sizeof one->cid);
}

/* What gc.h says, written down as slowly as can be: sorts all rows in place. */
static unsigned expected(struct world *world, struct store_blob *list, bool *more)
{
	enum gc_mode mode = world->rules.mode;
	uint64_t free = world->free;
	unsigned count = 0;
	*more = false;
	qsort(world->rows, world->count, sizeof *world->rows, older);
	for (unsigned i = 0; i < world->count; i++) {
		const struct store_blob *row = &world->rows[i];
		bool by_time = (mode == GC_TIME || mode == GC_HYBRID) && too_old(world, row);
		bool by_size = (mode == GC_SIZE || mode == GC_HYBRID) && free < world->rules.floor;
		if (row->pinned || row->trashed || (!by_time && !by_size))
			continue;
		*more = count == GC_MOST;
		if (*more)
			break;
		list[count++] = *row;
		free += row->charge;
	}
	return count;
}

static void expect_allowed(const struct world *world, const struct gc *gc)
{
	uint64_t freed = world->free;
	for (unsigned i = 0; i < gc->count; i++) {
		const struct store_blob *row = &gc->chosen[i];
		cr_assert_not(row->pinned, "a pinned blob was chosen");
		cr_assert_eq(row->trashed, 0);
		if (world->rules.mode == GC_TIME)
			cr_assert(too_old(world, row), "one that is too young was chosen");
		if (world->rules.mode == GC_SIZE)
			cr_assert_lt(freed, world->rules.floor, "more than was needed");
		freed += row->charge;
	}
	if (world->rules.mode == GC_OFF)
		cr_assert_eq(gc->count, 0);
}

Test(gc, ten_thousand_random_stores, .timeout = 120)
{
	static struct world world;
	static struct gc gc;
	static struct store_blob right[GC_MOST];
	unsigned chose = 0, full = 0;
	bool more;
	state = 0x5eed;
	for (unsigned n = 0; n < STATES; n++) {
		draw_world(&world);
		gc_begin(&gc, &world.rules, world.now, world.free);
		for (unsigned i = 0; i < world.count; i++) { /* in whatever order the rows come */
			unsigned other = i + (unsigned)drawn(world.count - i);
			struct store_blob row = world.rows[other];
			world.rows[other] = world.rows[i];
			world.rows[i] = row;
			gc_look(&gc, &row);
		}
		gc_choose(&gc);
		expect_allowed(&world, &gc);
		unsigned count = expected(&world, right, &more);
		cr_assert_eq(gc.count, count, "state %u: %u chosen, not %u", n, gc.count, count);
		cr_assert(memcmp(gc.chosen, right, count * sizeof *right) == 0, "state %u", n);
		cr_assert(!more || gc.more, "state %u: the rest would be forgotten", n);
		cr_assert_eq(gc.looked, world.count);
		chose += count > 0;
		full += count == GC_MOST;
	}
	cr_expect(chose > STATES / 4 && full > 10, "the test sees too little: %u, %u", chose, full);
}

Test(gc, the_floor_is_the_setting_but_at_most_a_fifth)
{
	cr_expect_eq(gc_floor(1000, UINT64_C(5000) * MIB), UINT64_C(1000) * MIB); /* seed 003 */
	cr_expect_eq(gc_floor(1000, UINT64_C(100000) * MIB), UINT64_C(1000) * MIB);
	cr_expect_eq(gc_floor(1000, UINT64_C(10) * MIB), UINT64_C(2) * MIB);
	cr_expect_eq(gc_floor(1, UINT64_C(8) * MIB), UINT64_C(1) * MIB);
	cr_expect_eq(gc_floor(4194304, UINT64_C(4194304) * MIB), UINT64_C(4194304) * MIB / 5);
}

Test(gc, words)
{
	enum gc_mode mode;
	for (mode = GC_OFF; mode <= GC_HYBRID; mode++) {
		enum gc_mode again;
		cr_expect(gc_mode_parse(gc_mode_word(mode), &again) && again == mode);
	}
	cr_expect_not(gc_mode_parse("Off", &mode));
	cr_expect_not(gc_mode_parse("", &mode));
}
