/* Pins and the trash: what is promised of each, and that it outlives the process. */
#include "tests/unit/store/each_house.h"

#include "actors/base/memory/memory.h"
#include "actors/store/collector.h"

#include <criterion/criterion.h>

TestSuite(fate, .init = setup, .fini = teardown, .timeout = 120);

enum { BLOBS = 6, LENGTH = 3000 };
static struct cid cids[BLOBS];

static void put_some(void)
{
	for (unsigned i = 0; i < BLOBS; i++)
		cr_assert_eq(put_seeded(&house, i, LENGTH, &cids[i]), ERR_OK);
}

static void again(void)
{
	house_close(&house);
	house_open(&house);
	cr_assert_not(stat_of(&house).rebuilt);
}

struct rows {
	struct store_blob row[64];
	unsigned count;
};

static void note(void *context, const struct store_blob *blob)
{
	struct rows *rows = context;
	cr_assert_lt(rows->count, 64);
	rows->row[rows->count++] = *blob;
}

static struct rows rows_of(void)
{
	struct rows rows = {0};
	cr_assert_eq(store_blobs(house.store, NULL, 64, note, &rows), ERR_OK);
	return rows;
}

static const struct store_blob *row_of(const struct rows *rows, const struct cid *cid)
{
	for (unsigned i = 0; i < rows->count; i++)
		if (memcmp(&rows->row[i].cid, cid, sizeof *cid) == 0)
			return &rows->row[i];
	return NULL;
}

Test(fate, what_is_pinned_is_not_deleted_until_it_is_unpinned)
{
	put_some();
	cr_expect_eq(pin_now(&house, &cids[0], true), ERR_OK);
	cr_expect_eq(pin_now(&house, &cids[0], true), ERR_OK); /* once more is as good */
	again();
	cr_expect_eq(delete_now(&house, &cids[0]), ERR_REFUSED);
	cr_expect_eq(trash_now(&house, &cids[0], 1000), ERR_REFUSED);
	cr_expect_eq(get_seeded(&house, 0, LENGTH), ERR_OK);
	cr_expect_eq(pin_now(&house, &cids[0], false), ERR_OK);
	again();
	cr_expect_eq(delete_now(&house, &cids[0]), ERR_OK);
	cr_expect_eq(pin_now(&house, &cids[0], true), ERR_NOT_FOUND);
	house_audit(&house);
}

Test(fate, what_is_in_the_trash_is_gone_for_readers_charged_and_restorable)
{
	put_some();
	struct store_figures before = stat_of(&house);
	cr_expect_eq(trash_now(&house, &cids[1], 1000), ERR_OK);
	again();
	struct store_row row;
	cr_expect_eq(get_seeded(&house, 1, LENGTH), ERR_NOT_FOUND);
	cr_expect_eq(store_head(house.store, &cids[1], &row), ERR_NOT_FOUND);
	cr_expect_eq(delete_now(&house, &cids[1]), ERR_NOT_FOUND);
	cr_expect_eq(trash_now(&house, &cids[1], 2000), ERR_NOT_FOUND, "its time does not begin anew");
	cr_expect_eq(pin_now(&house, &cids[1], true), ERR_NOT_FOUND);
	cr_expect_eq(stat_of(&house).used, before.used);
	size_t count;
	struct cid *all = list_all(&house, &count);
	cr_expect_eq(count, BLOBS - 1);
	x_free(&all);
	struct rows rows = rows_of();
	cr_expect_eq(rows.count, BLOBS);
	cr_expect_eq(row_of(&rows, &cids[1])->trashed, 1000);
	cr_expect_eq(row_of(&rows, &cids[0])->trashed, 0);
	cr_expect_eq(restore_now(&house, &cids[1]), ERR_OK);
	again();
	cr_expect_eq(get_seeded(&house, 1, LENGTH), ERR_OK);
	cr_expect_eq(restore_now(&house, &(struct cid){{7}}), ERR_NOT_FOUND);
	house_audit(&house);
}

/* The quota counts the trash, to the byte. */
Test(fate, the_trash_makes_no_room)
{
	struct cid cid;
	uint64_t half = 8 * MIB;
	cr_assert_eq(put_seeded(&house, 1, half, &cid), ERR_OK);
	cr_assert_eq(trash_now(&house, &cid, 1000), ERR_OK);
	cr_expect_eq(put_seeded(&house, 2, half, NULL), ERR_FULL);
	cr_expect_eq(purge_now(&house, &cid, INT64_MAX), ERR_OK);
	cr_expect_eq(put_seeded(&house, 2, half, NULL), ERR_OK);
	house_audit(&house);
}

Test(fate, only_what_is_in_the_trash_long_enough_is_purged)
{
	put_some();
	cr_assert_eq(trash_now(&house, &cids[0], 1000), ERR_OK);
	cr_expect_eq(purge_now(&house, &cids[1], INT64_MAX), ERR_NOT_FOUND, "it is not in the trash");
	cr_expect_eq(purge_now(&house, &cids[0], 999), ERR_NOT_FOUND);
	cr_expect_eq(purge_now(&house, &cids[0], 1000), ERR_OK);
	cr_expect_eq(restore_now(&house, &cids[0]), ERR_NOT_FOUND);
	cr_expect_eq(get_seeded(&house, 1, LENGTH), ERR_OK);
	expect_same_after_rebuild(&house);
	cr_expect_eq(get_seeded(&house, 0, LENGTH), ERR_NOT_FOUND);
}

static void note_cid(void *context, const struct cid *cid, uint64_t size)
{
	struct rows *rows = context;
	(void)size;
	rows->row[rows->count++].cid = *cid;
}

Test(fate, the_oldest_of_the_trash_expire_first)
{
	put_some();
	for (unsigned i = 0; i < BLOBS; i++)
		cr_assert_eq(trash_now(&house, &cids[i], 1000 + (i * 5) % BLOBS), ERR_OK);
	struct rows rows = {0};
	cr_assert_eq(store_expired(house.store, 1003, 3, note_cid, &rows), ERR_OK);
	cr_assert_eq(rows.count, 3);
	for (unsigned i = 0; i < 3; i++) /* 1000 + 5 i mod 6: of the blobs 0, 5, 4, 3 */
		cr_expect_arr_eq(&rows.row[i].cid, &cids[(BLOBS - i) % BLOBS], sizeof cids[0]);
	rows.count = 0;
	cr_assert_eq(store_expired(house.store, 999, 64, note_cid, &rows), ERR_OK);
	cr_expect_eq(rows.count, 0);
}

Test(fate, a_put_of_the_same_bytes_takes_it_out)
{
	static uint8_t bytes[LENGTH];
	struct stored stored;
	put_some();
	cr_assert_eq(trash_now(&house, &cids[2], 1000), ERR_OK);
	uint64_t used = stat_of(&house).used;
	fill(bytes, LENGTH, 2);
	cr_assert_eq(put_all(&house, bytes, LENGTH, &stored), ERR_OK);
	cr_expect_not(stored.fresh);
	cr_expect_eq(stat_of(&house).used, used);
	again(); /* it was durable when it was acknowledged */
	cr_expect_eq(get_seeded(&house, 2, LENGTH), ERR_OK);
	house_audit(&house);
}

/* It was purged while the put was on its way: then the put stores it. Several puts of it at once, too. */
Test(fate, a_put_that_finds_it_purged_stores_it)
{
	enum { LONG = 200000, PUTS = 3 };
	static uint8_t bytes[LONG];
	struct cid cid;
	struct outcome outcomes[PUTS];
	cr_assert_eq(put_seeded(&house, 9, LONG, &cid), ERR_OK);
	cr_assert_eq(trash_now(&house, &cid, 1000), ERR_OK);
	fill(bytes, LONG, 9);
	enum err purge = store_purge(house.store, &cid, INT64_MAX, NULL, NULL);
	cr_assert_eq(purge, ERR_KEPT);
	for (unsigned i = 0; i < PUTS; i++)
		put_start(&house, bytes, LONG, LONG, 4000, &outcomes[i]);
	unsigned fresh = 0;
	for (unsigned i = 0; i < PUTS; i++) {
		put_wait(&house, &outcomes[i]);
		cr_expect_eq(outcomes[i].err, ERR_OK);
		fresh += outcomes[i].stored.fresh;
	}
	cr_expect_eq(fresh, 1);
	settle(&house);
	cr_expect_eq(get_seeded(&house, 9, LONG), ERR_OK);
	expect_same_after_rebuild(&house);
}

Test(fate, a_pin_stays_when_rotten_bytes_are_put_anew)
{
	put_some();
	cr_assert_eq(pin_now(&house, &cids[3], true), ERR_OK);
	flip(&house, "arena", header_in_arena(&house, &cids[3]) + 300, 3);
	cr_expect_eq(get_seeded(&house, 3, LENGTH), ERR_CORRUPT);
	settle(&house);
	cr_assert_eq(put_seeded(&house, 3, LENGTH, NULL), ERR_OK);
	cr_expect_eq(get_seeded(&house, 3, LENGTH), ERR_OK);
	struct rows rows = rows_of();
	cr_expect(row_of(&rows, &cids[3])->pinned);
	cr_expect_eq(delete_now(&house, &cids[3]), ERR_REFUSED);
}

/* -- the collector --------------------------------------------------------------------------------------------------- */

static void one_collected(void *context, const struct store_blob *blob)
{
	note(context, blob);
}

static struct collector *pass(const struct gc_rules *rules, bool dry, struct rows *gone)
{
	static struct collector collector;
	collector = (struct collector){.each = one_collected, .context = gone};
	collector_begin(&collector, house.store, rules, INT64_C(1) << 40, dry);
	while (!collector_turn(&collector))
		if (collector.under_way)
			turn(&house);
	settle(&house);
	return &collector;
}

Test(fate, a_pass_collects_what_it_chose_and_never_a_pin)
{
	const struct gc_rules rules = {GC_TIME, 30, 0};
	struct rows gone = {0};
	put_some();
	cr_assert_eq(pin_now(&house, &cids[4], true), ERR_OK);
	cr_assert_eq(trash_now(&house, &cids[5], 1000), ERR_OK);
	struct collector *collector = pass(&rules, true, &gone);
	cr_expect_eq(collector->gc.count, 4);
	cr_expect_eq(gone.count, 0, "a dry run touched something");
	cr_expect_eq(stat_of(&house).blobs, BLOBS);
	collector = pass(&rules, false, &gone);
	cr_expect_eq(collector->err, ERR_OK);
	cr_expect_eq(gone.count, 4);
	cr_expect_eq(collector->collected, 4);
	again();
	cr_expect_eq(get_seeded(&house, 4, LENGTH), ERR_OK);
	cr_expect_eq(restore_now(&house, &cids[5]), ERR_OK, "the trash has a time of its own");
	cr_expect_eq(stat_of(&house).blobs, 2);
	house_audit(&house);
}

/* However many go, a put waits behind no more than COLLECT_AT_ONCE of them. */
Test(fate, a_long_pass_has_few_deletes_under_way_at_once)
{
	enum { MANY = 3 * COLLECT_AT_ONCE + 1 };
	const struct gc_rules rules = {GC_TIME, 30, 0};
	struct rows gone = {0};
	for (unsigned i = 0; i < MANY; i++)
		cr_assert_eq(put_seeded(&house, 100 + i, 50, NULL), ERR_OK);
	struct collector *collector = pass(&rules, false, &gone);
	cr_expect_eq(collector->collected, MANY);
	cr_expect_eq(collector->high, COLLECT_AT_ONCE);
	cr_expect_eq(stat_of(&house).blobs, 0);
	house_audit(&house);
}

/* Between the choice and the delete an operator pins one, and deletes and stores another anew. */
Test(fate, what_was_chosen_and_then_pinned_or_stored_anew_stays)
{
	put_some();
	struct rows rows = rows_of();
	cr_assert_eq(pin_now(&house, &cids[0], true), ERR_OK);
	cr_assert_eq(delete_now(&house, &cids[1]), ERR_OK);
	cr_assert_eq(put_seeded(&house, 1, LENGTH, NULL), ERR_OK);
	for (unsigned i = 0; i < rows.count; i++)
		cr_assert_eq(store_collect(house.store, &rows.row[i], NULL, NULL), ERR_KEPT);
	settle(&house);
	cr_expect_eq(stat_of(&house).blobs, 2);
	cr_expect_eq(get_seeded(&house, 0, LENGTH), ERR_OK);
	cr_expect_eq(get_seeded(&house, 1, LENGTH), ERR_OK);
	house_audit(&house);
}

static void released(void *context, enum err err)
{
	*(enum err *)context = err;
}

Test(fate, a_rebuilt_index_holds_the_collector_until_it_is_released)
{
	put_some();
	cr_expect_not(store_is_held(house.store));
	house_close(&house);
	house_lose_index(&house);
	house_open(&house);
	cr_expect(store_is_held(house.store));
	again();
	cr_assert_eq(put_seeded(&house, 50, 10, NULL), ERR_OK);
	cr_expect(store_is_held(house.store), "a commit released it");
	enum err err = ERR_KEPT;
	cr_assert_eq(store_release(house.store, released, &err), ERR_KEPT);
	settle(&house);
	cr_expect_eq(err, ERR_OK);
	again();
	cr_expect_not(store_is_held(house.store));
}

/* -- a disk that refuses --------------------------------------------------------------------------------------------- */

Test(fate, a_full_disk_still_lets_blobs_into_the_trash)
{
	put_some();
	disk_space(0);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(trash_now(&house, &cids[i], 1000), ERR_OK);
	disk_space(UINT64_MAX);
	cr_expect_eq(get_seeded(&house, 0, LENGTH), ERR_NOT_FOUND);
	cr_expect_eq(get_seeded(&house, 5, LENGTH), ERR_OK);
}
