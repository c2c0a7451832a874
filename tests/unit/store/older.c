/* Stores of older versions, as older programs wrote them: each opens, holds the same blobs afterwards, and keeps what it was.
 * A newer one is not touched. fixtures/README.md says where they come from. */
#include "tests/unit/store/fixture.h"

#include "actors/store/index.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(older, .timeout = 300);

Test(older, each_fixture_opens_with_its_blobs_and_keeps_what_it_was)
{
	for (unsigned i = 0; i < FIXTURES_OLDER; i++) {
		struct house house;
		fixture_unpack(&house, fixtures[i]);
		ino_t was = house_inode(&house, "index.db");
		house_open(&house);
		cr_expect_not(stat_of(&house).rebuilt, "%s was rebuilt, not migrated", fixtures[i]);
		expect_fixture(&house, fixtures[i]);
		cr_expect(house_is_inode(&house, fixtures_kept[i], was), "%s: the old one is not kept",
			  fixtures[i]);
		cr_expect_not(house_has(&house, "index.db.draft"));
		cr_expect_not(house_has(&house, "index.db.keep"));
		cr_assert_eq(put_seeded(&house, 30, 5000, NULL), ERR_OK);
		house_close(&house);
		house_open(&house); /* and is not migrated again */
		cr_expect(house_is_inode(&house, fixtures_kept[i], was));
		cr_expect_eq(get_seeded(&house, 30, 5000), ERR_OK);
		struct cid cid;
		static uint8_t bytes[5000];
		fill(bytes, sizeof bytes, 30);
		cid = cid_of(bytes, sizeof bytes);
		cr_expect_eq(delete_now(&house, &cid), ERR_OK);
		expect_same_after_rebuild(&house);
		expect_fixture(&house, fixtures[i]);
		house_remove(&house);
	}
}

/* Whoever wrote it died: what is in its log alone is not lost, and its log is not read into the new one. What has a row was synced
 * before the row was written, as that program did. */
Test(older, the_log_of_a_killed_one_counts)
{
	struct house house;
	struct index *index;
	struct index_counts counts;
	struct store_id store;
	unsigned id[sizeof store];
	char path[200], why[INDEX_MIGRATE_WHY], text[33];
	unsigned from;
	fixture_unpack(&house, fixtures[1]);
	cr_assert(house_has(&house, "index.db-wal"));
	FILE *marker = fopen(house_file(&house, "marker"), "r");
	cr_assert_eq(fscanf(marker, "warren store 1 node 7 store %32s", text), 1);
	fclose(marker);
	for (unsigned i = 0; i < sizeof store; i++) {
		cr_assert_eq(sscanf(text + 2 * i, "%2x", &id[i]), 1);
		store.bytes[i] = (uint8_t)id[i];
	}
	int folder = open(house.path, O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof path, "%s", house_file(&house, "index.db"));
	cr_assert_eq(index_migrate(folder, path, &from, NULL, NULL, why), INDEX_OK, "%s", why);
	cr_expect_eq(from, 1);
	close(folder);
	cr_expect_not(house_has(&house, "index.db-wal"));
	cr_assert_eq(index_open(&index, path, &store, INDEX_WRITES), INDEX_OK);
	cr_assert_eq(index_counts(index, &counts), INDEX_OK);
	cr_expect_eq(counts.blobs, 8);
	cr_expect_eq(counts.synced, counts.sequence);
	index_close(&index);
	house_open(&house);
	cr_expect_not(stat_of(&house).rebuilt);
	expect_fixture(&house, "killed");
	house_remove(&house);
}

/* Of the index that is kept, an older program makes what it always did: it is that very file, and whole. */
Test(older, the_kept_one_is_whole)
{
	struct house house;
	fixture_unpack(&house, fixtures[0]);
	house_open(&house);
	house_close(&house);
	char kept[200];
	snprintf(kept, sizeof kept, "%s", house_file(&house, "index.db.v1"));
	unlink(house_file(&house, "index.db"));
	cr_assert_eq(link(kept, house_file(&house, "index.db")), 0);
	house_open(&house); /* migrated once more, from the same file under both names */
	cr_expect_not(stat_of(&house).rebuilt);
	expect_fixture(&house, "kept");
	house_remove(&house);
}

static void expect_newer(struct house *house, const char *sentence)
{
	cr_assert_eq(house_try(house), STORE_NEWER);
	cr_expect_not_null(strstr(house->why, sentence), "%s", house->why);
	cr_expect_not_null(strstr(house->why, "install the warren that wrote it"), "%s", house->why);
}

static void put_byte(const struct house *house, const char *name, off_t at, uint8_t byte)
{
	int fd = open(house_file(house, name), O_RDWR | O_CLOEXEC);
	cr_assert(pwrite(fd, &byte, 1, at) == 1);
	close(fd);
}

Test(older, newer_ones_are_refused_by_both_versions_and_not_touched)
{
	struct house house;
	house_new(&house, 8 * MIB);
	cr_assert_eq(put_seeded(&house, 1, 3000, NULL), ERR_OK);
	house_close(&house);
	house_execute(&house, "PRAGMA user_version = 9");
	ino_t index = house_inode(&house, "index.db");
	expect_newer(&house, "index.db is of version 9, and this warren knows 3");
	cr_expect(house_is_inode(&house, "index.db", index));
	house_execute(&house, "PRAGMA user_version = 3");
	put_byte(&house, "marker", 13, '7');
	expect_newer(&house, "marker is of version 7, and this warren knows 1");
	put_byte(&house, "marker", 13, '1');
	put_byte(&house, "arena", 8, 3);
	put_byte(&house, "arena", 65536 + 8, 3);
	expect_newer(&house, "arena is of version 3, and this warren knows 1");
	put_byte(&house, "arena", 8, 1);
	put_byte(&house, "arena", 65536 + 8, 1);
	house_open(&house);
	cr_expect_eq(get_seeded(&house, 1, 3000), ERR_OK);
	house_remove(&house);
}

/* What says it is of version 1 and is not: no draft of it comes into force; the arena tells all, as ever. */
Test(older, a_damaged_older_index_is_rebuilt)
{
	struct house house;
	fixture_unpack(&house, fixtures[0]);
	house_execute(&house, "ALTER TABLE meta DROP COLUMN units");
	house_open(&house);
	cr_expect(stat_of(&house).rebuilt);
	expect_fixture(&house, "damaged");
	cr_expect_not(house_has(&house, "index.db.draft"));
	house_remove(&house);
}
