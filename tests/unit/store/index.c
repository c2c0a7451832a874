/* A lost, broken or contradictory index is made again from the arena: the same listing. */
#include "tests/unit/store/each_house.h"

#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(index, .init = setup, .fini = teardown, .timeout = 120);

/* -- a lost index ---------------------------------------------------------------------------------------------------- */

Test(index, a_lost_index_is_rebuilt_the_same)
{
	for (unsigned i = 0; i < 200; i++)
		cr_assert_eq(put_seeded(&house, i, i * 431, NULL), ERR_OK);
	size_t count;
	struct cid *all = list_all(&house, &count);
	for (size_t i = 0; i < count; i += 3)
		cr_assert_eq(delete_now(&house, &all[i]), ERR_OK);
	for (unsigned i = 0; i < 40; i++)
		cr_assert_eq(put_seeded(&house, 1000 + i, i * 2500, NULL), ERR_OK);
	x_free(&all);
	expect_same_after_rebuild(&house);
	expect_same_after_rebuild(&house);
	cr_assert_eq(put_seeded(&house, 5000, 100000, NULL), ERR_OK);
	expect_same_after_rebuild(&house);
}

/* What stands in the arena of one unit and the next few. */
static void arena_bytes(uint64_t at, void *bytes, size_t length, bool put)
{
	int fd = open(house_file(&house, "arena"), O_RDWR | O_CLOEXEC);
	ssize_t moved = put ? pwrite(fd, bytes, length, (off_t)at) : pread(fd, bytes, length, (off_t)at);
	cr_assert(fd >= 0 && moved == (ssize_t)length);
	close(fd);
}

static bool header_at(uint64_t at)
{
	char magic[8];
	arena_bytes(at, magic, sizeof magic, false);
	return memcmp(magic, "WRNBLOB\n", sizeof magic) == 0;
}

/* A blob that was deleted and put again elsewhere; and its old header is back, whole, as a lost write can leave it. */
Test(index, of_two_headers_of_a_blob_the_newer_counts)
{
	enum { LENGTH = 5000 };
	static uint8_t old[8 * 1024];
	size_t stored = charge_of(LENGTH);
	struct cid before, cid;
	cr_assert_leq(stored, sizeof old);
	cr_assert_eq(put_seeded(&house, 1, LENGTH, &before), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, LENGTH, &cid), ERR_OK);
	uint64_t old_at = header_in_arena(&house, &cid);
	arena_bytes(old_at, old, stored, false);
	cr_assert_eq(delete_now(&house, &cid), ERR_OK);
	cr_assert_eq(delete_now(&house, &before), ERR_OK);
	settle(&house);
	cr_assert_eq(put_seeded(&house, 2, LENGTH, NULL), ERR_OK);
	uint64_t new_at = header_in_arena(&house, &cid);
	cr_assert(new_at + stored <= old_at || old_at + stored <= new_at, "put where it was");
	house_close(&house);
	arena_bytes(old_at, old, stored, true);
	house_lose_index(&house);
	house_open(&house);
	cr_expect(stat_of(&house).rebuilt);
	cr_expect(header_at(new_at), "the newer header is gone");
	cr_expect_not(header_at(old_at), "the older header is still there");
	cr_expect_eq(get_seeded(&house, 2, LENGTH), ERR_OK);
	house_audit(&house);
}

Test(index, garbage_in_the_place_of_the_index)
{
	cr_assert_eq(put_seeded(&house, 1, 70000, NULL), ERR_OK);
	house_close(&house);
	static const char *const garbage[] = {
		"", "x",
		("this is not a database, and is longer than a hundred bytes, so that "
		 "SQLite looks at all of its header before it says so")};
	for (size_t i = 0; i < 3; i++) {
		FILE *out = fopen(house_file(&house, "index.db"), "w");
		fputs(garbage[i], out);
		fclose(out);
		house_open(&house);
		cr_expect(stat_of(&house).rebuilt);
		cr_expect_eq(get_seeded(&house, 1, 70000), ERR_OK);
		house_audit(&house);
		house_close(&house);
	}
}

/* A row, or a sum, that contradicts the others. */
Test(index, an_index_that_contradicts_itself)
{
	static const char *const changes[] = {
		"UPDATE meta SET units = units + 1",
		"UPDATE meta SET blobs = blobs - 1",
		"UPDATE meta SET bytes = 0",
		"UPDATE blob SET size = size + 5000",
		"UPDATE blob SET runs = x'0000'",
		"UPDATE blob SET runs = (SELECT max(runs) FROM blob)", /* two blobs in one place */
		"UPDATE blob SET id = x'00' WHERE size = 1500",
		"DELETE FROM blob WHERE size = 1500",
		"DROP TABLE dying",
		"DELETE FROM meta",
	};
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(put_seeded(&house, i, 1500, NULL), ERR_OK);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		house_close(&house);
		house_execute(&house, changes[i]);
		house_open(&house);
		cr_expect(stat_of(&house).rebuilt, "%s", changes[i]);
		cr_expect_eq(stat_of(&house).blobs, 3);
		house_audit(&house);
	}
}

/* An index that turns out damaged while it is used: the process ends, and the next one rebuilds it. */
Test(index, an_index_that_breaks_while_it_is_open)
{
	for (unsigned i = 0; i < 50; i++)
		cr_assert_eq(put_seeded(&house, i, 1000, NULL), ERR_OK);
	house_close(&house);
	pid_t child = fork();
	if (child == 0) {
		house_open(&house);
		int fd = open(house_file(&house, "index.db"), O_RDWR);
		uint8_t zero[4096] = {0};
		for (off_t page = 1; page < 30; page++)
			if (pwrite(fd, zero, sizeof zero, page * 4096) < 0)
				_exit(1);
		for (unsigned i = 100; i < 400; i++)
			put_seeded(&house, i, 1000, NULL);
		_exit(0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %x", status);
	house_open(&house);
	cr_expect(stat_of(&house).rebuilt);
	for (unsigned i = 0; i < 50; i++)
		cr_expect_eq(get_seeded(&house, i, 1000), ERR_OK);
	house_audit(&house);
}
