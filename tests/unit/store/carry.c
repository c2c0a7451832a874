/* A store into a backup and out of it: beside whoever has it open, whole, or not at all. */
#include "tests/unit/store/house.h"

#include "actors/store/carry.h"
#include "actors/store/head.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct house house, other;
static struct carried out, in;
static char why[STORE_WHY];

static const size_t sizes[] = {0, 1, 4000, 65535, 65536, 65537, 300000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void setup(void)
{
	house_new(&house, 16 * MIB);
	house_make(&other, 16 * MIB);
	memcpy(other.secret, house.secret, sizeof other.secret);
}

static void teardown(void)
{
	house_remove(&house);
	house_remove(&other);
}

TestSuite(carry, .init = setup, .fini = teardown, .timeout = 120);

static void put_sizes(void)
{
	struct cid cid;
	for (size_t i = 0; i < SIZES; i++)
		cr_assert_eq(put_seeded(&house, i, sizes[i], &cid), ERR_OK);
}

/* The secret is read by store_open() alone, and then no longer in the shape. */
static struct store_shape shape_of(const struct house *of)
{
	struct store_shape shape = of->shape;
	shape.secret = of->secret;
	shape.folder = of->path;
	return shape;
}

static int temporary(void)
{
	char path[] = "/tmp/warren-unit-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	unlink(path);
	return fd;
}

static int carry(bool blobs)
{
	struct store_shape shape = shape_of(&house);
	int fd = temporary();
	enum store_end end = carry_out(&shape, blobs, fd, &out, why);
	cr_assert_eq(end, STORE_OK, "%s", why);
	return fd;
}

static enum store_end enter(int fd)
{
	struct store_shape shape = shape_of(&other);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return carry_in(&shape, true, fd, &in, why);
}

static void empty_other(void)
{
	static const char *const files[] = {"marker", "arena", "index.db", "index.new", "ballast", "lost"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(house_file(&other, files[i]));
}

Test(carry, out_of_a_store_that_is_open_and_into_another)
{
	put_sizes();
	int fd = carry(true);
	cr_expect_eq(out.blobs, SIZES);
	cr_expect_eq(out.damaged + out.listed, 0);
	cr_assert_eq(enter(fd), STORE_OK, "%s", why);
	struct store_shape shape = shape_of(&other);
	cr_expect_eq(carry_check(&shape, &in, why), STORE_OK, "%s", why);
	cr_expect_arr_eq(&in.store, &out.store, sizeof in.store);
	house_open(&other);
	for (size_t i = 0; i < SIZES; i++)
		cr_expect_eq(get_seeded(&other, i, sizes[i]), ERR_OK, "%zu", sizes[i]);
	cr_expect_eq(stat_of(&other).used, stat_of(&house).used);
	struct cid cid;
	cr_expect_eq(put_seeded(&other, 99, 5000, &cid), ERR_OK);
	expect_same_after_rebuild(&other);
	house_audit(&other);
	close(fd);
}

Test(carry, without_blobs_it_is_an_empty_store_of_the_same_id_and_a_list)
{
	put_sizes();
	int fd = carry(false);
	cr_expect_eq(out.listed, SIZES);
	cr_assert_eq(enter(fd), STORE_OK, "%s", why);
	cr_expect_arr_eq(&in.store, &out.store, sizeof in.store);
	char line[256], text[CID_TEXT];
	unsigned lines = 0, found = 0;
	uint8_t bytes[4000];
	fill(bytes, sizeof bytes, 2);
	struct cid cid = cid_of(bytes, sizeof bytes);
	cid_text(&cid, text);
	FILE *lost = fopen(house_file(&other, LOST_FILE), "re");
	cr_assert_not_null(lost);
	for (; fgets(line, sizeof line, lost); lines++)
		found += strncmp(line, text, strlen(text)) == 0 && strstr(line, " 4000 ");
	fclose(lost);
	cr_expect_eq(lines, SIZES);
	cr_expect_eq(found, 1);
	house_open(&other);
	cr_expect_eq(stat_of(&other).blobs, 0);
	cr_expect_eq(get_seeded(&other, 2, 4000), ERR_NOT_FOUND);
	struct stored stored;
	cr_expect_eq(put_all(&other, bytes, sizeof bytes, &stored), ERR_OK);
	cr_expect(stored.fresh, "what is not there is taken as new");
	close(fd);
}

/* -- while the store lives ---------------------------------------------------------------------------------------------- */

struct beside {
	struct store_shape shape;
	int to;
	enum store_end end;
};

static void *carry_beside(void *context)
{
	struct beside *beside = context;
	beside->end = carry_out(&beside->shape, true, beside->to, &out, why);
	close(beside->to);
	return NULL;
}

/* The reader has a byte, so the writer is in the middle of a blob that fits neither into the pipe nor into its buffer. */
Test(carry, a_blob_that_is_deleted_and_overwritten_while_it_is_read_is_left_out)
{
	enum { SIZE = 8 * MIB };
	struct cid gone, cid;
	pthread_t thread;
	int pipe[2], fd = temporary();
	static uint8_t bytes[65536];
	cr_assert_eq(put_seeded(&house, 1, SIZE, &gone), ERR_OK);
	cr_assert_eq(pipe2(pipe, O_CLOEXEC), 0);
	struct beside beside = {.shape = shape_of(&house), .to = pipe[1]};
	cr_assert_eq(pthread_create(&thread, NULL, carry_beside, &beside), 0);
	cr_assert_eq(read(pipe[0], bytes, 1), 1);
	cr_assert_eq(write(fd, bytes, 1), 1);
	cr_assert_eq(delete_now(&house, &gone), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, SIZE, &cid), ERR_OK);
	for (ssize_t got; (got = read(pipe[0], bytes, sizeof bytes)) > 0;)
		cr_assert_eq(write(fd, bytes, (size_t)got), got);
	pthread_join(thread, NULL);
	cr_assert_eq(beside.end, STORE_OK, "%s", why);
	cr_expect_eq(out.blobs, 0, "what was not there at the end is not carried");
	cr_expect_eq(out.damaged, 0, "and is no damage");
	cr_assert_eq(enter(fd), STORE_OK, "%s", why);
	house_open(&other);
	cr_expect_eq(stat_of(&other).blobs, 0);
	cr_expect_eq(get_seeded(&house, 2, SIZE), ERR_OK);
	close(pipe[0]);
	close(fd);
}

Test(carry, a_rotten_blob_is_named_and_left_out)
{
	struct cid rotten, fine;
	cr_assert_eq(put_seeded(&house, 1, 200000, &rotten), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, 200000, &fine), ERR_OK);
	flip(&house, "arena", header_in_arena(&house, &rotten) + BLOB_HEADER + 100000, 3);
	int fd = carry(true);
	cr_expect_eq(out.damaged, 1);
	cr_expect_eq(out.blobs, 1);
	cr_assert_eq(enter(fd), STORE_OK, "%s", why);
	house_open(&other);
	cr_expect_eq(get_seeded(&other, 2, 200000), ERR_OK);
	cr_expect_eq(get_seeded(&other, 1, 200000), ERR_NOT_FOUND);
	close(fd);
}

Test(carry, a_closed_store_and_one_of_another_secret)
{
	put_sizes();
	house_close(&house);
	close(carry(true));
	cr_expect_eq(out.blobs, SIZES);
	house.secret[0] ^= 1;
	struct store_shape shape = shape_of(&house);
	int fd = temporary();
	cr_expect_eq(carry_out(&shape, true, fd, &out, why), STORE_OTHER_SECRET);
	close(fd);
	house.secret[0] ^= 1;
}

/* -- what must not get in ------------------------------------------------------------------------------------------------- */

Test(carry, a_stream_that_is_cut_anywhere_makes_no_store)
{
	struct cid cid;
	cr_assert_eq(put_seeded(&house, 1, 700, &cid), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, 30, &cid), ERR_OK);
	int fd = carry(true);
	off_t whole = lseek(fd, 0, SEEK_END);
	for (off_t length = whole - 1; length >= 0; length -= length > whole - 40 ? 1 : 29) {
		cr_assert_eq(ftruncate(fd, length), 0);
		cr_expect_neq(enter(fd), STORE_OK, "%lld bytes", (long long)length);
		cr_expect_not(house_has(&other, "marker"));
		empty_other();
	}
	close(fd);
}

static void look_at(void *context, const struct store_blob *blob)
{
	struct store_blob *rows = context;
	while (rows->size)
		rows++;
	*rows = *blob;
}

/* Pins are carried; what is in the trash is deleted, for a backup. Version 1 knew neither. */
Test(carry, pins_are_carried_and_the_trash_is_not)
{
	struct cid pinned, plain, trashed;
	cr_assert_eq(put_seeded(&house, 1, 700, &pinned), ERR_OK);
	cr_assert_eq(put_seeded(&house, 2, 800, &plain), ERR_OK);
	cr_assert_eq(put_seeded(&house, 3, 900, &trashed), ERR_OK);
	cr_assert_eq(pin_now(&house, &pinned, true), ERR_OK);
	cr_assert_eq(trash_now(&house, &trashed, 1000), ERR_OK);
	int fd = carry(true);
	cr_expect_eq(out.blobs, 2);
	cr_assert_eq(enter(fd), STORE_OK, "%s", why);
	house_open(&other);
	struct store_blob rows[4] = {0};
	cr_assert_eq(store_blobs(other.store, NULL, 3, look_at, rows), ERR_OK);
	cr_assert(rows[0].size && rows[1].size && !rows[2].size);
	for (unsigned i = 0; i < 2; i++) {
		cr_expect_eq(rows[i].pinned, rows[i].size == 700);
		cr_expect_eq(rows[i].trashed, 0);
	}
	cr_expect_not(store_is_held(other.store));
	close(fd);
}

/* One field at a time: byte, new value, words. */
Test(carry, a_stream_that_lies_makes_no_store)
{
	enum { ROW = CARRY_HEAD + 1, SIZE_OF = ROW + 88, SEQUENCE_OF = ROW + 80, WHEN = ROW + 96 };
	static const struct {
		off_t at;
		uint8_t value;
		enum store_end end;
	} lies[] = {
		{0, 'X', STORE_DAMAGED},
		{8, 3, STORE_NEWER},
		{12, NODE + 1, STORE_OTHER_NODE},
		{14, 3, STORE_DAMAGED},
		{39, 1, STORE_DAMAGED},
		{CARRY_HEAD, 'Q', STORE_DAMAGED},
		{CARRY_HEAD, 'L', STORE_DAMAGED},
		{SIZE_OF + 7, 0x10, STORE_DAMAGED},
		{SIZE_OF + 4, 0xff, STORE_NO_ROOM},
		{SEQUENCE_OF + 6, 0xff, STORE_DAMAGED},
		{WHEN + 7, 0x80, STORE_DAMAGED},
	};
	struct cid cid;
	cr_assert_eq(put_seeded(&house, 1, 700, &cid), ERR_OK);
	int fd = carry(true);
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		uint8_t was;
		cr_assert_eq(pread(fd, &was, 1, lies[i].at), 1);
		cr_assert_eq(pwrite(fd, &lies[i].value, 1, lies[i].at), 1);
		enum store_end end = enter(fd);
		cr_expect_eq(end, lies[i].end, "%zu: %d %s", i, end, why);
		cr_expect_not(house_has(&other, "marker"));
		empty_other();
		cr_assert_eq(pwrite(fd, &was, 1, lies[i].at), 1);
	}
	cr_expect_eq(enter(fd), STORE_OK, "%s", why);
	close(fd);
}

Test(carry, a_changed_chunk_gets_in_and_is_seen_when_all_is_read)
{
	struct cid cid;
	struct store_shape shape = shape_of(&other);
	cr_assert_eq(put_seeded(&house, 1, 700, &cid), ERR_OK);
	int fd = carry(true);
	uint8_t byte;
	off_t at = CARRY_HEAD + 1 + CARRY_ROW + 300;
	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	cr_assert_eq(enter(fd), STORE_OK, "%s", why);
	cr_expect_eq(carry_check(&shape, &in, why), STORE_DAMAGED);
	cr_expect_not_null(strstr(why, "fails its check"), "%s", why);
	close(fd);
}

Test(carry, never_over_a_store_that_is_there)
{
	put_sizes();
	int fd = carry(true);
	house_init(&other);
	cr_expect_eq(enter(fd), STORE_DAMAGED);
	house_open(&other);
	cr_expect_eq(stat_of(&other).blobs, 0);
	close(fd);
}

Test(carry, blobs_that_do_not_fit_the_quota_are_refused)
{
	struct cid cid;
	for (unsigned i = 0; i < 9; i++)
		cr_assert_eq(put_seeded(&house, i, MIB, &cid), ERR_OK);
	int fd = carry(true);
	other.shape.quota = 8 * MIB;
	cr_expect_eq(enter(fd), STORE_NO_ROOM);
	cr_expect_not_null(strstr(why, "quota_mb"), "%s", why);
	cr_expect_not(house_has(&other, "marker"));
	close(fd);
}
