/* An arena in the worst state that puts and deletes can bring about: every free stretch is one unit long. The quota's promise
 * holds all the same, lists of runs overflow into slots, and a rebuild finds the same. */
#include "tests/unit/store/house.h"

#include "actors/base/memory/memory.h"
#include "actors/store/slots.h"

#include <criterion/criterion.h>
#include <unistd.h>

static struct house house;

static void setup(void)
{
	house_new(&house, 8 * MIB);
}

static void teardown(void)
{
	house_remove(&house);
}

TestSuite(fragments, .init = setup, .fini = teardown, .timeout = 300);

enum { UNITS = 8 * 1024, SMALL = 700 /* one unit */ };

/* `count` puts of `length` bytes, many at a time. */
static void put_many(uint64_t seed, unsigned count, size_t length)
{
	enum { TOGETHER = 200 };
	static struct outcome outcomes[UNITS];
	uint8_t *bytes = x_new(length);
	for (unsigned i = 0; i < count; i++) {
		fill(bytes, length, seed + i);
		put_start(&house, bytes, length, length, CHUNK, &outcomes[i]);
		cr_assert_neq(outcomes[i].err, ERR_FULL, "%u of %u: charge is above quota - used?", i, count);
		if (i >= TOGETHER)
			put_wait(&house, &outcomes[i - TOGETHER]);
	}
	for (unsigned i = 0; i < count; i++) {
		put_wait(&house, &outcomes[i]);
		cr_assert_eq(outcomes[i].err, ERR_OK, "%u: %s", i, err_name(outcomes[i].err));
	}
	x_free(&bytes);
}

static unsigned deletes_open;

static void deleted(void *context, enum err err)
{
	cr_assert_eq(err, ERR_OK);
	deletes_open--;
	(void)context;
}

/* Deletes each `step`th of those, from `first` on. */
static void delete_many(uint64_t seed, unsigned count, size_t length, unsigned first, unsigned step)
{
	uint8_t *bytes = x_new(length);
	for (unsigned i = first; i < count; i += step) {
		fill(bytes, length, seed + i);
		struct cid cid = cid_of(bytes, length);
		while (deletes_open > 500)
			turn(&house);
		cr_assert_eq(store_delete(house.store, &cid, deleted, NULL), ERR_KEPT);
		deletes_open++;
	}
	while (deletes_open)
		turn(&house);
	x_free(&bytes);
}

static void expect_full(void)
{
	cr_expect_eq(stat_of(&house).used, stat_of(&house).quota);
	cr_expect_eq(put_seeded(&house, 999999, 0, NULL), ERR_FULL);
}

/* One blob in thousands of pieces. */
Test(fragments, one_large_blob_in_single_units)
{
	put_many(0, UNITS, SMALL);
	expect_full();
	delete_many(0, UNITS, SMALL, 0, 2);
	uint64_t room = UNITS / 2 * UINT64_C(1024), size = room - 256 - 16 * (room / CHUNK + 1);
	cr_assert_eq(put_seeded(&house, 7, size + 1024, NULL), ERR_FULL);
	cr_assert_eq(put_seeded(&house, 7, size, NULL), ERR_OK);
	expect_full();
	cr_expect_eq(get_seeded(&house, 7, size), ERR_OK);
	struct store_figures stat = stat_of(&house);
	cr_expect_gt(stat.slot_pages, 20, "its list was long: %lu pages of slots",
		     (unsigned long)stat.slot_pages);
	cr_expect_leq(stat.slot_pages, stat.slot_pages_limit);
	house_audit(&house);
	for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
		house_close(&house);
		if (rebuilt)
			unlink(house_file(&house, "index.db"));
		house_open(&house);
		cr_expect_eq(stat_of(&house).rebuilt, rebuilt);
		cr_expect_eq(get_seeded(&house, 7, size), ERR_OK);
		cr_expect_eq(stat_of(&house).slot_pages, stat.slot_pages);
		cr_expect_eq(stat_of(&house).units_free, stat.units_free);
		expect_full();
	}
	uint8_t *bytes = x_new(size);
	fill(bytes, size, 7);
	struct cid cid = cid_of(bytes, size);
	x_free(&bytes);
	cr_assert_eq(delete_now(&house, &cid), ERR_OK);
	cr_assert_eq(put_seeded(&house, 8, size, NULL), ERR_OK);
	cr_expect_leq(stat_of(&house).slot_pages, stat.slot_pages + 2,
		      "its slots came back; the slack may lie elsewhere");
	house_audit(&house);
}

/* The worst of all for slots: every blob has ten units, each apart, so each needs one more slot than its header holds. */
Test(fragments, every_blob_in_ten_pieces)
{
	enum { TEN = 10 * 1024 - 272 };
	put_many(0, UNITS, SMALL);
	delete_many(0, UNITS, SMALL, 0, 2);
	put_many(100000, UNITS / 20, TEN);
	delete_many(0, UNITS, SMALL, 1, 2);
	put_many(200000, UNITS / 20, TEN);
	struct store_figures stat = stat_of(&house);
	cr_expect_leq(stat.quota - stat.used, 20 * 1024);
	cr_expect_gt(stat.slot_pages, 60, "%lu pages of slots", (unsigned long)stat.slot_pages);
	cr_expect_leq(stat.slot_pages, stat.slot_pages_limit);
	house_audit(&house);
	house_close(&house);
	unlink(house_file(&house, "index.db"));
	house_open(&house);
	cr_expect_eq(stat_of(&house).slot_pages, stat.slot_pages);
	house_audit(&house);
}

/* Thousands of puts and deletes of all sizes: the promise is kept at every step, and nothing leaks. */
Test(fragments, a_long_life)
{
	enum { KEYS = 300 };
	static bool there[KEYS];
	static uint8_t bytes[200000];
	uint64_t state = 11, used = 0;
	unsigned refused = 0;
	for (unsigned step = 0; step < 4000; step++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		unsigned key = (unsigned)(state >> 40) % KEYS;
		size_t length = (size_t)key * key * 2; /* to 179 KB */
		if (there[key]) {
			fill(bytes, length, key);
			struct cid cid = cid_of(bytes, length);
			cr_assert_eq(delete_now(&house, &cid), ERR_OK);
			used -= charge_of(length);
			there[key] = false;
			continue;
		}
		enum err err = put_seeded(&house, key, length, NULL);
		bool fits = charge_of(length) <= 8 * MIB - used;
		cr_assert_eq(err, fits ? ERR_OK : ERR_FULL, "step %u", step);
		there[key] = fits;
		used += fits ? charge_of(length) : 0;
		refused += !fits;
	}
	cr_expect_gt(refused, 50U, "it was full now and then");
	cr_expect_eq(stat_of(&house).used, used);
	house_audit(&house);
	for (unsigned key = 0; key < KEYS; key++)
		if (there[key]) {
			fill(bytes, (size_t)key * key * 2, key);
			struct cid cid = cid_of(bytes, (size_t)key * key * 2);
			cr_assert_eq(delete_now(&house, &cid), ERR_OK);
		}
	struct store_figures stat = stat_of(&house);
	cr_expect_eq(stat.used, 0);
	cr_expect_eq(stat.units_free + stat.slot_pages, UNITS + slots_slack(UNITS));
}
