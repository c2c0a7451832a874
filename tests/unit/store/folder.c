/* The files of a store: one that is missing, another's, half made, made by a newer program. Never a store made anew in the place of
 * one that is only not there. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/each_house.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

TestSuite(folder, .init = setup, .fini = teardown, .timeout = 120);

/* -- files that are missing, or are somebody else's ------------------------------------------------------------------- */

static void expect_open(enum store_end expected, const char *word)
{
	enum store_end end = house_try(&house);
	cr_expect_eq(end, expected, "%d: %s", end, house.why);
	cr_expect_not_null(strstr(house.why, word), "\"%s\" does not say \"%s\"", house.why, word);
	if (end == STORE_OK)
		house_close(&house);
}

static void away(const char *name)
{
	char there[128], gone[160];
	snprintf(there, sizeof there, "%s", house_file(&house, name));
	snprintf(gone, sizeof gone, "%s.away", there);
	cr_assert_eq(rename(there, gone), 0);
}

static void back(const char *name)
{
	char there[128], gone[160];
	snprintf(there, sizeof there, "%s", house_file(&house, name));
	snprintf(gone, sizeof gone, "%s.away", there);
	cr_assert_eq(rename(gone, there), 0);
}

Test(folder, an_empty_folder_is_not_a_store)
{
	house_close(&house);
	struct house empty;
	house_make(&empty, 16 * MIB);
	cr_expect_eq(house_try(&empty), STORE_NO_MARKER);
	cr_expect_not_null(strstr(empty.why, "not mounted"));
	cr_expect_not(house_has(&empty, "arena"));
	cr_expect_not(house_has(&empty, "index.db"));
	house_remove(&empty);
}

Test(folder, each_file_that_may_be_missing)
{
	cr_assert_eq(put_seeded(&house, 1, 100000, NULL), ERR_OK);
	house_close(&house);
	away("marker");
	expect_open(STORE_NO_MARKER, "marker");
	back("marker");
	away("arena");
	expect_open(STORE_NO_ARENA, "arena");
	back("arena");
	away("ballast");
	house_open(&house);
	cr_expect_eq(get_seeded(&house, 1, 100000), ERR_OK);
	struct stat stat_;
	cr_expect_eq(stat(house_file(&house, "ballast"), &stat_), 0);
	cr_expect_gt(stat_.st_size, 30 * MIB, "filled up again");
}

Test(folder, what_is_another_nodes)
{
	house_close(&house);
	house.shape.node = NODE + 1;
	expect_open(STORE_OTHER_NODE, "node 7");
	house.shape.node = NODE;
	house.secret[0] ^= 1;
	expect_open(STORE_OTHER_SECRET, "secret");
	house.secret[0] ^= 1;
	house_open(&house);
	house_close(&house);

	struct house other;
	char cmd[128];
	house_new(&other, 16 * MIB);
	house_close(&other);
	away("arena");
	snprintf(cmd, sizeof cmd, "%s", house_file(&other, "arena"));
	cr_assert_eq(rename(cmd, house_file(&house, "arena")), 0);
	expect_open(STORE_DAMAGED, "two different stores");
	cr_assert_eq(rename(house_file(&house, "arena"), cmd), 0);
	back("arena");

	/* an index of another store is no index of this one */
	house_open(&house);
	cr_assert_eq(put_seeded(&house, 1, 1000, NULL), ERR_OK);
	house_close(&house);
	snprintf(cmd, sizeof cmd, "%s", house_file(&other, "index.db"));
	cr_assert_eq(rename(cmd, house_file(&house, "index.db")), 0);
	house_open(&house);
	cr_expect(stat_of(&house).rebuilt);
	cr_expect_eq(get_seeded(&house, 1, 1000), ERR_OK);
	house_audit(&house);
	house_remove(&other);
}

Test(folder, one_store_one_process)
{
	cr_assert_eq(put_seeded(&house, 1, 1000, NULL), ERR_OK);
	struct house second = house;
	second.store = NULL;
	cr_expect_eq(house_try(&second), STORE_TAKEN);
	cr_expect_eq(get_seeded(&house, 1, 1000), ERR_OK);
}

Test(folder, a_newer_index_is_left_alone)
{
	cr_assert_eq(put_seeded(&house, 1, 1000, NULL), ERR_OK);
	house_close(&house);
	house_execute(&house, "PRAGMA user_version = 4");
	expect_open(STORE_NEWER, "of version 4");
	house_execute(&house, "PRAGMA user_version = 3");
	house_open(&house);
	cr_expect_not(stat_of(&house).rebuilt);
	cr_expect_eq(get_seeded(&house, 1, 1000), ERR_OK);
}

/* -- making ---------------------------------------------------------------------------------------------------------- */

Test(folder, making_twice_finds_the_first)
{
	uint64_t physical;
	bool found;
	cr_assert_eq(put_seeded(&house, 1, 1000, NULL), ERR_OK);
	house_close(&house);
	cr_expect_eq(store_init(&house.shape, &physical, &found, house.why), STORE_OK);
	cr_expect(found);
	struct stat arena;
	cr_assert_eq(stat(house_file(&house, "arena"), &arena), 0);
	cr_expect_eq(physical, (uint64_t)arena.st_size + 32 * MIB + house.shape.quota / 64);
	house_open(&house);
	cr_expect_eq(get_seeded(&house, 1, 1000), ERR_OK);
	house_close(&house);
	/* its marker is gone, but it was in use: not to be made anew */
	away("marker");
	cr_expect_eq(store_init(&house.shape, &physical, &found, house.why), STORE_DAMAGED);
	cr_expect_not_null(strstr(house.why, "marker"));
	back("marker");
	house_open(&house);
	cr_expect_eq(get_seeded(&house, 1, 1000), ERR_OK);
}

Test(folder, making_without_room_says_how_much)
{
	struct house house_;
	uint64_t physical;
	bool found;
	house_make(&house_, 100 * MIB);
	disk_space(50 * MIB);
	cr_expect_eq(store_init(&house_.shape, &physical, &found, house_.why), STORE_NO_ROOM);
	cr_expect_not_null(strstr(house_.why, "quota_mb 100 needs 135 MiB"), "%s", house_.why);
	disk_space(110 * MIB);
	cr_expect_eq(store_init(&house_.shape, &physical, &found, house_.why), STORE_NO_ROOM,
		     "the reserve of the index");
	cr_expect_not(house_has(&house_, "marker"));
	disk_space(UINT64_MAX);
	house_init(&house_);
	house_remove(&house_);
}

/* A name that a power cut takes back is a store that is not there: whatever says that all is well has synced its folder. */
Test(folder, what_was_named_is_named_on_the_disk)
{
	struct house house_;
	house_make(&house_, 8 * MIB);
	house_init(&house_);
	cr_expect(disk_names_synced(), "made");
	house_open(&house_);
	cr_assert_eq(put_seeded(&house_, 1, 1000, NULL), ERR_OK);
	cr_expect(disk_names_synced(), "put");
	house_close(&house_);
	house_lose_index(&house_);
	house_open(&house_);
	cr_expect(stat_of(&house_).rebuilt);
	cr_expect(disk_names_synced(), "rebuilt");
	house_remove(&house_);
}
