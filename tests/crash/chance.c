/* What a gateway that was taken over may try for as long as it likes. */
#include "tests/unit/store/each_gate.h"

#include <criterion/criterion.h>
#include <unistd.h>

TestSuite(chance, .init = setup, .fini = teardown, .timeout = 300);

/* Frames by chance, some nearly right: whatever comes of it, nothing breaks, nothing leaks, and the store is whole. */
Test(chance, frames)
{
	static uint8_t bytes[65536];
	uint64_t state = 7;
	struct cid cid;
	cr_assert_eq(put_seeded(&porch.house, 1, 300000, &cid), ERR_OK);
	for (unsigned i = 0; i < 6000; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
		uint32_t dice = (uint32_t)(state >> 33), number = dice % 5;
		switch (dice / 8 % 12) {
		case 0:
		case 1:
			say_put(&gate, number, dice / 128 % 3 ? STREAM_UNKNOWN : dice / 512 % 100000);
			break;
		case 2:
		case 3:
			say_get(&gate, number, &cid, dice / 128 % 310000, dice / 256 % 400000, dice % 6);
			break;
		case 4:
		case 5:
		case 6:
			say(&gate, STREAM_DATA, number, 0, bytes, dice / 128 % 65537);
			break;
		case 7:
			say(&gate, STREAM_END, number, 0, NULL, 0);
			break;
		case 8:
			say(&gate, STREAM_ABORT, number, 0, NULL, 0);
			break;
		case 9:
			say(&gate, STREAM_CREDIT, number, dice / 128 % 5, NULL, 0);
			break;
		default:
			say(&gate, (enum stream_type)(dice / 128 % 14), number, dice, bytes,
			    dice / 2048 % 64);
		}
		hear_no_more(&gate);
		if (gate.cut) {
			speaker_end(&gate);
			speaker_open(&gate, &porch);
		}
	}
	speaker_end(&gate);
	settle(&porch.house);
	porch_turn(&porch);
	cr_expect(streams_idle(porch.streams));
	cr_expect_eq(stat_of(&porch.house).puts_open, 0);
	cr_expect_eq(stat_of(&porch.house).gets_open, 0);
	house_audit(&porch.house);
	speaker_open(&gate, &porch);
}
