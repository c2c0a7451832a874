/* What a gateway that was taken over may try: frames that break the format. Frames by chance: tests/crash. */
#include "tests/unit/store/disk.h"
#include "tests/unit/store/each_gate.h"

#include <criterion/criterion.h>
#include <unistd.h>

TestSuite(breaches, .init = setup, .fini = teardown, .timeout = 120);

static struct cid store_one(uint64_t seed, size_t length)
{
	struct cid cid;
	cr_assert_eq(put_seeded(&porch.house, seed, length, &cid), ERR_OK);
	return cid;
}

/* -- what breaks the format ------------------------------------------------------------------------------------------ */

static void break_1(void) /* longer than a frame may be */
{
	struct stream_frame frame = {.length = STREAM_DATA_MAX + 1, .type = STREAM_DATA, .transfer = 1};
	say_bytes(&gate, &frame, sizeof frame);
}
static void break_2(void)
{
	struct stream_frame frame = {.length = UINT32_MAX, .type = STREAM_PUT, .transfer = 1};
	say_bytes(&gate, &frame, sizeof frame);
}
static void break_3(void) /* types that are none, or that only a store sends */
{
	say(&gate, 0, 1, 0, NULL, 0);
}
static void break_4(void)
{
	say(&gate, 200, 1, 0, NULL, 0);
}
static void break_5(void)
{
	say(&gate, STREAM_STORED, 1, 0, &(struct stream_stored){0}, sizeof(struct stream_stored));
}
static void break_6(void)
{
	say(&gate, STREAM_OPENED, 0, 0, NULL, 0);
}
static void break_7(void)
{
	say(&gate, STREAM_ERROR, 1, 0, NULL, 0);
}
static void break_8(void) /* payloads of another length */
{
	say(&gate, STREAM_PUT, 1, 0, "1234567", 7);
}
static void break_9(void)
{
	say(&gate, STREAM_GET, 1, 0, &(struct stream_get){0}, sizeof(struct stream_get) - 1);
}
static void break_10(void)
{
	say(&gate, STREAM_PUT, 1, 0, NULL, 0);
}
static void break_11(void)
{
	say_put(&gate, 1, 10);
	say(&gate, STREAM_END, 1, 0, "x", 1);
}
static void break_12(void) /* a number that is in use */
{
	say_put(&gate, 1, 10);
	say_put(&gate, 1, 10);
}
static void break_13(void) /* frames of the other kind */
{
	struct cid cid = store_one(1, 10 * 65536);
	say_get(&gate, 1, &cid, 0, STREAM_UNKNOWN, 1);
	say(&gate, STREAM_DATA, 1, 0, "x", 1);
}
static void break_14(void)
{
	struct cid cid = store_one(1, 10 * 65536);
	say_get(&gate, 1, &cid, 0, STREAM_UNKNOWN, 1);
	say(&gate, STREAM_END, 1, 0, NULL, 0);
}
static void break_15(void)
{
	say_put(&gate, 1, 10);
	say(&gate, STREAM_CREDIT, 1, 1, NULL, 0);
}
static void break_16(void) /* after the end of the upload */
{
	disk_hold_syncs(true);
	say_put(&gate, 1, 1);
	say(&gate, STREAM_DATA, 1, 0, "x", 1);
	say(&gate, STREAM_END, 1, 0, NULL, 0);
	say(&gate, STREAM_DATA, 1, 0, "x", 1);
	disk_hold_syncs(false);
}
static void break_17(void) /* a second ticket on an open connection */
{
	struct stream_open open = {streams_ticket(porch.streams)};
	say(&gate, STREAM_OPEN, 0, 0, &open, sizeof open);
}

Test(breaches, a_frame_that_breaks_the_format_ends_the_connection)
{
	void (*const breaks[])(void) = {break_1,  break_2,  break_3,  break_4,  break_5,  break_6,
					break_7,  break_8,  break_9,  break_10, break_11, break_12,
					break_13, break_14, break_15, break_16, break_17};
	for (unsigned i = 0; i < sizeof breaks / sizeof *breaks; i++) {
		breaks[i]();
		expect_cut(&gate);
		settle(&porch.house);
		cr_expect(streams_idle(porch.streams), "%u", i + 1);
		speaker_end(&gate);
		speaker_open(&gate, &porch);
	}
}

Test(breaches, frames_of_nobody_are_passed_over)
{
	say(&gate, STREAM_DATA, 77, 0, "x", 1);
	say(&gate, STREAM_END, 77, 0, NULL, 0);
	say(&gate, STREAM_ABORT, 77, 0, NULL, 0);
	say(&gate, STREAM_CREDIT, 77, 9, NULL, 0);
	cr_expect(hear_nothing(&gate));
}
