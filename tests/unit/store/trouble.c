/* A disk that takes no writes, or is full: reads go on, puts are refused and say why, and it ends without a restart. */
#include "tests/unit/store/each_house.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(trouble, .init = setup, .fini = teardown, .timeout = 120);

/* -- a disk that takes no writes -------------------------------------------------------------------------------------- */

Test(trouble, a_disk_that_became_read_only)
{
	cr_assert_eq(put_seeded(&house, 1, 100000, NULL), ERR_OK);
	disk_read_only(true);
	cr_expect_eq(put_seeded(&house, 2, 100000, NULL), ERR_DISK);
	cr_expect_not_null(stat_of(&house).trouble);
	cr_expect_eq(put_seeded(&house, 3, 10, NULL), ERR_DISK);
	cr_expect_eq(get_seeded(&house, 1, 100000), ERR_OK, "reads go on");
	struct cid cid = cid_of("", 0);
	cr_expect_neq(delete_now(&house, &cid), ERR_OK);
	store_tend(house.store);
	turn(&house);
	cr_expect_not_null(stat_of(&house).trouble);
	disk_read_only(false);
	store_tend(house.store);
	turn(&house);
	cr_expect_null(stat_of(&house).trouble, "it recovers without a restart");
	cr_expect_eq(put_seeded(&house, 2, 100000, NULL), ERR_OK);
	house_audit(&house);
}

/* In a process of its own, which ends without closing: the log stays behind, and what it was deleting. */
static void put_and_die(uint64_t seed, size_t length)
{
	pid_t child = fork();
	if (child == 0) {
		house_open(&house);
		_exit(put_seeded(&house, seed, length, NULL) == ERR_OK ? 0 : 1);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

Test(trouble, a_disk_that_was_read_only_from_the_start)
{
	cr_assert_eq(put_seeded(&house, 1, 100000, NULL), ERR_OK);
	house_close(&house);
	for (unsigned unclean = 0; unclean < 2; unclean++) {
		if (unclean)
			put_and_die(2, 5000);
		cr_expect_eq(house_has(&house, "index.db-wal"), unclean);
		disk_read_only(true);
		house_open(&house);
		cr_expect_not_null(stat_of(&house).trouble);
		cr_expect_eq(stat_of(&house).blobs, 1 + unclean);
		cr_expect_eq(get_seeded(&house, 1, 100000), ERR_OK);
		cr_expect_eq(get_seeded(&house, 2, 5000), unclean ? ERR_OK : ERR_NOT_FOUND);
		cr_expect_eq(put_seeded(&house, 3, 1, NULL), ERR_DISK);
		cr_expect_eq(delete_now(&house, &(struct cid){{0}}), ERR_DISK);
		store_tend(house.store);
		house_audit(&house);
		house_close(&house);
		disk_read_only(false);
	}
	house_open(&house);
	cr_expect_null(stat_of(&house).trouble);
	cr_expect_eq(put_seeded(&house, 3, 1, NULL), ERR_OK);
	house_audit(&house);
}

/* Nobody puts anything: it is noticed all the same. */
Test(trouble, an_idle_disk_that_became_read_only)
{
	disk_read_only(true);
	for (unsigned second = 0; second < 30 && !stat_of(&house).trouble; second++)
		store_tend(house.store);
	cr_expect_not_null(stat_of(&house).trouble);
	disk_read_only(false);
	for (unsigned second = 0; second < 3; second++) {
		store_tend(house.store);
		settle(&house);
	}
	cr_expect_null(stat_of(&house).trouble);
	cr_expect_eq(put_seeded(&house, 1, 1000, NULL), ERR_OK);
}

/* -- a full disk ----------------------------------------------------------------------------------------------------- */

/* Somebody else has filled the disk. The arena is ours already; the index grows into what the ballast gives back. */
Test(trouble, a_disk_that_others_filled)
{
	disk_space(0);
	for (unsigned i = 0; i < 2000; i++)
		cr_assert_eq(put_seeded(&house, i, 100, NULL), ERR_OK, "%u", i);
	cr_expect_eq(get_seeded(&house, 77, 100), ERR_OK);
	uint8_t bytes[100];
	for (unsigned i = 0; i < 2000; i += 2) {
		fill(bytes, 100, i);
		struct cid cid = cid_of(bytes, 100);
		cr_assert_eq(delete_now(&house, &cid), ERR_OK, "deletes work");
	}
	house_audit(&house);
	cr_expect_null(stat_of(&house).trouble);
}

/* And the ballast is gone, too: puts fail and say so, deletes work, and all is well again when there is room. */
Test(trouble, a_disk_that_is_full_to_the_brim)
{
	house_close(&house);
	cr_assert_eq(truncate(house_file(&house, "ballast"), 5 * MIB), 0);
	disk_space(MIB / 4); /* enough to start with, and not to fill up the ballast */
	house_open(&house);
	disk_space(0);
	unsigned i = 0, stored;
	enum err err;
	while ((err = put_seeded(&house, i, 3000, NULL)) == ERR_OK)
		cr_assert_lt(++i, 100000U);
	stored = i;
	cr_expect_eq(err, ERR_DISK);
	cr_expect_not_null(stat_of(&house).trouble);
	house_audit(&house);
	cr_expect_gt(stored, 100U);
	for (unsigned k = 0; k < stored; k += 10)
		cr_expect_eq(get_seeded(&house, k, 3000), ERR_OK);
	uint8_t bytes[3000];
	fill(bytes, sizeof bytes, 3);
	struct cid cid = cid_of(bytes, sizeof bytes);
	cr_expect_eq(delete_now(&house, &cid), ERR_OK);
	store_tend(house.store);
	turn(&house);
	cr_expect_not_null(stat_of(&house).trouble, "nothing has changed");
	disk_space(UINT64_MAX);
	store_tend(house.store);
	turn(&house);
	cr_expect_null(stat_of(&house).trouble);
	cr_expect_eq(put_seeded(&house, 3, 3000, NULL), ERR_OK);
	house_audit(&house);
	expect_same_after_rebuild(&house);
}
