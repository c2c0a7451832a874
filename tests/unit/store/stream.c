/* The door for bulk bytes: who may come in, puts and gets side by side, credit, everything a gateway that was taken over may
 * try. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/each_gate.h"

#include <criterion/criterion.h>
#include <time.h>
#include <unistd.h>

static struct heard heard;

TestSuite(stream, .init = setup, .fini = teardown, .timeout = 120);

static uint64_t now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

static struct cid store_one(uint64_t seed, size_t length)
{
	struct cid cid;
	cr_assert_eq(put_seeded(&porch.house, seed, length, &cid), ERR_OK);
	return cid;
}

/* -- who may come in ------------------------------------------------------------------------------------------------- */

Test(stream, a_ticket_opens_once)
{
	struct speaker second, third;
	struct stream_open first = {streams_ticket(porch.streams)}, newer = {streams_ticket(porch.streams)};
	speaker_connect(&second, &porch);
	say(&second, STREAM_OPEN, 0, 0, &first, sizeof first);
	expect_error(&second, 0, ERR_BAD_TICKET); /* a newer one was given */
	expect_cut(&second);
	speaker_end(&second);
	speaker_connect(&second, &porch);
	say(&second, STREAM_OPEN, 0, 0, &newer, sizeof newer);
	expect(&second, &heard, STREAM_OPENED, 0);
	speaker_connect(&third, &porch);
	say(&third, STREAM_OPEN, 0, 0, &newer, sizeof newer);
	expect_error(&third, 0, ERR_BAD_TICKET); /* it was used */
	expect_cut(&third);
	speaker_end(&third);
	cr_expect(hear_nothing(&second), "the good one is not disturbed");
	speaker_end(&second);
}

Test(stream, no_guess_and_nothing_before_the_ticket)
{
	struct speaker stranger;
	struct stream_open guess = {{{0}}};
	struct cid cid = store_one(1, 100);
	streams_ticket(porch.streams);
	for (unsigned i = 0; i < 4; i++) {
		speaker_connect(&stranger, &porch);
		if (i == 0)
			say(&stranger, STREAM_OPEN, 0, 0, &guess, sizeof guess);
		if (i == 1)
			say_get(&stranger, 1, &cid, 0, 10, 1);
		if (i == 2)
			say(&stranger, STREAM_OPEN, 0, 0, &guess, sizeof guess - 1);
		if (i == 3)
			say_put(&stranger, 1, 10);
		expect_cut(&stranger);
		speaker_end(&stranger);
	}
	cr_expect(hear_nothing(&gate));
}

Test(stream, another_uid_is_not_heard)
{
	struct porch other;
	struct speaker stranger;
	porch_open(&other, 8 * MIB, getuid() + 1);
	struct stream_open open = {streams_ticket(other.streams)};
	speaker_connect(&stranger, &other);
	say(&stranger, STREAM_OPEN, 0, 0, &open, sizeof open);
	expect_cut(&stranger);
	cr_expect_eq(streams_counts(other.streams)->links_refused, 1);
	speaker_end(&stranger);
	porch_close(&other);
}

Test(stream, the_new_gateway_replaces_the_old_one)
{
	struct speaker new;
	static uint8_t bytes[100000];
	struct stream_stored stored;
	say_put(&gate, 1, 100000);
	say(&gate, STREAM_DATA, 1, 0, bytes, 65536);
	speaker_open(&new, &porch);
	expect_cut(&gate);
	cr_expect_eq(stat_of(&porch.house).puts_open, 0, "its half upload is gone");
	cr_expect_eq(put_over(&new, 1, bytes, 100000, 100000, &stored), ERR_OK);
	speaker_end(&new);
}

Test(stream, who_shows_no_ticket_does_not_stay)
{
	struct speaker silent[STREAM_LINKS];
	for (unsigned i = 0; i < STREAM_LINKS - 1; i++)
		speaker_connect(&silent[i], &porch);
	speaker_connect(&silent[STREAM_LINKS - 1], &porch);
	expect_cut(&silent[STREAM_LINKS - 1]); /* there is no room */
	streams_tend(porch.streams, now() + 6000);
	for (unsigned i = 0; i < STREAM_LINKS; i++) {
		expect_cut(&silent[i]);
		speaker_end(&silent[i]);
	}
	cr_expect(hear_nothing(&gate), "the one with a ticket stays");
	cr_expect_eq(streams_counts(porch.streams)->links, 1);
}

/* -- transfers ------------------------------------------------------------------------------------------------------- */

Test(stream, every_size_goes_in_and_comes_out)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 262144, 300000, 2 * MIB + 1};
	static uint8_t bytes[2 * MIB + 1], back[3 * MIB];
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct stream_stored stored;
		size_t got;
		fill(bytes, sizes[i], i);
		cr_assert_eq(put_over(&gate, i, bytes, sizes[i], i % 2 ? STREAM_UNKNOWN : sizes[i], &stored),
			     ERR_OK);
		struct cid right = cid_of(bytes, sizes[i]);
		cr_expect(memcmp(&right, &stored.cid, sizeof right) == 0 && stored.size == sizes[i] &&
			  stored.fresh);
		cr_assert_eq(put_over(&gate, i, bytes, sizes[i], sizes[i], &stored), ERR_OK);
		cr_expect_eq(stored.fresh, 0);
		cr_assert_eq(get_over(&gate, i, &right, 0, STREAM_UNKNOWN, back, &got), ERR_OK);
		cr_assert(got == sizes[i] && memcmp(back, bytes, got) == 0);
	}
	cr_expect_eq(porch.puts_done, 2 * 8);
	cr_expect_eq(porch.gets_done, 8);
	house_audit(&porch.house);
}

Test(stream, ranges_and_heads)
{
	static uint8_t bytes[200000], back[300000];
	struct cid cid = store_one(3, sizeof bytes);
	size_t got;
	fill(bytes, sizeof bytes, 3);
	static const uint64_t rows[][2] = {{0, 1},        {65530, 20}, {199999, 1}, {199999, 500},
					   {100, 150000}, {200000, 1}, {5, 0}};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t left = sizeof bytes - rows[i][0], want = rows[i][1] < left ? rows[i][1] : left;
		cr_assert_eq(get_over(&gate, 7, &cid, rows[i][0], rows[i][1], back, &got), ERR_OK);
		cr_assert(got == want && memcmp(back, bytes + rows[i][0], got) == 0, "row %u: %zu", i, got);
	}
	cr_expect_eq(get_over(&gate, 7, &cid, 200001, 1, back, &got), ERR_BAD_VALUE);
	say_get(&gate, 8, &cid, 0, STREAM_UNKNOWN, 0);
	expect(&gate, &heard, STREAM_FOUND, 8);
	struct stream_found found;
	memcpy(&found, heard.body, sizeof found);
	cr_expect_eq(found.size, sizeof bytes);
	expect(&gate, &heard, STREAM_END, 8);
	cr_expect(streams_idle(porch.streams));
}

Test(stream, a_byte_at_a_time)
{
	static uint8_t all[4096];
	size_t length = 0;
	struct stream_put put = {1000};
	struct stream_frame frames[] = {{.length = sizeof put, .type = STREAM_PUT, .transfer = 9},
					{.length = 1000, .type = STREAM_DATA, .transfer = 9},
					{.type = STREAM_END, .transfer = 9}};
	memcpy(all, &frames[0], sizeof frames[0]), length += sizeof frames[0];
	memcpy(all + length, &put, sizeof put), length += sizeof put;
	memcpy(all + length, &frames[1], sizeof frames[1]), length += sizeof frames[1] + 1000;
	memcpy(all + length, &frames[2], sizeof frames[2]), length += sizeof frames[2];
	for (size_t i = 0; i < length; i++)
		say_bytes(&gate, all + i, 1);
	expect(&gate, &heard, STREAM_CREDIT, 9);
	expect(&gate, &heard, STREAM_STORED, 9);
	house_audit(&porch.house);
}

/* Ten uploads whose frames come by turns, ten downloads beside them. */
Test(stream, many_share_one_connection)
{
	enum { MANY = 10, FRAMES = 4, PIECE = 40000 };
	static uint8_t bytes[MANY][FRAMES * PIECE], old[MANY][FRAMES * PIECE];
	struct cid cids[MANY];
	size_t got[MANY] = {0};
	for (unsigned i = 0; i < MANY; i++) {
		fill(bytes[i], sizeof bytes[i], 100 + i);
		cids[i] = store_one(200 + i, sizeof old[i]);
		say_put(&gate, i, sizeof bytes[i]);
		say_get(&gate, 50 + i, &cids[i], 0, STREAM_UNKNOWN, 4);
	}
	for (unsigned f = 0; f < FRAMES; f++)
		for (unsigned i = 0; i < MANY; i++)
			say(&gate, STREAM_DATA, i, 0, bytes[i] + f * PIECE, PIECE);
	for (unsigned i = 0; i < MANY; i++)
		say(&gate, STREAM_END, i, 0, NULL, 0);
	for (unsigned stored = 0, ended = 0; stored < MANY || ended < MANY;) {
		cr_assert(hear(&gate, &heard));
		uint32_t n = heard.frame.transfer;
		if (heard.frame.type == STREAM_STORED) {
			struct cid right = cid_of(bytes[n], sizeof bytes[n]);
			cr_assert_arr_eq(heard.body, &right, sizeof right);
			stored++;
		} else if (heard.frame.type == STREAM_DATA) {
			memcpy(old[n - 50] + got[n - 50], heard.body, heard.frame.length);
			got[n - 50] += heard.frame.length;
		} else if (heard.frame.type == STREAM_END) {
			struct cid right = cid_of(old[n - 50], got[n - 50]);
			cr_assert_arr_eq(&cids[n - 50], &right, sizeof right);
			ended++;
		} else {
			cr_assert(heard.frame.type == STREAM_CREDIT || heard.frame.type == STREAM_FOUND);
		}
	}
	house_audit(&porch.house);
}

/* -- refusals -------------------------------------------------------------------------------------------------------- */

Test(stream, what_the_store_refuses)
{
	static uint8_t bytes[200000];
	struct stream_stored stored;
	struct cid none = cid_of("none", 4);
	size_t got;
	cr_expect_eq(get_over(&gate, 1, &none, 0, 1, bytes, &got), ERR_NOT_FOUND);
	cr_expect_eq(porch.last_end, ERR_NOT_FOUND);
	cr_expect_eq(put_over(&gate, 1, bytes, 100, 101, &stored), ERR_TRUNCATED);
	cr_expect_eq(put_over(&gate, 1, bytes, 101, 100, &stored), ERR_BAD_VALUE);
	cr_expect(hear_nothing(&gate), "its END, that crossed the ERROR, is ignored");
	cr_expect_eq(put_over(&gate, 2, bytes, 0, 65 * MIB, &stored), ERR_TOO_LARGE);
	cr_expect_eq(put_over(&gate, 2, bytes, 0, 60 * MIB, &stored), ERR_FULL);
	disk_read_only(true);
	cr_expect_eq(put_over(&gate, 2, bytes, 10, 10, &stored), ERR_DISK);
	disk_read_only(false);
	store_refuse(porch.house.store);
	cr_expect_eq(put_over(&gate, 2, bytes, 10, 10, &stored), ERR_NOT_READY);
	cr_expect(streams_idle(porch.streams));
	cr_expect_eq(porch.puts_done, 0);
}

Test(stream, a_foreign_shard_is_named)
{
	speaker_end(&gate);
	streams_free(&porch.streams);
	house_close(&porch.house);
	char why[SHARDS_WHY];
	cr_assert_null(shards_parse("0-970,972-1023", 1024, &porch.house.shape.shards, why));
	house_open(&porch.house);
	const struct streams_events events = {NULL, NULL, NULL};
	porch.streams = streams_new(porch.listener, getuid(), porch.house.store, 1024, &events);
	speaker_open(&gate, &porch);
	say_put(&gate, 1, 15);
	say(&gate, STREAM_DATA, 1, 0, "hello bytecave\n", 15);
	say(&gate, STREAM_END, 1, 0, NULL, 0);
	expect(&gate, &heard, STREAM_CREDIT, 1);
	expect(&gate, &heard, STREAM_ERROR, 1);
	cr_expect_eq(heard.frame.error, ERR_WRONG_SHARD);
	cr_expect_eq(heard.frame.argument, 971);
}

Test(stream, a_rotten_chunk_ends_a_download)
{
	struct cid cid = store_one(5, 200000);
	static uint8_t back[300000];
	size_t got;
	flip(&porch.house, "arena", header_in_arena(&porch.house, &cid) + 256 + 65552 + 77, 4);
	cr_expect_eq(get_over(&gate, 1, &cid, 0, STREAM_UNKNOWN, back, &got), ERR_CORRUPT);
	cr_expect_eq(got, 65536, "only what was right");
	cr_expect_eq(porch.last_end, ERR_CORRUPT);
}

Test(stream, no_more_transfers_than_there_may_be)
{
	for (uint32_t i = 0; i < STREAM_TRANSFERS; i++)
		say_put(&gate, i, 10);
	say_put(&gate, STREAM_TRANSFERS, 10);
	expect_error(&gate, STREAM_TRANSFERS, ERR_BUSY);
	say(&gate, STREAM_ABORT, 7, 0, NULL, 0);
	say_put(&gate, STREAM_TRANSFERS, 10);
	cr_expect(hear_nothing(&gate));
	cr_expect_eq(streams_counts(porch.streams)->transfers_refused, 1);
}

/* -- giving up ------------------------------------------------------------------------------------------------------- */

Test(stream, giving_up_at_any_time)
{
	static uint8_t bytes[65536];
	struct cid cid = store_one(1, 500000);
	uint64_t used = stat_of(&porch.house).used;
	for (unsigned i = 0; i < 20; i++) {
		say_put(&gate, 3, i % 2 ? STREAM_UNKNOWN : 200000);
		if (i % 3)
			say(&gate, STREAM_DATA, 3, 0, bytes, 60000);
		say(&gate, STREAM_ABORT, 3, 0, NULL, 0);
		say_get(&gate, 4, &cid, 0, STREAM_UNKNOWN, i % 5);
		say(&gate, STREAM_ABORT, 4, 0, NULL, 0);
	}
	hear_no_more(&gate);
	cr_expect(streams_idle(porch.streams));
	cr_expect_eq(stat_of(&porch.house).used, used);
	cr_expect_eq(stat_of(&porch.house).puts_open, 0);
	cr_expect_eq(stat_of(&porch.house).gets_open, 0);
}

/* An upload that is with the committer is stored, though the gateway has gone; nobody is told twice. */
Test(stream, gone_while_it_is_committed)
{
	disk_hold_syncs(true);
	say_put(&gate, 1, 3);
	say(&gate, STREAM_DATA, 1, 0, "abc", 3);
	say(&gate, STREAM_END, 1, 0, NULL, 0);
	disk_wait_for_sync();
	speaker_end(&gate);
	cr_expect_not(streams_idle(porch.streams));
	disk_hold_syncs(false);
	settle(&porch.house);
	cr_expect(streams_idle(porch.streams));
	cr_expect_eq(porch.puts_done, 1);
	struct cid cid = cid_of("abc", 3);
	struct store_row row;
	cr_expect_eq(store_head(porch.house.store, &cid, &row), ERR_OK);
	speaker_open(&gate, &porch);
}

/* The number of an upload that was given up while it was committed may be used again at once. */
Test(stream, a_number_is_free_after_its_abort)
{
	struct stream_stored stored;
	disk_hold_syncs(true);
	say_put(&gate, 1, 3);
	say(&gate, STREAM_DATA, 1, 0, "abc", 3);
	say(&gate, STREAM_END, 1, 0, NULL, 0);
	expect(&gate, &heard, STREAM_CREDIT, 1);
	disk_wait_for_sync();
	say(&gate, STREAM_ABORT, 1, 0, NULL, 0);
	say_put(&gate, 1, 4);
	say(&gate, STREAM_DATA, 1, 0, "defg", 4);
	expect(&gate, &heard, STREAM_CREDIT, 1);
	disk_hold_syncs(false);
	turn(&porch.house);
	cr_expect_eq(porch.puts_done, 1);
	cr_expect(hear_nothing(&gate), "no STORED for what was given up");
	say(&gate, STREAM_END, 1, 0, NULL, 0);
	expect(&gate, &heard, STREAM_STORED, 1);
	memcpy(&stored, heard.body, sizeof stored);
	cr_expect_eq(stored.size, 4);
}

Test(stream, who_is_silent_is_late)
{
	struct cid cid = store_one(1, 500000);
	say_put(&gate, 1, 100000);
	say_get(&gate, 2, &cid, 0, STREAM_UNKNOWN, 1);
	expect(&gate, &heard, STREAM_FOUND, 2);
	expect(&gate, &heard, STREAM_DATA, 2);
	streams_tend(porch.streams, now() + STREAM_IDLE_MS - 2000);
	cr_expect(hear_nothing(&gate));
	streams_tend(porch.streams, now() + STREAM_IDLE_MS + 2000);
	expect_error(&gate, 1, ERR_LATE);
	expect_error(&gate, 2, ERR_LATE);
	cr_expect(streams_idle(porch.streams));
}

/* -- credit ---------------------------------------------------------------------------------------------------------- */

Test(stream, no_byte_without_credit)
{
	struct cid cid = store_one(1, 20 * 65536);
	say_get(&gate, 1, &cid, 0, STREAM_UNKNOWN, 3);
	expect(&gate, &heard, STREAM_FOUND, 1);
	for (unsigned i = 0; i < 3; i++)
		expect(&gate, &heard, STREAM_DATA, 1);
	cr_expect(hear_nothing(&gate));
	say(&gate, STREAM_CREDIT, 1, 2, NULL, 0);
	for (unsigned i = 0; i < 2; i++)
		expect(&gate, &heard, STREAM_DATA, 1);
	cr_expect(hear_nothing(&gate));
}

Test(stream, more_credit_than_there_may_be_is_a_breach)
{
	struct cid cid = store_one(2, 10 * 65536);
	say_get(&gate, 2, &cid, 0, STREAM_UNKNOWN, STREAM_WINDOW + 100);
	expect(&gate, &heard, STREAM_FOUND, 2);
	for (unsigned i = 0; i < STREAM_WINDOW; i++)
		expect(&gate, &heard, STREAM_DATA, 2);
	cr_expect(hear_nothing(&gate), "what it begins with is cut to the window");
	say(&gate, STREAM_CREDIT, 2, STREAM_WINDOW + 1, NULL, 0);
	expect_cut(&gate);
}

/* A gateway that asks for everything and reads nothing: the store holds no more than its bound, and serves others. */
Test(stream, who_does_not_read_is_not_sent_more)
{
	struct cid cid = store_one(1, 8 * 65536);
	for (uint32_t i = 0; i < STREAM_TRANSFERS; i++)
		say_get(&gate, i, &cid, 0, STREAM_UNKNOWN, STREAM_WINDOW);
	for (unsigned i = 0; i < 50; i++)
		porch_turn(&porch);
	cr_expect_eq(streams_counts(porch.streams)->links, 1, "not cut either");
	cr_expect_eq(put_seeded(&porch.house, 5, 100000, NULL), ERR_OK);
	unsigned datas = 0;
	while (datas < STREAM_TRANSFERS * STREAM_WINDOW) {
		cr_assert(hear(&gate, &heard));
		datas += heard.frame.type == STREAM_DATA;
	}
	cr_expect(hear_nothing(&gate));
}
