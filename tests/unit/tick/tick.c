/* Ticks: never late, never far, together within a node, apart between nodes. */
#include "actors/base/tick.h"

#include <criterion/criterion.h>

static const uint64_t periods[] = {50, 100, 250, 300, 1000, 5000, 10000};
enum { PERIODS = sizeof periods / sizeof *periods };

Test(tick, it_comes_after_now_and_no_later_than_asked)
{
	for (unsigned i = 0; i < PERIODS; i++)
		for (uint16_t node = 0; node <= 17; node++)
			for (uint64_t now = 0; now < 12000; now += 7) {
				uint64_t at = tick_after(now, periods[i], node);
				cr_assert_gt(at, now, "every %lu, node %u, at %lu", periods[i], node, now);
				cr_assert_leq(at, now + periods[i], "every %lu, node %u, at %lu", periods[i],
					      node, now);
			}
}

Test(tick, what_follows_is_one_period_later)
{
	for (unsigned i = 0; i < PERIODS; i++) {
		uint64_t at = tick_after(123456, periods[i], 5);
		cr_assert_eq(tick_after(at, periods[i], 5), at + periods[i]);
		cr_assert_eq(tick_after(at + periods[i] / 2, periods[i], 5), at + periods[i],
			     "after a stall, once");
	}
}

/* However they were set: what is seldom is done when what is often is done anyway. */
Test(tick, timers_of_a_node_fall_together)
{
	for (uint16_t node = 0; node <= 17; node++) {
		uint64_t second = tick_after(98765, 1000, node);
		for (uint64_t now = 100000; now < 101000; now += 37) {
			cr_assert_eq((tick_after(now, 5000, node) - second) % 1000, 0);
			cr_assert_eq((tick_after(now, 10000, node) - second) % 1000, 0);
			cr_assert_eq((tick_after(now, 250, node) - second) % 250, 0);
		}
	}
}

Test(tick, sixteen_nodes_share_no_tick)
{
	for (uint16_t one = 0; one < 16; one++)
		for (uint16_t two = 0; two < one; two++)
			cr_assert_neq(tick_after(5000, 1000, one), tick_after(5000, 1000, two));
	cr_assert_eq(tick_after(5000, 1000, 3), tick_after(5000, 1000, 19));
}
