/* The books: a kill renews nothing, a clock that is set back renews nothing, and what is damaged is told. */
#include "tests/unit/wallet/books.h"

#include "actors/wallet/ink.h"

#include <poll.h>

static struct books books;

static void setup(void)
{
	books_make(&books);
}
static void teardown(void)
{
	books_remove(&books);
}
TestSuite(spent, .init = setup, .fini = teardown);

Test(spent, a_kill_renews_nothing)
{
	struct transaction tx = books_tx(&books, RELAY, "0.4");
	cr_assert(books_sign(&books, &tx));
	books.now += 60;
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(books_reopen(&books), SPENT_OK);
		tx = books_tx(&books, RELAY, "0.3");
		cr_assert_not(books_sign(&books, &tx));
		cr_expect_not_null(strstr(books.refusal.why, "0.7"), "%s", books.refusal.why);
	}
	tx = books_tx(&books, RELAY, "0.2");
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
}

Test(spent, a_clock_set_back_renews_nothing)
{
	struct transaction tx = books_tx(&books, RELAY, "0.6");
	cr_assert(books_sign(&books, &tx));
	books.now = NOON - 10 * SPENT_DAY_S;
	tx = books_tx(&books, RELAY, "0.1");
	cr_expect_not(books_sign(&books, &tx));
	cr_assert_eq(books_reopen(&books), SPENT_OK);
	cr_expect_not(books_sign(&books, &tx));
	cr_expect_eq(spent_now(books.spent, books.now), NOON);
}

Test(spent, what_was_asked_is_remembered)
{
	struct transaction tx = books_tx(&books, RELAY, "0.1");
	struct charge charge;
	uint8_t slot[SPENT_SLOT];
	cr_assert(verdict_transaction(&books.policy, books.spent, &tx, NOON, &charge, &books.refusal));
	memset(&charge.once, 9, sizeof charge.once);
	cr_expect_null(spent_once(books.spent, &charge.once));
	uint64_t at = spent_add(books.spent, &charge, NOON, slot);
	cr_assert_eq(pwrite(spent_fd(books.spent), slot, sizeof slot, (off_t)at), SPENT_SLOT);
	for (unsigned i = 0; i < 2; i++) {
		const struct hash *found = spent_once(books.spent, &charge.once);
		cr_assert_not_null(found);
		cr_expect_arr_eq(found->bytes, charge.digest.bytes, 32);
		cr_assert_eq(books_reopen(&books), SPENT_OK);
	}
}

static void sign_many(unsigned count)
{
	struct charge charge = {.chain = 1, .rule = "many"};
	uint8_t slot[SPENT_SLOT];
	for (unsigned i = 0; i < count; i++) {
		charge.nonce++;
		charge.value = u256_of(1);
		memcpy(charge.once.bytes, &charge.nonce, sizeof charge.nonce);
		uint64_t at = spent_add(books.spent, &charge, books.now, slot);
		cr_assert_eq(pwrite(spent_fd(books.spent), slot, sizeof slot, (off_t)at), SPENT_SLOT);
	}
}

Test(spent, a_torn_newest_slot_is_passed_over)
{
	uint8_t half[SPENT_SLOT / 2] = {0}, whole[SPENT_SLOT];
	sign_many(100);
	cr_assert_eq(pread(spent_fd(books.spent), whole, sizeof whole, 99 * SPENT_SLOT), SPENT_SLOT);
	for (unsigned which = 0; which < 2; which++) { /* its first half is not there, then its second */
		off_t at = 99 * SPENT_SLOT + which * (off_t)sizeof half;
		cr_assert_eq(pwrite(spent_fd(books.spent), whole, sizeof whole, 99 * SPENT_SLOT), SPENT_SLOT);
		cr_assert_eq(pwrite(spent_fd(books.spent), half, sizeof half, at), (ssize_t)sizeof half);
		cr_assert_eq(books_reopen(&books), SPENT_OK);
		cr_expect_eq(spent_sums(books.spent, 1, "many", books.now).count, 99, "half %u", which);
	}
}

Test(spent, a_damaged_older_slot_is_told)
{
	uint8_t byte = 0xa5;
	sign_many(100);
	for (unsigned at = 0; at < SPENT_SLOT; at += 17) {
		uint8_t was;
		off_t where = 10 * SPENT_SLOT + (off_t)at;
		cr_assert_eq(pread(spent_fd(books.spent), &was, 1, where), 1);
		byte = (uint8_t)~was;
		cr_assert_eq(pwrite(spent_fd(books.spent), &byte, 1, where), 1);
		int kept = dup(spent_fd(books.spent));
		cr_expect_eq(books_reopen(&books), SPENT_DAMAGED, "byte %u", at);
		cr_expect_null(books.spent);
		cr_assert_eq(pwrite(kept, &was, 1, where), 1);
		close(kept);
		cr_assert_eq(books_reopen(&books), SPENT_OK);
	}
}

/* Each whole, with a sum that fits, and yet not ours: the sums of a day would be wrong. */
Test(spent, numbers_that_go_round_and_a_clock_that_goes_back_are_damage)
{
	const struct {
		unsigned at;
		uint64_t is;
	} cases[] = {{8, UINT64_MAX}, {8, UINT64_C(1) << 62}, {16, UINT64_MAX}, {16, NOON - 1}};
	uint8_t was[SPENT_SLOT], slot[SPENT_SLOT];
	sign_many(3);
	cr_assert_eq(pread(spent_fd(books.spent), was, sizeof was, 2 * SPENT_SLOT), SPENT_SLOT);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		int kept = dup(spent_fd(books.spent));
		memcpy(slot, was, sizeof slot);
		for (unsigned byte = 0; byte < 8; byte++)
			slot[cases[i].at + byte] = (uint8_t)(cases[i].is >> (56 - 8 * byte));
		sha256(slot, 224, slot + 224);
		cr_assert_eq(pwrite(kept, slot, sizeof slot, 2 * SPENT_SLOT), SPENT_SLOT);
		cr_expect_eq(books_reopen(&books), SPENT_DAMAGED, "case %u", i);
		cr_assert_eq(pwrite(kept, was, sizeof was, 2 * SPENT_SLOT), SPENT_SLOT);
		close(kept);
		cr_assert_eq(books_reopen(&books), SPENT_OK);
	}
}

/* Past the end of the ring: the oldest are overwritten, and what is left is whole. */
Test(spent, the_ring_goes_round, .timeout = 120)
{
	sign_many(SPENT_SLOTS - 1);
	cr_expect_not(spent_full(books.spent, books.now));
	sign_many(1);
	cr_expect(spent_full(books.spent, books.now), "no more in a day than there are slots");
	cr_expect_not(spent_full(books.spent, books.now + SPENT_DAY_S));
	books.now += SPENT_DAY_S;
	sign_many(200);
	cr_assert_eq(books_reopen(&books), SPENT_OK);
	cr_expect_eq(spent_sums(books.spent, 1, "many", books.now).count, 200);
	sign_many(200);
	cr_expect_eq(spent_sums(books.spent, 1, "many", books.now).count, 200, "the same nonces");
}

Test(spent, a_file_that_is_not_ours_alone_is_refused)
{
	cr_assert_eq(fchmodat(books.folder.fd, SPENT_NAME, 0640, 0), 0);
	cr_expect_eq(books_reopen(&books), SPENT_UNSAFE);
	cr_assert_eq(fchmodat(books.folder.fd, SPENT_NAME, 0600, 0), 0);
	cr_assert_eq(linkat(books.folder.fd, SPENT_NAME, books.folder.fd, "other", 0), 0);
	cr_expect_eq(books_reopen(&books), SPENT_UNSAFE);
	cr_assert_eq(unlinkat(books.folder.fd, SPENT_NAME, 0), 0);
	cr_assert_eq(symlinkat("other", books.folder.fd, SPENT_NAME), 0);
	cr_expect_eq(books_reopen(&books), SPENT_UNSAFE);
	cr_assert_eq(unlinkat(books.folder.fd, SPENT_NAME, 0), 0);
	cr_assert_eq(renameat(books.folder.fd, "other", books.folder.fd, SPENT_NAME), 0);
	cr_expect_eq(books_reopen(&books), SPENT_OK);
}

/* What is dry is in the file, in order, and no more is under way than there is room for. */
Test(spent, ink_dries)
{
	struct ink *ink = ink_start(spent_fd(books.spent));
	uint8_t slot[SPENT_SLOT], got[SPENT_SLOT];
	uint64_t put = 0;
	while (put < 500) {
		memset(slot, (int)put, sizeof slot);
		if (ink_put(ink, put * SPENT_SLOT, slot)) {
			put++;
			continue;
		}
		struct pollfd wait = {.fd = ink_fd(ink), .events = POLLIN};
		cr_assert_eq(poll(&wait, 1, 60000), 1);
		cr_assert_geq(ink_dry(ink), put - SPENT_UNDER_WAY);
	}
	ink_end(&ink);
	for (uint64_t i = 0; i < put; i++) {
		memset(slot, (int)i, sizeof slot);
		cr_assert_eq(pread(spent_fd(books.spent), got, sizeof got, (off_t)(i * SPENT_SLOT)),
			     SPENT_SLOT);
		cr_assert_arr_eq(got, slot, sizeof slot);
	}
}

/* -- out of a backup ----------------------------------------------------------------------------- */

Test(spent, a_restored_wallet_signs_nothing_for_a_day)
{
	struct transaction tx = books_tx(&books, RELAY, "0.1");
	cr_assert(books_sign(&books, &tx));
	cr_expect_eq(spent_restored(books.spent, books.now), 0);
	books.now += 120;
	cr_assert(spent_restore(books.spent, books.now));
	uint64_t until = books.now + SPENT_DAY_S;
	static const uint64_t later[] = {0, 1, 60, SPENT_DAY_S - 121};
	for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
		cr_assert_eq(books_reopen(&books), SPENT_OK);
		books.now = until - SPENT_DAY_S + later[i];
		tx = books_tx(&books, RELAY, "0.1");
		cr_expect_not(books_sign(&books, &tx));
		cr_expect_not_null(strstr(books.refusal.why, "restored from a backup"), "%s",
				   books.refusal.why);
		cr_expect_eq(spent_restored(books.spent, books.now), until);
	}
	books.now = until;
	cr_expect_eq(spent_restored(books.spent, books.now), 0);
	tx = books_tx(&books, RELAY, "0.1");
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
}

Test(spent, a_clock_set_back_does_not_lift_it)
{
	cr_assert(spent_restore(books.spent, books.now));
	books.now -= 10 * SPENT_DAY_S;
	struct transaction tx = books_tx(&books, RELAY, "0.1");
	cr_expect_not(books_sign(&books, &tx));
	cr_assert_eq(books_reopen(&books), SPENT_OK);
	cr_expect_not(books_sign(&books, &tx));
}
