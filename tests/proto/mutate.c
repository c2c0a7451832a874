/* Every byte of every message changed: never a crash, and what is still accepted is in bounds and can be
 * packed again. */
#include "tests/proto/sample.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROOM = 1024 * 1024, MEMORY = 16 * 1024 * 1024, WHOLE = 200 };

static unsigned accepted, refused;
static uint8_t packed[ROOM], again[ROOM];

/* `exact` and `into` are as large as they must be and no larger, so that a sanitizer sees a byte too far. */
static void try(const struct message *message, const uint8_t *exact, size_t length, uint8_t *into)
{
	struct arena arena;
	arena_begin(&arena, MEMORY);
	if (!message_unpack(message, exact, length, &arena, into)) {
		refused++;
	} else {
		accepted++;
		const char *bad = sample_out_of_bounds(message, into);
		cr_assert_null(bad, "%s.%s is out of bounds", message->name, bad);
		cr_assert(message_pack(message, into, again, ROOM) > 0, "%s: accepted, and not to be packed",
			  message->name);
	}
	arena_end(&arena);
}

/* Short messages: every byte to every value. Long ones: every byte to eight values, among them the bits of a
 * lead byte. */
static void mutate(const struct message *message, const uint8_t *whole, size_t length)
{
	uint8_t *bytes = x_new(length), *into = x_new(message->size);
	memcpy(bytes, whole, length);
	static const uint8_t few[] = {0x00, 0x7f, 0x80, 0x90, 0xc0, 0xc4, 0xdd, 0xff};
	for (size_t at = 0; at < length; at++) {
		uint8_t was = bytes[at];
		for (unsigned to = 0; to < (length <= WHOLE ? 256 : sizeof few); to++) {
			bytes[at] = length <= WHOLE ? (uint8_t)to : few[to];
			if (bytes[at] != was)
				try(message, bytes, length, into);
		}
		bytes[at] = was;
	}
	x_free(&bytes);
	x_free(&into);
}

static void mutate_all(uint64_t seed)
{
	const struct message *message;
	for (unsigned i = 0; (message = every_message(i)); i++) {
		struct arena arena;
		arena_begin(&arena, MEMORY);
		struct sample sample = {.state = seed + i, .arena = &arena, .size = SAMPLE_ANY};
		size_t length = message_pack(message, sample_message(&sample, message), packed, ROOM);
		mutate(message, packed, length);
		arena_end(&arena);
	}
	cr_assert(accepted > 100 && refused > 1000, "%u accepted, %u refused: is anything tried?", accepted,
		  refused);
}

Test(mutation, one_byte)
{
	mutate_all(1);
}

Test(mutation, one_byte_of_others)
{
	mutate_all(2000);
}

/* Any bytes at all, to every message. */
Test(mutation, noise)
{
	const struct message *message;
	struct sample noise = {.state = 5};
	for (unsigned round = 0; round < 2000; round++)
		for (unsigned i = 0; (message = every_message(i)); i++) {
			size_t length = sample_next(&noise) % 32;
			uint8_t *bytes = x_new(length), *into = x_new(message->size);
			for (size_t at = 0; at < length; at++)
				bytes[at] = (uint8_t)sample_next(&noise);
			if (length) /* so that it gets as far as the fields */
				bytes[0] = (uint8_t)(0x90 | (message->count & 15));
			try(message, bytes, length, into);
			x_free(&bytes);
			x_free(&into);
		}
}
