/* What is on the disk is not what was written, or is not there: flipped bits, lost files, another's files, a disk that takes no
 * writes. Never wrong bytes, never a store made anew. */
#include "tests/unit/store/each_house.h"

#include "actors/base/memory/memory.h"
#include "actors/store/head.h"
#include "actors/store/slots.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* -- a scan ------------------------------------------------------------------------------------------------------------ */

struct names {
	unsigned count;
	struct cid last;
};

static void name_one(void *context, const struct cid *cid, uint64_t size)
{
	struct names *names = context;
	cr_expect_gt(size, 0);
	names->count++;
	names->last = *cid;
}

static struct check_counts scan(void)
{
	store_check_from(house.store, NULL);
	for (unsigned steps = 1; store_check_next(house.store) != CHECK_END; steps++) {
		cr_assert_lt(steps, 100000U);
		if (steps % 2000 == 0) /* seldom: it finds more meanwhile than can be on their way at once */
			settle(&house);
	}
	settle(&house);
	return *store_check_counts(house.store);
}

static unsigned names_of(struct names *names)
{
	struct cid last;
	bool more = false, on = false;
	*names = (struct names){0};
	do {
		cr_assert_eq(
			store_list_corrupt(house.store, on ? &last : NULL, name_one, names, &last, &more),
			ERR_OK);
		on = true;
	} while (more);
	return names->count;
}

/* More than are marked at once, and all pages of names. A second scan counts them again, from the index. */
Test(damage, a_scan_counts_and_names_whatever_there_is)
{
	enum { BLOBS = 1200, BAD = 150 };
	static struct cid cids[BLOBS];
	struct names names;
	for (unsigned i = 0; i < BLOBS; i++)
		cr_assert_eq(put_seeded(&house, i, 100 + i % 7, &cids[i]), ERR_OK);
	cr_expect_eq(scan().done, BLOBS);
	cr_expect_eq(names_of(&names), 0);
	for (unsigned i = 0; i < BAD; i++)
		flip(&house, "arena", place_of(&cids[i * 8]) + 300, i % 8);
	for (int twice = 0; twice < 2; twice++) {
		struct check_counts counts = scan();
		cr_expect_eq(counts.done, BLOBS);
		cr_expect_eq(counts.corrupt, BAD);
		cr_expect_eq(counts.unreadable, 0);
		cr_expect_eq(stat_of(&house).corrupt, BAD);
		cr_expect_eq(names_of(&names), BAD);
	}
	for (unsigned i = 0; i < BLOBS; i++)
		cr_expect_eq(get_seeded(&house, i, 100 + i % 7),
			     i % 8 == 0 && i / 8 < BAD ? ERR_CORRUPT : ERR_OK, "%u", i);
	for (unsigned i = 0; i < BAD; i++)
		cr_assert_eq(put_seeded(&house, i * 8, 100 + i * 8 % 7, NULL), ERR_OK);
	settle(&house);
	cr_expect_eq(scan().corrupt, 0);
	cr_expect_eq(names_of(&names), 0);
}

/* What is in the trash may be restored: it is looked at like all else, counted and named. */
Test(damage, a_scan_looks_into_the_trash)
{
	struct cid cids[3];
	struct names names;
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(put_seeded(&house, i, 5000, &cids[i]), ERR_OK);
	cr_assert_eq(trash_now(&house, &cids[1], 1000), ERR_OK);
	flip(&house, "arena", place_of(&cids[1]) + 300, 3);
	struct check_counts counts = scan();
	cr_expect_eq(counts.done, 3);
	cr_expect_eq(counts.corrupt, 1);
	cr_assert_eq(names_of(&names), 1);
	cr_expect_arr_eq(&names.last, &cids[1], sizeof cids[1]);
	cr_expect_eq(get_seeded(&house, 1, 5000), ERR_NOT_FOUND, "to readers it is gone all the same");
	cr_expect_eq(stat_of(&house).gets, 0, "a scan is no reader");
}

/* A list of runs that overflows the header lies in units of its own: a bit there is found, too. */
Test(damage, a_scan_finds_a_bit_in_the_list_of_runs)
{
	enum { SMALL = 400, LARGE = 200 * 1024 };
	static struct cid cids[SMALL];
	struct cid large;
	struct names names;
	house_remove(&house);
	house_new(&house, 8 * MIB);
	unsigned count = 0;
	for (; count < SMALL; count++)
		cr_assert_eq(put_seeded(&house, count, 100, &cids[count]), ERR_OK);
	uint64_t room = stat_of(&house).quota - stat_of(&house).used;
	cr_assert_eq(put_seeded(&house, 5000, room - 20 * 1024, NULL), ERR_OK);
	for (unsigned i = 0; i < SMALL; i += 2)
		cr_assert_eq(delete_now(&house, &cids[i]), ERR_OK);
	settle(&house);
	cr_assert_eq(put_seeded(&house, 6000, LARGE, &large), ERR_OK); /* in the holes */
	cr_assert_gt(stat_of(&house).slot_pages, 0, "its list does not fit into its header");
	uint64_t header = place_of(&large), slot;
	int fd = open(house_file(&house, "arena"), O_RDONLY);
	cr_assert_eq(pread(fd, &slot, sizeof slot, (off_t)header + 144), (ssize_t)sizeof slot);
	close(fd);
	cr_assert_gt(slot, 0);
	flip(&house, "arena", HEAD + (slot - 1) * SLOT + 20, 1);
	cr_expect_eq(scan().corrupt, 1);
	cr_expect_eq(names_of(&names), 1);
	cr_expect_arr_eq(&names.last, &large, sizeof large);
	cr_expect_eq(get_seeded(&house, 6000, LARGE), ERR_CORRUPT);
	cr_expect_eq(get_seeded(&house, 1, 100), ERR_OK);
}

Test(damage, a_scan_does_not_call_corrupt_what_the_disk_does_not_give)
{
	struct cid cid;
	cr_assert_eq(put_seeded(&house, 1, 200000, &cid), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, 100, NULL), ERR_OK);
	disk_bad_sector(place_of(&cid) + 100000);
	struct check_counts counts = scan();
	disk_bad_sector(0);
	cr_expect_eq(counts.done, 2);
	cr_expect_eq(counts.unreadable, 1);
	cr_expect_eq(counts.corrupt, 0);
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
	size_t length = 0; /* without the holes, which hold nothing */
	for (off_t at = 0, end; (at = lseek(fd, at, SEEK_DATA)) >= 0; at = end) {
		end = lseek(fd, at, SEEK_HOLE);
		for (ssize_t got; at < end; at += got, length += (size_t)got)
			cr_assert((got = pread(fd, all + length, (size_t)(end - at), at)) > 0);
	}
	for (size_t i = 0; i < period; i++)
		cr_expect_null(memmem(all, length, pattern + i, 16), "16 bytes of it are in %s", name);
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
