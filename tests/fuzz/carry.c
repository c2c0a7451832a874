/* The stream of a store in a backup: its head and its rows. What is accepted is within bounds, and is written again as it was read. */
#include "tests/fuzz/target.h"

#include "actors/store/carry.h"

#include <string.h>

static void row(const uint8_t *bytes)
{
	struct blob blob;
	uint8_t again[CARRY_ROW];
	if (!carry_row_unpack(bytes, &blob))
		return;
	must(blob.stored_at >= 0 && !(blob.sequence >> 63) && !blob.runs.count && !blob.slot_count);
	must(blob_stored(blob.size) > blob.size && blob_units(blob.size, 1024) <= UINT64_C(1) << 40);
	carry_row_pack(&blob, again);
	must(memcmp(again, bytes, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct carry_head head;
	uint8_t again[CARRY_HEAD];
	if (length < CARRY_HEAD)
		return 0;
	if (carry_head_unpack(bytes, &head) == STORE_OK) {
		carry_head_pack(&head, again);
		again[8] = bytes[8]; /* an older version is read, and written as ours */
		must(memcmp(again, bytes, sizeof again) == 0);
	}
	for (size_t at = CARRY_HEAD; at + CARRY_ROW <= length; at += CARRY_ROW)
		row(bytes + at);
	return 0;
}
