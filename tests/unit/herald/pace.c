/* When to try again. */
#include "actors/herald/pace.h"

#include <criterion/criterion.h>

Test(pace, waits_longer_and_longer_up_to_a_bound)
{
	struct pace pace = {0};
	uint64_t wait, before = 0;
	for (int i = 0; i < 40; i++) {
		cr_assert_eq(pace_after(&pace, i % 2 ? 503 : 0, &wait), PACE_AGAIN);
		cr_assert_geq(wait, before);
		cr_assert_leq(wait, PACE_MOST_MS);
		before = wait;
	}
	cr_assert_eq(wait, PACE_MOST_MS);
	cr_assert_eq(pace_after(&pace, 204, &wait), PACE_DONE);
	cr_assert_eq(pace_after(&pace, 0, &wait), PACE_AGAIN);
	cr_assert_eq(wait, PACE_FIRST_MS);
}

Test(pace, a_server_that_says_never_is_believed_the_third_time)
{
	struct pace pace = {0};
	uint64_t wait;
	cr_assert_eq(pace_after(&pace, 404, &wait), PACE_AGAIN);
	cr_assert_eq(pace_after(&pace, 500, &wait), PACE_AGAIN);
	cr_assert_eq(pace_after(&pace, 404, &wait), PACE_AGAIN);
	cr_assert_eq(pace_after(&pace, 404, &wait), PACE_AGAIN);
	cr_assert_eq(pace_after(&pace, 404, &wait), PACE_GIVE_UP);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(pace_after(&pace, 429, &wait), PACE_AGAIN, "later is not never");
	cr_assert_eq(pace_after(&pace, 302, &wait), PACE_AGAIN, "no redirect is followed");
}
