/* The machine rule of FEATURES K2, with its own figures. */
#include "supervisor/room.h"

#include <criterion/criterion.h>

static const uint64_t GIB = UINT64_C(1) << 30, MIB = UINT64_C(1) << 20;

Test(room, a_hundred_with_eighty_free_may_promise_sixty_four)
{
	struct room_left left = room_left(&(struct room){.total = 100 * GIB, .free = 80 * GIB});
	cr_assert_eq(left.share, 64 * GIB);
	cr_assert_eq(left.keep, 70 * GIB);
	cr_assert_eq(left.allocatable, 64 * GIB);
	cr_assert_eq(left.binds, ROOM_SHARE);
}

Test(room, after_fifteen_forty_nine_remain)
{
	struct room_left left = room_left(&(struct room){
		.total = 100 * GIB, .free = 65 * GIB, .reserved = 15 * GIB, .allocated = 15 * GIB});
	cr_assert_eq(left.allocatable, 49 * GIB);
	cr_assert_eq(left.keep, 55 * GIB);
	cr_assert_eq(left.binds, ROOM_SHARE);
}

Test(room, a_promise_that_is_not_reserved_yet_counts_the_same)
{
	struct room_left left =
		room_left(&(struct room){.total = 100 * GIB, .free = 80 * GIB, .allocated = 15 * GIB});
	cr_assert_eq(left.allocatable, 49 * GIB);
	cr_assert_eq(left.keep, 55 * GIB);
}

Test(room, on_a_full_disk_the_tenth_that_is_kept_binds)
{
	struct room_left left = room_left(&(struct room){.total = 100 * GIB, .free = 12 * GIB});
	cr_assert_eq(left.keep, 2 * GIB);
	cr_assert_eq(left.allocatable, 2 * GIB);
	cr_assert_eq(left.binds, ROOM_KEEP);
}

Test(room, on_a_small_disk_a_whole_gib_is_kept)
{
	struct room_left left = room_left(&(struct room){.total = 4 * GIB, .free = 2 * GIB});
	cr_assert_eq(left.keep, 1 * GIB);
}

Test(room, nothing_is_less_than_nothing)
{
	struct room_left left =
		room_left(&(struct room){.total = 100 * GIB, .free = 1 * GIB, .allocated = 90 * GIB});
	cr_assert_eq(left.share, 0);
	cr_assert_eq(left.keep, 0);
	cr_assert_eq(left.allocatable, 0);
}

Test(room, a_store_takes_its_quota_two_sixty_fourths_and_thirty_two_mib)
{
	cr_assert_eq(store_takes(1024), 1024 * MIB + 16 * MIB + 16 * MIB + 32 * MIB);
	cr_assert_eq(store_takes(4194304), 4096 * GIB + 128 * GIB + 32 * MIB);
}
