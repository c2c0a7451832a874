/* Stores of older versions, as older programs wrote them: each opens, holds the same blobs afterwards, and keeps what it was.
 * A newer one is not touched. fixtures/README.md says where they come from. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/house.h"

#include "actors/store/index.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const fixtures[] = {"index-v1-first", "index-v1-commits-killed", "index-v1-synced"};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

/* What fixtures/README.md says that was put, and what was deleted of it. */
static const size_t lengths[] = {10, 500, 70, 0, 2000, 1, 300, 3000, 1024, 400};

static void unpack(struct house *house, const char *name)
{
	char path[300];
	int status;
	house_make(house, 8 * MIB);
	snprintf(path, sizeof path, WARREN_FIXTURES "/%s.tar.gz", name);
	pid_t child = fork();
	if (child == 0) {
		execlp("tar", "tar", "-C", house->path, "--no-same-owner", "-xzf", path, (char *)NULL);
		_exit(127);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "%s is not unpacked", path);
}

static void expect_blobs(struct house *house, const char *what)
{
	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(get_seeded(house, i, lengths[i]), i % 3 == 2 ? ERR_NOT_FOUND : ERR_OK,
			     "%s: blob %u", what, i);
	cr_assert_eq(get_seeded(house, 20, 600), ERR_OK, "%s", what);
	cr_assert_eq(stat_of(house).blobs, 8, "%s", what);
	house_audit(house);
}

static bool same_inode(const struct house *house, const char *name, ino_t inode)
{
	struct stat at;
	return stat(house_file(house, name), &at) == 0 && at.st_ino == inode;
}

static ino_t inode_of(const struct house *house, const char *name)
{
	struct stat at;
	cr_assert_eq(stat(house_file(house, name), &at), 0);
	return at.st_ino;
}

TestSuite(older, .timeout = 300);

Test(older, each_fixture_opens_with_its_blobs_and_keeps_what_it_was)
{
	for (unsigned i = 0; i < FIXTURES; i++) {
		struct house house;
		unpack(&house, fixtures[i]);
		ino_t was = inode_of(&house, "index.db");
		house_open(&house);
		cr_expect_not(stat_of(&house).rebuilt, "%s was rebuilt, not migrated", fixtures[i]);
		expect_blobs(&house, fixtures[i]);
		cr_expect(same_inode(&house, "index.db.v1", was), "%s: the old one is not kept", fixtures[i]);
		cr_expect_not(house_has(&house, "index.db.draft"));
		cr_expect_not(house_has(&house, "index.db.keep"));
		cr_assert_eq(put_seeded(&house, 30, 5000, NULL), ERR_OK);
		house_close(&house);
		house_open(&house); /* and is not migrated again */
		cr_expect(same_inode(&house, "index.db.v1", was));
		cr_expect_eq(get_seeded(&house, 30, 5000), ERR_OK);
		struct cid cid;
		static uint8_t bytes[5000];
		fill(bytes, sizeof bytes, 30);
		cid = cid_of(bytes, sizeof bytes);
		cr_expect_eq(delete_now(&house, &cid), ERR_OK);
		expect_same_after_rebuild(&house);
		expect_blobs(&house, fixtures[i]);
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
	unpack(&house, fixtures[1]);
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
	cr_assert_eq(index_migrate(folder, path, NULL, NULL, why), INDEX_OK, "%s", why);
	close(folder);
	cr_expect_not(house_has(&house, "index.db-wal"));
	cr_assert_eq(index_open(&index, path, &store, INDEX_WRITES), INDEX_OK);
	cr_assert_eq(index_counts(index, &counts), INDEX_OK);
	cr_expect_eq(counts.blobs, 8);
	cr_expect_eq(counts.synced, counts.sequence);
	index_close(&index);
	house_open(&house);
	cr_expect_not(stat_of(&house).rebuilt);
	expect_blobs(&house, "killed");
	house_remove(&house);
}

/* Of the index that is kept, an older program makes what it always did: it is that very file, and whole. */
Test(older, the_kept_one_is_whole)
{
	struct house house;
	unpack(&house, fixtures[0]);
	house_open(&house);
	house_close(&house);
	char kept[200];
	snprintf(kept, sizeof kept, "%s", house_file(&house, "index.db.v1"));
	unlink(house_file(&house, "index.db"));
	cr_assert_eq(link(kept, house_file(&house, "index.db")), 0);
	house_open(&house); /* migrated once more, from the same file under both names */
	cr_expect_not(stat_of(&house).rebuilt);
	expect_blobs(&house, "kept");
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
	ino_t index = inode_of(&house, "index.db");
	expect_newer(&house, "index.db is of version 9, and this warren knows 2");
	cr_expect(same_inode(&house, "index.db", index));
	house_execute(&house, "PRAGMA user_version = 2");
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

/* -- a migration that is cut off, or fails ------------------------------------------------------------------------------ */

static int open_in_a_process(struct house *house, enum disk_trouble trouble, uint64_t nth, int number)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		disk_trouble(trouble, nth, number, nth);
		enum store_end end = house_try(house);
		if (end == STORE_OK)
			house_close(house);
		_exit(disk_fired() ? 1 : end == STORE_OK ? 0 : 2);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

/* Killed before each call that changes something, or the power goes there: the next start has every blob, by migration and not by
 * a rebuild, and the old one is kept. */
static void cut_off(enum disk_trouble trouble, const char *what)
{
	unsigned before = 0, after = 0;
	for (uint64_t nth = 1;; nth++) {
		struct house house;
		unpack(&house, fixtures[nth % FIXTURES]);
		ino_t was = inode_of(&house, "index.db");
		int status = open_in_a_process(&house, trouble, nth, 0);
		bool done = status == 0, old = same_inode(&house, "index.db", was);
		cr_assert(done || (WIFEXITED(status) && WEXITSTATUS(status) == DISK_ENDED),
			  "%s %lu: status %x", what, (unsigned long)nth, status);
		before += !done && old;
		after += !done && !old;
		house_open(&house);
		cr_assert_not(stat_of(&house).rebuilt, "%s %lu", what, (unsigned long)nth);
		expect_blobs(&house, what);
		cr_assert(same_inode(&house, "index.db.v1", was), "%s %lu: the old one is lost", what,
			  (unsigned long)nth);
		cr_assert_not(house_has(&house, "index.db.draft"));
		cr_assert_not(house_has(&house, "index.db.keep"));
		house_remove(&house);
		if (done)
			break;
	}
	cr_expect(before > 10 && after > 3, "%u before, %u after the new one was there", before, after);
}

Test(older, killed_at_each_step_of_a_migration)
{
	cut_off(DISK_PROCESS_ENDS, "killed at");
}

Test(older, power_lost_at_each_step_of_a_migration)
{
	cut_off(DISK_POWER_ENDS, "power lost at");
}

/* A disk that is full or fails from some call on: the old one stays as it was, nothing half is left in force, and it goes on when
 * the disk is good again. */
static void fails(int number, const char *what)
{
	unsigned refused = 0;
	for (uint64_t nth = 1;; nth++) {
		struct house house;
		unpack(&house, fixtures[nth % FIXTURES]);
		ino_t was = inode_of(&house, "index.db");
		int status = open_in_a_process(&house, DISK_FAILS, nth, number);
		bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
		cr_assert(died || WIFEXITED(status), "%s %lu: status %x", what, (unsigned long)nth, status);
		refused += same_inode(&house, "index.db", was);
		house_open(&house);
		cr_assert_not(stat_of(&house).rebuilt, "%s %lu", what, (unsigned long)nth);
		expect_blobs(&house, what);
		cr_assert(same_inode(&house, "index.db.v1", was), "%s %lu", what, (unsigned long)nth);
		house_remove(&house);
		if (status == 0)
			break;
	}
	cr_expect_gt(refused, 10U, "%u", refused);
}

Test(older, the_disk_fails_in_a_migration)
{
	fails(EIO, "EIO from");
}

Test(older, the_disk_is_full_in_a_migration)
{
	fails(ENOSPC, "ENOSPC from");
}

/* What says it is of version 1 and is not: no draft of it comes into force; the arena tells all, as ever. */
Test(older, a_damaged_older_index_is_rebuilt)
{
	struct house house;
	unpack(&house, fixtures[0]);
	house_execute(&house, "ALTER TABLE meta DROP COLUMN units");
	house_open(&house);
	cr_expect(stat_of(&house).rebuilt);
	expect_blobs(&house, "damaged");
	cr_expect_not(house_has(&house, "index.db.draft"));
	house_remove(&house);
}
