/* Any bytes as any message: the first two choose which, the rest is what somebody sent. What is accepted is in bounds, says
 * the same when packed and unpacked again, and can be printed. */
#include "tests/fuzz/target.h"

#include "tests/fuzz/with/choose.h"

#include <string.h>

enum { MEMORY = 2 * 1024 * 1024, ROOM = 1024 * 1024 };

static void again(const struct message *message, const void *first, struct arena *arena)
{
	static uint8_t packed[ROOM];
	char line[300];
	uint8_t *second = x_new(message->size);
	size_t length = message_pack(message, first, packed, sizeof packed);
	must(length > 0);
	must(message_unpack(message, packed, length, arena, second));
	must(sample_equal(message, first, second));
	must(message_print(message, first, line, sizeof line) == strlen(line));
	x_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct arena arena;
	if (length < CHOICE)
		return 0;
	const struct message *message = choose(bytes);
	uint8_t *first = x_new(message->size);
	arena_begin(&arena, MEMORY);
	if (message_unpack(message, bytes + CHOICE, length - CHOICE, &arena, first)) {
		must(!sample_out_of_bounds(message, first));
		again(message, first, &arena);
	}
	arena_end(&arena);
	x_free(&first);
	return 0;
}
