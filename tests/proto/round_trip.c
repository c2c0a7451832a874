/* Every message there and back: packed, compared with bytes written by hand, unpacked, compared; and refused
 * at every length but its own. */
#include "tests/proto/sample.h"

#include "proto/call.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
	ROUNDS = 40,
	ROOM = 1024 * 1024,
	MEMORY = 16 * 1024 * 1024,
	CALL_MEMORY = 2 * 1024 * 1024, /* what the runtime gives a call: actors/base/runtime.h */
	EVENT_ROOM = 4096,             /* what actor_publish() packs into */
};

static uint8_t packed[ROOM],
	hand[ROOM]; /* made once: to zero them for each message takes longer than all the rest */

static void there_and_back(const struct message *message, struct sample *sample)
{
	struct arena into_arena;
	arena_begin(&into_arena, MEMORY);
	const void *from = sample_message(sample, message);
	size_t length = message_pack(message, from, packed, ROOM);
	cr_assert(length > 0, "%s does not pack", message->name);

	struct bytes by_hand = {.at = hand, .room = ROOM};
	hand_message(&by_hand, message, from, NULL);
	cr_assert(by_hand.length == length && memcmp(by_hand.at, packed, length) == 0,
		  "%s is packed otherwise than by hand", message->name);

	void *into = arena_take(&into_arena, message->size + 1);
	cr_assert(message_scan(packed, length), "%s: the pre-scan refuses it", message->name);
	cr_assert(message_unpack(message, packed, length, &into_arena, into), "%s does not unpack",
		  message->name);
	cr_assert(sample_equal(message, from, into), "%s changed on the way", message->name);
	cr_assert_null(sample_out_of_bounds(message, into), "%s.%s is out of bounds", message->name,
		       sample_out_of_bounds(message, into));
	arena_end(&into_arena);
}

static void for_each(enum sample_size size, void (*try)(const struct message *, struct sample *),
		     unsigned rounds)
{
	const struct message *message;
	for (unsigned i = 0; (message = every_message(i)); i++)
		for (unsigned round = 0; round < rounds; round++) {
			struct arena arena;
			arena_begin(&arena, MEMORY);
			struct sample sample = {.state = i * 1000 + round, .arena = &arena, .size = size};
			try(message, &sample);
			arena_end(&arena);
		}
}

Test(round_trip, any)
{
	for_each(SAMPLE_ANY, there_and_back, ROUNDS);
}

Test(round_trip, least)
{
	for_each(SAMPLE_LEAST, there_and_back, 1);
}

Test(round_trip, most)
{
	for_each(SAMPLE_MOST, there_and_back, 1);
}

Test(round_trip, there_are_messages)
{
	unsigned count = 0, fields = 0;
	for (const struct message *message; (message = every_message(count)); count++)
		fields += message->count;
	cr_assert(count >= 40 && fields >= 80, "%u messages, %u fields: is every protocol in the list?",
		  count, fields);
}

static bool is_zero(const void *at, size_t length)
{
	for (const uint8_t *byte = at; length--; byte++)
		if (*byte)
			return false;
	return true;
}

static void refused(const struct message *message, const uint8_t *bytes, size_t length, const char *why)
{
	struct arena arena;
	arena_begin(&arena, MEMORY);
	uint8_t *exact = x_new(length); /* so that a sanitizer sees a byte too far */
	uint8_t *into = x_new(message->size);
	memcpy(exact, bytes, length);
	memset(into, 0xaa, message->size);
	cr_assert_not(message_unpack(message, exact, length, &arena, into), "%s: %s, and it was accepted",
		      message->name, why);
	cr_assert(is_zero(into, message->size), "%s: %s, and the struct is not empty", message->name, why);
	x_free(&exact);
	x_free(&into);
	arena_end(&arena);
}

static void cut_and_grown(const struct message *message, struct sample *sample)
{
	const void *from = sample_message(sample, message);
	size_t length = message_pack(message, from, packed, ROOM - 1);
	for (size_t cut = 0; cut < length; cut++)
		refused(message, packed, cut, "cut");
	for (unsigned extra = 0; extra < 256; extra += 51) {
		packed[length] = (uint8_t)extra;
		refused(message, packed, length + 1, "a byte more");
	}
}

Test(round_trip, truncated_and_extended)
{
	for_each(SAMPLE_ANY, cut_and_grown, 3);
	for_each(SAMPLE_LEAST, cut_and_grown, 1);
}

static void no_room(const struct message *message, struct sample *sample)
{
	const void *from = sample_message(sample, message);
	size_t length = message_pack(message, from, packed, ROOM);
	for (size_t room = 0; room < length; room++) {
		uint8_t *exact = x_new(room);
		cr_assert_eq(message_pack(message, from, exact, room), 0, "%s packs into %zu of %zu bytes",
			     message->name, room, length);
		x_free(&exact);
	}
	cr_assert_eq(message_pack(message, from, packed, length), length);
}

Test(round_trip, too_little_room)
{
	for_each(SAMPLE_ANY, no_room, 2);
}

/* The largest of each: a row that outgrows the bus would be found by the first user with 512 nodes. */
static void fits_the_bus(const struct message *message, struct sample *sample)
{
	struct arena call;
	arena_begin(&call, CALL_MEMORY);
	size_t length = message_pack(message, sample_message(sample, message), packed, ROOM);
	cr_assert(length > 0 && length <= BODY_MAX, "%s may grow to %zu bytes, a body to %d", message->name,
		  length, BODY_MAX);
	void *into = arena_take(&call, message->size + 1);
	cr_assert(message_unpack(message, packed, length, &call, into), "%s outgrows the memory of a call",
		  message->name);
	for (unsigned i = 0; event_at(i); i++)
		cr_assert(event_at(i)->body != message || length <= EVENT_ROOM,
			  "event %s may grow to %zu bytes", message->name, length);
	arena_end(&call);
}

Test(round_trip, the_largest_fit_the_bus)
{
	for_each(SAMPLE_MOST, fits_the_bus, 1);
}
