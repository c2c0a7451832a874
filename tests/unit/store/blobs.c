/* The store as its process sees it, on a disk that does as it is told: round trips, dedupe, deletes, lists, shards. */
#include "tests/unit/store/each_house.h"

#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>

TestSuite(blobs, .init = setup, .fini = teardown, .timeout = 120);

/* -- round trips ----------------------------------------------------------------------------------------------------- */

static const size_t sizes[] = {0,
			       1,
			       2,
			       15,
			       16,
			       751,
			       752,
			       753,
			       1024,
			       4096,
			       CHUNK - 1,
			       CHUNK,
			       CHUNK + 1,
			       2 * CHUNK - 1,
			       2 * CHUNK,
			       2 * CHUNK + 1,
			       300000,
			       MIB,
			       5 * MIB + 12345};
enum { SIZES = sizeof sizes / sizeof *sizes };

Test(blobs, every_size_comes_back)
{
	for (size_t i = 0; i < SIZES; i++)
		cr_assert_eq(put_seeded(&house, i, sizes[i], NULL), ERR_OK);
	for (int opened = 0; opened < 2; opened++) {
		for (size_t i = 0; i < SIZES; i++)
			cr_expect_eq(get_seeded(&house, i, sizes[i]), ERR_OK, "%zu bytes", sizes[i]);
		house_audit(&house);
		house_close(&house);
		house_open(&house);
		cr_expect_not(stat_of(&house).rebuilt);
	}
}

/* Whatever slices the bytes come in, and whether their number was said before. */
Test(blobs, slices_make_no_difference)
{
	static uint8_t bytes[3 * CHUNK + 777];
	const size_t slices[] = {1, 1000, 4096, CHUNK - 1, CHUNK, CHUNK + 1, sizeof bytes};
	fill(bytes, sizeof bytes, 4);
	for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
		for (int known = 0; known < 2; known++) {
			size_t length = sizeof bytes - 2 * i - (size_t)known; /* each its own blob */
			struct outcome outcome;
			put_start(&house, bytes, length, known ? length : SIZE_UNKNOWN, slices[i], &outcome);
			put_wait(&house, &outcome);
			cr_assert_eq(outcome.err, ERR_OK, "%s", err_name(outcome.err));
			cr_expect(outcome.stored.fresh);
			struct cid right = cid_of(bytes, length);
			cr_expect_arr_eq(&outcome.stored.cid, &right, sizeof right);
		}
	house_audit(&house);
}

Test(blobs, ranges)
{
	static uint8_t right[3 * CHUNK + 100], got_bytes[4 * CHUNK];
	fill(right, sizeof right, 9);
	struct stored stored;
	cr_assert_eq(put_all(&house, right, sizeof right, &stored), ERR_OK);
	const uint64_t at[] = {0,         1,         CHUNK - 1,        CHUNK,       CHUNK + 1,
			       2 * CHUNK, 3 * CHUNK, sizeof right - 1, sizeof right};
	const uint64_t lengths[] = {0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, sizeof right, UINT64_MAX};
	for (size_t i = 0; i < sizeof at / sizeof *at; i++)
		for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
			size_t got, left = sizeof right - at[i];
			cr_assert_eq(get_range(&house, &stored.cid, at[i], lengths[k], got_bytes, &got),
				     ERR_OK);
			cr_assert_eq(got, lengths[k] < left ? lengths[k] : left);
			cr_assert(memcmp(got_bytes, right + at[i], got) == 0);
		}
	size_t got;
	cr_expect_eq(get_range(&house, &stored.cid, sizeof right + 1, 1, got_bytes, &got), ERR_BAD_VALUE);
	cr_expect_eq(get_range(&house, &stored.cid, UINT64_MAX, 1, got_bytes, &got), ERR_BAD_VALUE);
}

Test(blobs, what_is_not_here)
{
	struct cid none = cid_of("none", 4);
	struct store_row row;
	uint8_t into[1];
	size_t got;
	cr_expect_eq(get_range(&house, &none, 0, 1, into, &got), ERR_NOT_FOUND);
	cr_expect_eq(store_head(house.store, &none, &row), ERR_NOT_FOUND);
	cr_expect_eq(delete_now(&house, &none), ERR_NOT_FOUND);
}

/* A thousand blobs of random sizes, as FEATURES B2 wants ten thousand of: put 16 at a time, all read back. */
Test(blobs, a_thousand_at_a_time_of_sixteen)
{
	enum { COUNT = 1000, TOGETHER = 16 };
	static size_t lengths[COUNT];
	static struct outcome outcomes[COUNT];
	static uint8_t bytes[16384];
	for (unsigned i = 0; i < COUNT; i++) {
		lengths[i] = (i * 7919) % sizeof bytes;
		fill(bytes, lengths[i], 1000 + i);
		put_start(&house, bytes, lengths[i], lengths[i], 5000, &outcomes[i]);
		if (i >= TOGETHER)
			put_wait(&house, &outcomes[i - TOGETHER]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		put_wait(&house, &outcomes[i]);
		cr_assert_eq(outcomes[i].err, ERR_OK);
	}
	for (unsigned i = 0; i < COUNT; i++)
		cr_assert_eq(get_seeded(&house, 1000 + i, lengths[i]), ERR_OK);
	house_audit(&house);
	cr_expect_eq(stat_of(&house).blobs, COUNT);
	cr_expect_lt(stat_of(&house).groups, COUNT, "some were committed together");
}

/* -- what a put may not do ------------------------------------------------------------------------------------------- */

Test(blobs, a_body_of_another_length_than_was_said)
{
	static uint8_t bytes[200000];
	cr_expect_eq(put_declared(&house, bytes, 999, 1000), ERR_TRUNCATED);
	cr_expect_eq(put_declared(&house, bytes, 0, 1), ERR_TRUNCATED);
	cr_expect_eq(put_declared(&house, bytes, 1001, 1000), ERR_BAD_VALUE);
	cr_expect_eq(put_declared(&house, bytes, 200000, 199999), ERR_BAD_VALUE);
	cr_expect_eq(put_declared(&house, bytes, 1, 0), ERR_BAD_VALUE);
	house_audit(&house);
	cr_expect_eq(stat_of(&house).blobs, 0);
	cr_expect_eq(stat_of(&house).puts_open, 0);
}

Test(blobs, a_blob_that_is_too_large)
{
	static uint8_t bytes[100001];
	house_close(&house);
	house.shape.max_blob = 100000;
	house_open(&house);
	cr_expect_eq(put_declared(&house, bytes, 100000, 100000), ERR_OK);
	cr_expect_eq(put_declared(&house, bytes, 100001, 100001), ERR_TOO_LARGE);
	cr_expect_eq(put_declared(&house, bytes, 100001, SIZE_UNKNOWN), ERR_TOO_LARGE);
	bytes[0] = 1;
	cr_expect_eq(put_declared(&house, bytes, 100000, SIZE_UNKNOWN), ERR_OK);
	house_audit(&house);
}

Test(blobs, another_nodes_shard)
{
	house_close(&house);
	cr_assert_null(shards_parse("0-970,972-1023", 1024, &house.shape.shards, (char[SHARDS_WHY]){0}));
	house_open(&house);
	cr_expect_eq(put_declared(&house, "hello bytecave\n", 15, 15),
		     ERR_WRONG_SHARD); /* 971: FEATURES K8 */
	cr_expect_eq(put_declared(&house, "hello bytecave\n", 14, 14), ERR_OK);
	house_audit(&house);
	cr_expect_eq(stat_of(&house).blobs, 1);
}

Test(blobs, giving_up_leaves_nothing)
{
	static uint8_t bytes[5 * CHUNK];
	uint64_t free_before = stat_of(&house).units_free;
	for (unsigned i = 0; i < 50; i++) {
		struct put *put;
		cr_assert_eq(store_put_begin(house.store, i % 2 ? SIZE_UNKNOWN : sizeof bytes, &put), ERR_OK);
		cr_assert_eq(store_put_data(put, bytes, i * 6000), ERR_OK);
		store_put_abort(&put);
		cr_expect_null(put);
	}
	cr_expect_eq(stat_of(&house).units_free, free_before);
	house_audit(&house);
}

Test(blobs, only_so_many_at_once)
{
	struct put *puts[STORE_PUTS], *one_more;
	for (unsigned i = 0; i < STORE_PUTS; i++)
		cr_assert_eq(store_put_begin(house.store, 1, &puts[i]), ERR_OK);
	cr_expect_eq(store_put_begin(house.store, 1, &one_more), ERR_BUSY);
	cr_expect_eq(stat_of(&house).puts_refused, 1);
	for (unsigned i = 0; i < STORE_PUTS; i++)
		store_put_abort(&puts[i]);
	cr_expect_eq(store_put_begin(house.store, 1, &one_more), ERR_OK);
	store_put_abort(&one_more);
}

Test(blobs, none_after_it_was_told_to_end)
{
	struct put *put;
	struct outcome outcome;
	put_start(&house, "a", 1, 1, 1, &outcome);
	store_refuse(house.store);
	cr_expect_eq(store_put_begin(house.store, 1, &put), ERR_NOT_READY);
	cr_expect_not(store_idle(house.store));
	put_wait(&house, &outcome);
	cr_expect_eq(outcome.err, ERR_OK);
	cr_expect(store_idle(house.store));
}

/* -- dedupe ---------------------------------------------------------------------------------------------------------- */

Test(blobs, the_same_bytes_are_stored_once)
{
	static uint8_t bytes[100000];
	struct stored first, second;
	cr_assert_eq(put_all(&house, bytes, sizeof bytes, &first), ERR_OK);
	uint64_t used = stat_of(&house).used;
	cr_assert_eq(put_all(&house, bytes, sizeof bytes, &second), ERR_OK);
	cr_expect(first.fresh);
	cr_expect_not(second.fresh);
	cr_expect_arr_eq(&first.cid, &second.cid, sizeof first.cid);
	cr_expect_eq(second.size, sizeof bytes);
	cr_expect_eq(stat_of(&house).used, used);
	cr_expect_eq(stat_of(&house).blobs, 1);
	house_audit(&house);
}

Test(blobs, the_same_bytes_at_the_same_time)
{
	struct outcome outcomes[5];
	unsigned fresh = 0;
	disk_hold_syncs(true);
	for (unsigned i = 0; i < 5; i++)
		put_start(&house, "the same", 8, i % 2 ? SIZE_UNKNOWN : 8, 3, &outcomes[i]);
	for (unsigned i = 0; i < 5; i++)
		cr_expect_eq(outcomes[i].err, ERR_KEPT, "acknowledged before anything was durable");
	cr_expect_eq(stat_of(&house).puts_open, 5);
	disk_hold_syncs(false);
	for (unsigned i = 0; i < 5; i++) {
		put_wait(&house, &outcomes[i]);
		cr_assert_eq(outcomes[i].err, ERR_OK);
		cr_expect_eq(outcomes[i].stored.size, 8);
		fresh += outcomes[i].stored.fresh;
	}
	cr_expect_eq(fresh, 1);
	cr_expect_eq(stat_of(&house).used, charge_of(8));
	cr_expect_eq(stat_of(&house).puts_open, 0);
	house_audit(&house);
}

/* While the disk is busy with one, the others gather and go together. */
Test(blobs, what_waits_is_one_group)
{
	struct outcome first, rest[100];
	uint64_t before = stat_of(&house).groups;
	disk_hold_syncs(true);
	put_start(&house, "first", 5, 5, 5, &first);
	disk_wait_for_sync();
	for (unsigned i = 0; i < 100; i++)
		put_start(&house, &i, sizeof i, sizeof i, sizeof i, &rest[i]);
	disk_hold_syncs(false);
	put_wait(&house, &first);
	for (unsigned i = 0; i < 100; i++) {
		put_wait(&house, &rest[i]);
		cr_assert_eq(rest[i].err, ERR_OK);
	}
	cr_expect_eq(stat_of(&house).groups - before, 2);
	house_audit(&house);
}

/* -- deletes --------------------------------------------------------------------------------------------------------- */

Test(blobs, a_reader_outlives_a_delete)
{
	enum { CHUNKS = 16, LENGTH = CHUNKS * CHUNK }; /* more than the slack beyond the quota */
	static uint8_t right[LENGTH];
	struct stored stored;
	struct get *first, *second;
	const uint8_t *bytes;
	size_t length;
	uint64_t free_before = stat_of(&house).units_free;
	fill(right, LENGTH, 1);
	cr_assert_eq(put_all(&house, right, LENGTH, &stored), ERR_OK);
	cr_assert_eq(store_get_open(house.store, &stored.cid, &first), ERR_OK);
	cr_assert_eq(store_get_open(house.store, &stored.cid, &second), ERR_OK);
	cr_assert_eq(store_get_next(first, &bytes, &length), ERR_OK);
	cr_assert_eq(delete_now(&house, &stored.cid), ERR_OK);
	cr_expect_eq(store_get_open(house.store, &stored.cid, &(struct get *){NULL}), ERR_NOT_FOUND);
	/* whatever is put now must not land on what is being read, though there is room nowhere else */
	unsigned more = 0;
	while (put_seeded(&house, 100 + more, CHUNK, NULL) == ERR_OK)
		more++;
	for (unsigned chunk = 1; chunk < CHUNKS; chunk++) {
		cr_assert_eq(store_get_next(first, &bytes, &length), ERR_OK);
		cr_assert_eq(length, CHUNK);
		cr_assert(memcmp(bytes, right + chunk * CHUNK, CHUNK) == 0);
	}
	store_get_close(&first);
	cr_assert_eq(store_get_next(second, &bytes, &length), ERR_OK);
	cr_assert(memcmp(bytes, right, CHUNK) == 0);
	store_get_close(&second);
	cr_expect_eq(stat_of(&house).units_free + more * charge_of(CHUNK) / 1024, free_before);
	house_audit(&house);
}

Test(blobs, put_and_delete_in_one_breath)
{
	struct outcome outcome;
	struct cid cid = cid_of("abc", 3);
	for (unsigned i = 0; i < 20; i++) {
		put_start(&house, "abc", 3, 3, 3, &outcome);
		cr_expect_eq(delete_now(&house, &cid), ERR_OK);
		cr_expect_eq(outcome.err, ERR_OK, "what was put first is acknowledged first");
		cr_expect_eq(delete_now(&house, &cid), ERR_NOT_FOUND);
	}
	house_audit(&house);
	cr_expect_eq(stat_of(&house).used, 0);
}

/* Counts are exact after 1,000 puts and deletes, FEATURES B8; also across starts. */
Test(blobs, counts_are_exact)
{
	enum { KEYS = 60 };
	bool there[KEYS] = {false};
	uint64_t state = 5;
	for (unsigned step = 0; step < 1000; step++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		unsigned key = (unsigned)(state >> 40) % KEYS;
		size_t length = key * 1357;
		struct cid cid;
		if (there[key]) {
			static uint8_t bytes[KEYS * 1357];
			fill(bytes, length, key);
			cid = cid_of(bytes, length);
			cr_assert_eq(delete_now(&house, &cid), ERR_OK);
		} else {
			cr_assert_eq(put_seeded(&house, key, length, &cid), ERR_OK);
		}
		there[key] = !there[key];
		if (step % 300 == 299) {
			house_close(&house);
			house_open(&house);
		}
	}
	unsigned count = 0;
	for (unsigned key = 0; key < KEYS; key++)
		count += there[key];
	cr_expect_eq(stat_of(&house).blobs, count);
	house_audit(&house);
}

/* -- checking -------------------------------------------------------------------------------------------------------- */

Test(blobs, a_check_goes_through_all)
{
	for (unsigned i = 0; i < 30; i++)
		cr_assert_eq(put_seeded(&house, i, i * 30000, NULL), ERR_OK);
	store_check_from(house.store, NULL);
	unsigned done = 0, steps = 0;
	enum check check;
	while ((check = store_check_next(house.store)) != CHECK_END) {
		done += check == CHECK_ONE_DONE;
		cr_assert_lt(++steps, 1000U);
	}
	cr_expect_eq(done, 30);
	cr_expect_eq(stat_of(&house).corrupt, 0);
	cr_expect_eq(stat_of(&house).gets_open, 0);
	size_t count;
	struct cid *all = list_all(&house, &count);
	store_check_from(house.store, &all[19]);
	for (done = 0; (check = store_check_next(house.store)) != CHECK_END;)
		done += check == CHECK_ONE_DONE;
	cr_expect_eq(done, 10, "from the 20th on, those above it");
	x_free(&all);
}
