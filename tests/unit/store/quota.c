/* The quota: a put is refused if and only if its charge is above quota - used, whoever else is writing. */
#include "tests/unit/store/each_house.h"

#include <criterion/criterion.h>

TestSuite(quota, .init = setup, .fini = teardown, .timeout = 120);

/* Fills the quota but for `left` bytes. */
static void fill_up(uint64_t left)
{
	struct store_figures stat = stat_of(&house);
	uint64_t seed = 100;
	while (stat.quota - stat.used > left) {
		uint64_t room = stat.quota - stat.used - left;
		uint64_t size = room > 2 * MIB ? MIB : room - 256 - 16 * (room / CHUNK + 1);
		cr_assert_eq(put_seeded(&house, seed++, size, NULL), ERR_OK);
		stat = stat_of(&house);
	}
	cr_assert_eq(stat.quota - stat.used, left);
}

Test(quota, to_the_last_unit)
{
	fill_up(5 * 1024);
	uint64_t fits = 5 * 1024 - 256 - 16;
	cr_expect_eq(put_seeded(&house, 1, fits + 1, NULL), ERR_FULL);
	static uint8_t bytes[6000];
	cr_expect_eq(put_declared(&house, bytes, fits + 1, SIZE_UNKNOWN), ERR_FULL);
	cr_expect_eq(put_seeded(&house, 2, fits, NULL), ERR_OK);
	cr_expect_eq(stat_of(&house).used, stat_of(&house).quota);
	cr_expect_eq(put_seeded(&house, 3, 0, NULL), ERR_FULL);
	house_audit(&house);
	cr_expect_eq(get_seeded(&house, 2, fits), ERR_OK, "what is there is still served");
}

Test(quota, a_delete_makes_room_for_as_much)
{
	struct cid cid;
	cr_assert_eq(put_seeded(&house, 1, 40000, &cid), ERR_OK);
	fill_up(0);
	cr_expect_eq(put_seeded(&house, 2, 1, NULL), ERR_FULL);
	cr_assert_eq(delete_now(&house, &cid), ERR_OK);
	cr_expect_eq(get_seeded(&house, 1, 40000), ERR_NOT_FOUND);
	cr_expect_eq(put_seeded(&house, 3, 40000, NULL), ERR_OK);
	cr_expect_eq(put_seeded(&house, 2, 1, NULL), ERR_FULL);
	house_audit(&house);
}

struct writer {
	struct put *put;
	size_t length, given;
	bool known;
	uint64_t charge; /* what it holds of the quota, by our own sum */
	struct outcome outcome;
	bool over;
};

static void writer_ended(void *context, enum err err, const struct stored *stored)
{
	struct writer *writer = context;
	writer->outcome = (struct outcome){err, *stored};
}

/* What is held of the quota. A refusal is right if and only if it would be exceeded. */
static void expect_refusal(const struct writer *writers, unsigned count, const struct writer *refused,
			   uint64_t wants)
{
	uint64_t held = 0;
	for (unsigned i = 0; i < count; i++)
		held += &writers[i] == refused ? 0 : writers[i].charge;
	cr_expect_gt(wants, stat_of(&house).quota - held);
}

static void writer_step(struct writer *writers, unsigned count, struct writer *w, const uint8_t *bytes)
{
	enum { SLICE = 10000 };
	size_t slice = w->length - w->given < SLICE ? w->length - w->given : SLICE;
	if (!slice) {
		struct stored unused;
		w->outcome.err = store_put_end(&w->put, &unused, writer_ended, w);
		w->over = true;
		cr_expect_eq(w->outcome.err, ERR_KEPT, "%s", err_name(w->outcome.err));
		return;
	}
	enum err err = store_put_data(w->put, bytes + w->given, slice);
	w->given += slice;
	if (err == ERR_OK) {
		w->charge = charge_of(w->known ? w->length : w->given);
		return;
	}
	cr_assert_eq(err, ERR_FULL);
	cr_expect_not(w->known, "its charge was reserved");
	expect_refusal(writers, count, w, charge_of(w->given));
	store_put_abort(&w->put);
	w->charge = 0;
	w->over = true;
	w->outcome.err = ERR_FULL;
}

/* FEATURES B5: used + request <= quota always, under 32 writers whose bytes come by turns. */
Test(quota, under_32_writers)
{
	enum { WRITERS = 32 };
	static uint8_t bytes[900000];
	static struct writer writers[WRITERS];
	fill(bytes, sizeof bytes, 1);
	for (unsigned i = 0; i < WRITERS; i++) {
		struct writer *w = &writers[i];
		*w = (struct writer){
			.length = sizeof bytes - i * 1000, .known = i % 2, .outcome = {.err = ERR_KEPT}};
		enum err err = store_put_begin(house.store, w->known ? w->length : SIZE_UNKNOWN, &w->put);
		w->charge = charge_of(w->known ? w->length : 0);
		if (err == ERR_OK)
			continue;
		cr_assert_eq(err, ERR_FULL);
		expect_refusal(writers, WRITERS, w, w->charge);
		w->charge = 0;
		w->over = true;
		w->outcome.err = ERR_FULL;
	}
	for (unsigned going = 1; going;) {
		going = 0;
		for (unsigned i = 0; i < WRITERS; i++)
			if (!writers[i].over) {
				writer_step(writers, WRITERS, &writers[i], bytes);
				going++;
			}
		store_turn(house.store);
		cr_assert_leq(stat_of(&house).used, stat_of(&house).quota);
	}
	unsigned stored = 0, full = 0;
	uint64_t used = 0;
	for (unsigned i = 0; i < WRITERS; i++) {
		put_wait(&house, &writers[i].outcome);
		stored += writers[i].outcome.err == ERR_OK;
		full += writers[i].outcome.err == ERR_FULL;
		used += writers[i].charge;
	}
	cr_expect_eq(stored + full, WRITERS);
	cr_expect(stored >= 10 && full >= 10, "%u stored, %u refused: both must have happened", stored, full);
	cr_expect_eq(stat_of(&house).used, used);
	house_audit(&house);
}

/* What a deleted blob holds while it is read is still charged: else a put would be promised units that are not there. */
Test(quota, counts_what_is_still_read)
{
	struct cid cid;
	struct get *get;
	cr_assert_eq(put_seeded(&house, 1, 40000, &cid), ERR_OK);
	fill_up(0);
	cr_assert_eq(store_get_open(house.store, &cid, &get), ERR_OK);
	cr_assert_eq(delete_now(&house, &cid), ERR_OK);
	cr_expect_eq(put_seeded(&house, 2, 40000, NULL), ERR_FULL);
	store_get_close(&get);
	cr_expect_eq(put_seeded(&house, 2, 40000, NULL), ERR_OK);
	house_audit(&house);
}

Test(quota, can_be_changed)
{
	fill_up(0);
	house_close(&house);
	house.shape.quota = 20 * MIB;
	house_open(&house);
	cr_expect_eq(stat_of(&house).quota, 20 * MIB);
	cr_expect_eq(put_seeded(&house, 1, 3 * MIB, NULL), ERR_OK);
	fill_up(0);
	house_audit(&house);
	house_close(&house);
	house.shape.quota = 8 * MIB;
	house_open(&house);
	cr_expect_eq(stat_of(&house).quota, 8 * MIB);
	cr_expect_eq(put_seeded(&house, 2, 0, NULL), ERR_FULL);
	cr_expect_eq(get_seeded(&house, 1, 3 * MIB), ERR_OK, "nothing is lost by a lower quota");
	house_audit(&house);
}
