/* What is on the disk is not what was written, or is not there: flipped bits, lost files, another's files, a disk that takes no
 * writes. Never wrong bytes, never a store made anew. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/house.h"

#include "actors/base/memory/memory.h"
#include "actors/store/head.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct house house;

static void setup(void)
{
	house_new(&house, 16 * MIB);
}

static void teardown(void)
{
	disk_trouble(DISK_GOOD, 0, 0, 0);
	disk_read_only(false);
	disk_space(UINT64_MAX);
	house_remove(&house);
}

TestSuite(damage, .init = setup, .fini = teardown, .timeout = 120);

/* -- flipped bits ---------------------------------------------------------------------------------------------------- */

struct told {
	unsigned count;
	struct cid cid;
	uint64_t chunk;
};

static void on_corrupt(void *context, const struct cid *cid, uint64_t chunk)
{
	struct told *told = context;
	*told = (struct told){told->count + 1, *cid, chunk};
}

/* Where a blob's bytes lie in the arena file, when they lie together. */
static uint64_t place_of(const struct cid *cid)
{
	return header_in_arena(&house, cid);
}

/* One bit of each region of a blob, each in a fresh blob: it is noticed, told once, counted, remembered, and replaced by the
 * next upload of the same bytes. */
static void one_bit(uint64_t seed, size_t length, uint64_t byte, unsigned bit, uint64_t chunk)
{
	struct cid cid;
	struct told told = {0};
	struct store_figures before = stat_of(&house);
	cr_assert_eq(put_seeded(&house, seed, length, &cid), ERR_OK);
	flip(&house, "arena", place_of(&cid) + byte, bit);
	store_on_corrupt(house.store, on_corrupt, &told);
	cr_expect_eq(get_seeded(&house, seed, length), ERR_CORRUPT, "byte %lu bit %u", (unsigned long)byte,
		     bit);
	turn(&house);
	cr_expect_eq(told.count, 1);
	cr_expect_eq(told.chunk, chunk);
	cr_expect_arr_eq(&told.cid, &cid, sizeof cid);
	cr_expect_eq(stat_of(&house).corrupt, before.corrupt + 1);
	cr_expect_eq(get_seeded(&house, seed, length), ERR_CORRUPT);
	cr_expect_eq(told.count, 1, "told once");
	house_close(&house);
	house_open(&house);
	cr_expect_eq(stat_of(&house).corrupt, before.corrupt + 1, "remembered");
	cr_expect_eq(get_seeded(&house, seed, length), ERR_CORRUPT);
	cr_expect_eq(put_seeded(&house, seed, length, NULL), ERR_OK);
	cr_expect_eq(get_seeded(&house, seed, length), ERR_OK, "replaced");
	settle(&house);
	cr_expect_eq(stat_of(&house).corrupt, before.corrupt);
	cr_expect_eq(stat_of(&house).used, before.used + charge_of(length));
}

Test(damage, one_bit_anywhere)
{
	const size_t length = 2 * CHUNK + 1000;
	const struct {
		uint64_t byte, chunk;
	} rows[] = {
		{0, CORRUPT_HEADER},                /* magic */
		{9, CORRUPT_HEADER},                /* version */
		{16, CORRUPT_HEADER},               /* store */
		{47, CORRUPT_HEADER},               /* id */
		{64, CORRUPT_HEADER},               /* size */
		{80, CORRUPT_HEADER},               /* CID */
		{143, CORRUPT_HEADER},              /* Merkle root */
		{160, CORRUPT_HEADER},              /* runs */
		{255, CORRUPT_HEADER},              /* HMAC */
		{256, 0},                           /* the first byte of the first chunk */
		{256 + CHUNK - 1, 0},               /* its last */
		{256 + CHUNK, 0},                   /* its tag */
		{256 + CHUNK + 15, 0},              /* the end of it */
		{256 + CHUNK + 16, 1},              /* the second chunk */
		{256 + 2 * (CHUNK + 16), 2},        /* the last chunk */
		{256 + 2 * (CHUNK + 16) + 999, 2},  /* its last byte */
		{256 + 2 * (CHUNK + 16) + 1015, 2}, /* the last byte of all */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		one_bit(100 + i, length, rows[i].byte, i % 8, rows[i].chunk);
	one_bit(1, 0, 256, 3, 0); /* an empty blob has a tag */
	one_bit(2, 1, 256, 0, 0);
	house_audit(&house);
}

Test(damage, a_range_beside_the_damage_is_served)
{
	static uint8_t right[3 * CHUNK], into[4 * CHUNK];
	struct stored stored;
	size_t got;
	fill(right, sizeof right, 5);
	cr_assert_eq(put_all(&house, right, sizeof right, &stored), ERR_OK);
	uint64_t at = place_of(&stored.cid);
	flip(&house, "arena", at + 256 + CHUNK + 16 + 5, 0);
	cr_expect_eq(get_range(&house, &stored.cid, 0, CHUNK, into, &got), ERR_OK);
	cr_expect_eq(get_range(&house, &stored.cid, 2 * CHUNK, CHUNK, into, &got), ERR_OK);
	cr_expect(memcmp(into, right + 2 * CHUNK, CHUNK) == 0);
	cr_expect_eq(get_range(&house, &stored.cid, CHUNK - 1, 2, into, &got), ERR_CORRUPT);
	cr_expect_eq(got, 1, "what came before was right and may be used");
}

/* Bytes of one blob in the place of another's, and chunks swapped: all tags are those of real chunks. */
Test(damage, chunks_that_changed_places)
{
	static uint8_t bytes[3 * CHUNK], one[CHUNK + 16], two[CHUNK + 16];
	struct stored stored;
	fill(bytes, sizeof bytes, 6);
	cr_assert_eq(put_all(&house, bytes, sizeof bytes, &stored), ERR_OK);
	uint64_t at = place_of(&stored.cid) + 256;
	int fd = open(house_file(&house, "arena"), O_RDWR);
	cr_assert(pread(fd, one, sizeof one, (off_t)at) > 0 &&
		  pread(fd, two, sizeof two, (off_t)at + CHUNK + 16) > 0);
	cr_assert(pwrite(fd, two, sizeof two, (off_t)at) > 0 &&
		  pwrite(fd, one, sizeof one, (off_t)at + CHUNK + 16) > 0);
	close(fd);
	cr_expect_eq(get_seeded(&house, 6, sizeof bytes), ERR_CORRUPT);
}

Test(damage, a_check_finds_ten_of_a_hundred)
{
	struct cid cids[100];
	struct told told = {0};
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(put_seeded(&house, i, 1000 + 300 * i, &cids[i]), ERR_OK);
	for (unsigned i = 0; i < 10; i++)
		flip(&house, "arena", place_of(&cids[i * 9 + 3]) + (i % 2 ? 300 + i * 50 : i * 25), i % 8);
	store_on_corrupt(house.store, on_corrupt, &told);
	store_check_from(house.store, NULL);
	unsigned steps = 0;
	while (store_check_next(house.store) != CHECK_END)
		cr_assert_lt(++steps, 10000U);
	settle(&house);
	cr_expect_eq(told.count, 10);
	cr_expect_eq(stat_of(&house).corrupt, 10);
	for (unsigned i = 0; i < 100; i++)
		cr_expect_eq(get_seeded(&house, i, 1000 + 300 * i),
			     i % 9 == 3 && i / 9 < 10 ? ERR_CORRUPT : ERR_OK, "%u", i);
}

Test(damage, a_bad_sector_is_not_corruption)
{
	struct cid cid;
	cr_assert_eq(put_seeded(&house, 1, 200000, &cid), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, 200000, NULL), ERR_OK);
	disk_bad_sector(place_of(&cid) + 100000);
	cr_expect_eq(get_seeded(&house, 1, 200000), ERR_DISK);
	cr_expect_eq(get_seeded(&house, 2, 200000), ERR_OK);
	disk_bad_sector(0);
	cr_expect_eq(get_seeded(&house, 1, 200000), ERR_OK);
	cr_expect_eq(stat_of(&house).corrupt, 0);
}

/* -- a file that is cut short ---------------------------------------------------------------------------------------- */

Test(damage, an_arena_that_was_cut)
{
	struct cid first;
	cr_assert_eq(put_seeded(&house, 1, 50000, &first), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, MIB, NULL), ERR_OK);
	uint64_t keep = place_of(&first) + 256 + 50000 + 16 + MIB / 2;
	house_close(&house);
	house_open(&house);
	cr_expect_not(stat_of(&house).check_all);
	house_close(&house);
	cr_assert_eq(truncate(house_file(&house, "arena"), (off_t)keep), 0);
	disk_space(0);
	cr_expect_eq(house_try(&house), STORE_DAMAGED, "no room to put back what was cut off");
	cr_expect_not_null(strstr(house.why, "cut"));
	disk_space(UINT64_MAX);
	house_open(&house);
	cr_expect(stat_of(&house).check_all);
	cr_expect_eq(get_seeded(&house, 1, 50000), ERR_OK);
	cr_expect_eq(get_seeded(&house, 2, MIB), ERR_CORRUPT, "listed still, so that it can be restored");
	house_close(&house);
	cr_assert_eq(truncate(house_file(&house, "arena"), 1000), 0);
	cr_expect_eq(house_try(&house), STORE_DAMAGED);
	cr_assert_eq(truncate(house_file(&house, "arena"), 0), 0);
	cr_expect_eq(house_try(&house), STORE_DAMAGED);
}

/* -- nothing of what was stored can be read on the disk --------------------------------------------------------------- */

static void expect_no_pattern(const char *name, const uint8_t *pattern, size_t period)
{
	int fd = open(house_file(&house, name), O_RDONLY);
	struct stat stat;
	if (fd < 0)
		return;
	cr_assert_eq(fstat(fd, &stat), 0);
	uint8_t *all = x_new((size_t)stat.st_size + 1);
	for (ssize_t at = 0, got; at < stat.st_size; at += got)
		cr_assert((got = pread(fd, all + at, (size_t)(stat.st_size - at), at)) > 0);
	for (size_t i = 0; i < period; i++)
		cr_expect_null(memmem(all, (size_t)stat.st_size, pattern + i, 16), "16 bytes of it are in %s",
			       name);
	x_free(&all);
	close(fd);
}

/* FEATURES B3: 1 MiB of a pattern, no 16 bytes of it anywhere, logs of the index included. */
Test(damage, no_plain_bytes_on_the_disk)
{
	static uint8_t pattern[MIB];
	struct stored stored;
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = "the quick brown fox jumps over the lazy dog, "[i % 45];
	cr_assert_eq(put_all(&house, pattern, sizeof pattern, &stored), ERR_OK);
	cr_assert_eq(put_all(&house, pattern, 100, &stored), ERR_OK);
	static const char *const files[] = {"arena",        "index.db", "index.db-wal",
					    "index.db-shm", "marker",   "ballast"};
	for (int closed = 0; closed < 2; closed++) {
		for (size_t i = 0; i < sizeof files / sizeof *files; i++)
			expect_no_pattern(files[i], pattern, 45);
		house_close(&house);
	}
}

Test(damage, the_same_bytes_look_different_each_time)
{
	struct cid cid;
	uint8_t first[1000], second[1000];
	cr_assert_eq(put_seeded(&house, 1, 1000, &cid), ERR_OK);
	int fd = open(house_file(&house, "arena"), O_RDONLY);
	cr_assert(pread(fd, first, 1000, (off_t)place_of(&cid) + 256) == 1000);
	cr_assert_eq(delete_now(&house, &cid), ERR_OK);
	cr_assert_eq(put_seeded(&house, 1, 1000, &cid), ERR_OK);
	cr_assert(pread(fd, second, 1000, (off_t)place_of(&cid) + 256) == 1000);
	for (size_t i = 0; i + 8 <= sizeof first; i += 8)
		cr_expect_neq(memcmp(first + i, second + i, 8), 0);
	close(fd);
}

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

Test(damage, an_empty_folder_is_not_a_store)
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

Test(damage, each_file_that_may_be_missing)
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

Test(damage, what_is_another_nodes)
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

Test(damage, one_store_one_process)
{
	cr_assert_eq(put_seeded(&house, 1, 1000, NULL), ERR_OK);
	struct house second = house;
	second.store = NULL;
	cr_expect_eq(house_try(&second), STORE_TAKEN);
	cr_expect_eq(get_seeded(&house, 1, 1000), ERR_OK);
}

static void execute(const char *sql)
{
	sqlite3 *db;
	cr_assert_eq(sqlite3_open(house_file(&house, "index.db"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

Test(damage, a_newer_index_is_left_alone)
{
	cr_assert_eq(put_seeded(&house, 1, 1000, NULL), ERR_OK);
	house_close(&house);
	execute("PRAGMA user_version = 2");
	expect_open(STORE_NEWER, "newer");
	execute("PRAGMA user_version = 1");
	house_open(&house);
	cr_expect_not(stat_of(&house).rebuilt);
	cr_expect_eq(get_seeded(&house, 1, 1000), ERR_OK);
}

/* -- making ---------------------------------------------------------------------------------------------------------- */

Test(damage, making_twice_finds_the_first)
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

/* A death at every step of making: the next one makes it whole. */
Test(damage, making_can_be_cut_off_anywhere)
{
	uint64_t steps = 0;
	for (uint64_t nth = 1;; nth++) {
		struct house half;
		house_make(&half, 8 * MIB);
		pid_t child = fork();
		if (child == 0) {
			uint64_t physical;
			bool found;
			disk_trouble(DISK_PROCESS_ENDS, nth, 0, 0);
			_exit(store_init(&half.shape, &physical, &found, half.why));
		}
		int status;
		cr_assert_eq(waitpid(child, &status, 0), child);
		bool cut = WEXITSTATUS(status) == DISK_ENDED;
		cr_assert(cut || status == 0);
		if (cut && !house_has(&half, "marker"))
			cr_expect_eq(house_try(&half), STORE_NO_MARKER);
		house_init(&half);
		house_open(&half);
		cr_assert_eq(put_seeded(&half, 1, 5000, NULL), ERR_OK);
		house_audit(&half);
		house_remove(&half);
		if (!cut)
			break;
		steps++;
	}
	cr_expect_gt(steps, 8, "only %lu steps", (unsigned long)steps);
}

Test(damage, making_without_room_says_how_much)
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

/* -- a lost index ---------------------------------------------------------------------------------------------------- */

static void lose_index(void)
{
	static const char *const files[] = {"index.db", "index.db-wal", "index.db-shm"};
	for (int i = 0; i < 3; i++)
		unlink(house_file(&house, files[i]));
}

static void expect_same_after_rebuild(void)
{
	size_t before, after;
	struct cid *all = list_all(&house, &before);
	struct store_figures stat = stat_of(&house);
	struct store_row *rows = x_new_array(before, sizeof *rows);
	for (size_t i = 0; i < before; i++)
		cr_assert_eq(store_head(house.store, &all[i], &rows[i]), ERR_OK);
	house_close(&house);
	lose_index();
	house_open(&house);
	cr_expect(stat_of(&house).rebuilt);
	struct cid *again = list_all(&house, &after);
	cr_assert_eq(before, after);
	cr_expect(memcmp(all, again, before * sizeof *all) == 0);
	for (size_t i = 0; i < after; i++) {
		struct store_row row;
		cr_assert_eq(store_head(house.store, &all[i], &row), ERR_OK);
		cr_expect(memcmp(&row, &rows[i], sizeof row) == 0);
	}
	cr_expect_eq(stat.used, stat_of(&house).used);
	cr_expect_eq(stat.bytes, stat_of(&house).bytes);
	cr_expect_eq(stat.units_free, stat_of(&house).units_free);
	x_free(&all);
	x_free(&again);
	x_free(&rows);
	house_audit(&house);
}

Test(damage, a_lost_index_is_rebuilt_the_same)
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
	expect_same_after_rebuild();
	expect_same_after_rebuild();
	cr_assert_eq(put_seeded(&house, 5000, 100000, NULL), ERR_OK);
	expect_same_after_rebuild();
}

Test(damage, garbage_in_the_place_of_the_index)
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
Test(damage, an_index_that_contradicts_itself)
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
		execute(changes[i]);
		house_open(&house);
		cr_expect(stat_of(&house).rebuilt, "%s", changes[i]);
		cr_expect_eq(stat_of(&house).blobs, 3);
		house_audit(&house);
	}
}

/* An index that turns out damaged while it is used: the process ends, and the next one rebuilds it. */
Test(damage, an_index_that_breaks_while_it_is_open)
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

/* -- a disk that takes no writes -------------------------------------------------------------------------------------- */

Test(damage, a_disk_that_became_read_only)
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

Test(damage, a_disk_that_was_read_only_from_the_start)
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

/* -- a full disk ----------------------------------------------------------------------------------------------------- */

/* Somebody else has filled the disk. The arena is ours already; the index grows into what the ballast gives back. */
Test(damage, a_disk_that_others_filled)
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
Test(damage, a_disk_that_is_full_to_the_brim)
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
	expect_same_after_rebuild();
}
