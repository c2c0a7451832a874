/* The rule of restarts, on a clock of the test's own. */
#include "supervisor/restart.h"

#include "proto/birth.h"

#include <criterion/criterion.h>

static struct verdict die(struct streak *process, struct deaths *node, uint64_t now, bool ready,
			  uint64_t for_ms, int code)
{
	struct death death = {.now_ms = now, .was_ready = ready, .ready_ms = for_ms, .exit_code = code};
	return restart_after(process, node, 5, &death);
}

Test(restart, who_had_become_ready_is_back_at_once_then_within_a_tenth_of_a_second)
{
	struct streak process = {0};
	static const uint64_t delays[] = {0, 100, 100, 100};
	for (unsigned i = 0; i < sizeof delays / sizeof *delays; i++)
		cr_assert_eq(die(&process, NULL, i * 1000, true, 900, -9).delay_ms, delays[i], "death %u", i);
}

Test(restart, who_never_became_ready_waits_a_tenth_of_a_second_doubling_to_ten)
{
	struct streak process = {0};
	static const uint64_t delays[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
	for (unsigned i = 0; i < sizeof delays / sizeof *delays; i++) {
		struct verdict verdict = die(&process, NULL, i * 1000, false, 0, -9);
		cr_assert_eq(verdict.after, AFTER_RESTART);
		cr_assert_eq(verdict.delay_ms, delays[i], "death %u: %lu", i, verdict.delay_ms);
	}
}

Test(restart, a_death_before_readiness_waits_from_the_first)
{
	struct streak process = {0};
	cr_assert_eq(die(&process, NULL, 0, false, 0, 1).delay_ms, 100);
	cr_assert_eq(die(&process, NULL, 200, false, 0, 1).delay_ms, 200);
}

Test(restart, a_calm_minute_forgives_what_was_before)
{
	struct streak process = {0};
	for (unsigned i = 0; i < 6; i++)
		die(&process, NULL, i, true, 10, -9);
	cr_assert_eq(die(&process, NULL, 70000, true, RESTART_CALM_MS - 1, -9).delay_ms, 100);
	cr_assert_eq(die(&process, NULL, 200000, true, RESTART_CALM_MS, -9).delay_ms, 0);
	cr_assert_eq(die(&process, NULL, 200001, true, 1, -9).delay_ms, 100);
}

Test(restart, a_bad_configuration_waits_for_a_change_and_counts_nothing)
{
	struct streak process = {0};
	struct deaths node = {0};
	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(die(&process, &node, i, false, 0, EXIT_CONFIG).after, AFTER_CHANGE);
	cr_assert_eq(node.count, 0);
	cr_assert_eq(die(&process, &node, 10, true, 100, -9).delay_ms, 0);
}

Test(restart, the_fifth_death_of_a_node_within_a_minute_parks_it)
{
	struct streak store = {0}, gateway = {0};
	struct deaths node = {0};
	for (unsigned i = 0; i < 4; i++) /* whoever of the node it is */
		cr_assert_eq(die(i % 2 ? &store : &gateway, &node, 1000 + i * 15000, true, 100, -9).after,
			     AFTER_RESTART);
	cr_assert_eq(die(&store, &node, 1000 + 60000, true, 100, -9).after, AFTER_PARK);
}

Test(restart, five_in_more_than_a_minute_do_not)
{
	struct streak store = {0};
	struct deaths node = {0};
	for (unsigned i = 0; i < 200; i++)
		cr_assert_eq(die(&store, &node, i * 15001, true, 100, -9).after, AFTER_RESTART, "death %u",
			     i);
}

Test(restart, a_process_of_the_machine_is_never_parked)
{
	struct streak broker = {0};
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(die(&broker, NULL, i, true, 1, -11).after, AFTER_RESTART);
}

Test(restart, one_node_s_deaths_are_not_another_s)
{
	struct streak one = {0}, two = {0};
	struct deaths first = {0}, second = {0};
	for (unsigned i = 0; i < 4; i++) {
		die(&one, &first, i, true, 1, -9);
		cr_assert_eq(die(&two, &second, i, true, 1, -9).after, AFTER_RESTART);
	}
	cr_assert_eq(die(&one, &first, 5, true, 1, -9).after, AFTER_PARK);
}

Test(restart, how_many_deaths_park_is_a_setting_and_zero_is_never)
{
	struct streak store = {0};
	static struct deaths node;
	struct death death = {.now_ms = 7, .was_ready = true, .exit_code = -9};
	for (unsigned i = 0; i < 3000; i++)
		cr_assert_eq(restart_after(&store, &node, 0, &death).after, AFTER_RESTART);
	deaths_forget(&node);
	cr_assert_eq(restart_after(&store, &node, 2, &death).after, AFTER_RESTART);
	cr_assert_eq(restart_after(&store, &node, 2, &death).after, AFTER_PARK);
	deaths_forget(&node);
	for (unsigned i = 0; i < PARK_DEATHS_MOST - 1; i++)
		cr_assert_eq(restart_after(&store, &node, PARK_DEATHS_MOST, &death).after, AFTER_RESTART);
	cr_assert_eq(restart_after(&store, &node, PARK_DEATHS_MOST, &death).after, AFTER_PARK);
}

Test(restart, somebody_who_starts_it_forgives_all)
{
	struct streak store = {0};
	struct deaths node = {0};
	for (unsigned i = 0; i < 5; i++)
		die(&store, &node, i, true, 1, -9);
	restart_forget(&store);
	deaths_forget(&node);
	struct verdict verdict = die(&store, &node, 6, true, 1, -9);
	cr_assert_eq(verdict.after, AFTER_RESTART);
	cr_assert_eq(verdict.delay_ms, 0);
}
