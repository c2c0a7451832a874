/* Bytes that claim to be more than they are: the pre-scan refuses them before msgpack-c sees one, and nothing
 * is allocated. The linker puts __wrap_msgpack_unpack_next() where pack.c calls msgpack-c
 * (tests/CMakeLists.txt). */
#include "tests/proto/sample.h"

#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <msgpack.h>
#include <string.h>

enum { DEEP = 1000000 };

msgpack_unpack_return __real_msgpack_unpack_next(msgpack_unpacked *result, const char *data, size_t length,
						 size_t *used);
msgpack_unpack_return __wrap_msgpack_unpack_next(msgpack_unpacked *result, const char *data, size_t length,
						 size_t *used);

static unsigned seen_by_msgpack;

msgpack_unpack_return __wrap_msgpack_unpack_next(msgpack_unpacked *result, const char *data, size_t length,
						 size_t *used)
{
	seen_by_msgpack++;
	return __real_msgpack_unpack_next(result, data, length, used);
}

#define BOMB(name, ...) \
	{ \
		name, sizeof(uint8_t[]){__VA_ARGS__}, \
		{ \
			__VA_ARGS__ \
		} \
	}

static const struct {
	const char *name;
	size_t length;
	uint8_t bytes[16];
} bombs[] = {
	BOMB("array 32 of 2^32-1", 0xdd, 0xff, 0xff, 0xff, 0xff),
	BOMB("array 32 of 16 million", 0xdd, 0xff, 0x00, 0x00, 0x00),
	BOMB("array 32 of 2^31", 0xdd, 0x80, 0x00, 0x00, 0x00, 0x01),
	BOMB("array 16 of 65535", 0xdc, 0xff, 0xff),
	BOMB("array of 15", 0x9f),
	BOMB("array of 2, one there", 0x92, 0x01),
	BOMB("array of 1, two there", 0x91, 0x01, 0x01),
	BOMB("array in array, the inner lies", 0x91, 0xdd, 0xff, 0xff, 0xff, 0xff),
	BOMB("str 32 of 4 GiB", 0xdb, 0xff, 0xff, 0xff, 0xff),
	BOMB("str 32 of 4 GiB in an array", 0x91, 0xdb, 0xff, 0xff, 0xff, 0xff),
	BOMB("str 16", 0xda, 0xff, 0xff),
	BOMB("str 8", 0xd9, 0x01),
	BOMB("fixstr", 0xbf),
	BOMB("bin 32 of 4 GiB", 0xc6, 0xff, 0xff, 0xff, 0xff),
	BOMB("bin 16", 0xc5, 0x00, 0x01),
	BOMB("bin 8", 0xc4, 0x02, 0x00),
	BOMB("map 32 of 2^32-1", 0xdf, 0xff, 0xff, 0xff, 0xff),
	BOMB("map 16", 0xde, 0x00, 0x01, 0x01, 0x01),
	BOMB("map of 1", 0x81, 0x01, 0x01),
	BOMB("map, empty", 0x80),
	BOMB("map, the same key twice", 0x82, 0x01, 0x01, 0x01, 0x02),
	BOMB("ext 32 of 4 GiB", 0xc9, 0xff, 0xff, 0xff, 0xff, 0x00),
	BOMB("ext 8", 0xc7, 0x00, 0x00),
	BOMB("ext 16", 0xc8, 0x00, 0x00, 0x00),
	BOMB("fixext 1", 0xd4, 0x00, 0x00),
	BOMB("fixext 2", 0xd5, 0x00, 0x00, 0x00),
	BOMB("fixext 4", 0xd6, 0x00, 0x00, 0x00, 0x00, 0x00),
	BOMB("fixext 8", 0xd7, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	BOMB("float", 0xca, 0x00, 0x00, 0x00, 0x00),
	BOMB("double", 0xcb, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00),
	BOMB("the byte that is never used", 0xc1),
	BOMB("uint 64, cut", 0xcf, 0, 0, 0, 0, 0, 0, 0),
	BOMB("int 8, cut", 0xd0),
	BOMB("two values", 0x01, 0x01),
	BOMB("nothing, and a length", 0x90, 0x90),
};

/* To every message, in a buffer of exactly its size. */
static void is_refused(const char *name, const uint8_t *bytes, size_t length)
{
	const struct message *message;
	uint8_t *exact = x_new(length);
	memcpy(exact, bytes, length);
	seen_by_msgpack = 0;
	cr_assert_not(message_scan(exact, length), "%s passes the pre-scan", name);
	for (unsigned i = 0; (message = every_message(i)); i++) {
		struct arena arena;
		uint8_t *into = x_new(message->size);
		arena_begin(&arena, BODY_MAX);
		cr_assert_not(message_unpack(message, exact, length, &arena, into), "%s is a %s", name,
			      message->name);
		cr_assert_null(arena.blocks, "%s: memory was taken for it", name);
		x_free(&into);
	}
	cr_assert_eq(seen_by_msgpack, 0, "%s: msgpack-c saw it", name);
	x_free(&exact);
}

Test(bombs, small)
{
	for (unsigned i = 0; i < sizeof bombs / sizeof *bombs; i++)
		is_refused(bombs[i].name, bombs[i].bytes, bombs[i].length);
	is_refused("no byte at all", (const uint8_t *)"", 0);
}

/* The probe itself: an honest message is seen by msgpack-c, or the test above proves nothing. */
Test(bombs, the_probe_sees)
{
	const struct message *message = every_message(0);
	struct arena arena;
	arena_begin(&arena, BODY_MAX);
	struct sample sample = {.arena = &arena, .size = SAMPLE_LEAST};
	struct bytes bytes = bytes_in(&arena, 4096);
	hand_message(&bytes, message, sample_message(&sample, message), NULL);
	uint8_t *into = arena_take(&arena, message->size + 1);
	seen_by_msgpack = 0;
	cr_assert(message_unpack(message, bytes.at, bytes.length, &arena, into));
	cr_assert_eq(seen_by_msgpack, 1);
	arena_end(&arena);
}

/* A million arrays in each other: neither a recursion that deep, nor msgpack-c's. */
Test(bombs, deep)
{
	uint8_t *bytes = x_new(DEEP);
	memset(bytes, 0x91, DEEP);
	bytes[DEEP - 1] = 0x90;
	is_refused("depth of a million", bytes, DEEP);
	is_refused("depth of one too many", bytes + DEEP - MESSAGE_DEPTH - 1, MESSAGE_DEPTH + 1);
	cr_assert(message_scan(bytes + DEEP - MESSAGE_DEPTH, MESSAGE_DEPTH), "the depth that is allowed");
	memset(bytes, 0xdd, DEEP);
	is_refused("array headers without end", bytes, DEEP);
	x_free(&bytes);
}

/* As many elements as there are bytes is the most a count may claim. */
Test(bombs, a_count_as_large_as_the_bytes)
{
	uint8_t bytes[5 + 300] = {0xdd, 0, 0, 1, 44};
	cr_assert(message_scan(bytes, sizeof bytes), "300 zeros");
	bytes[4] = 45;
	is_refused("301 claimed, 300 there", bytes, sizeof bytes);
	bytes[4] = 43;
	is_refused("299 claimed, 300 there", bytes, sizeof bytes);
}

/* A body full of small numbers is whole, and no message has so many values: what msgpack-c would take for them is 24 times the body. */
Test(bombs, more_values_than_any_message_has)
{
	uint8_t *bytes = x_new(BODY_MAX);
	const struct message *message;
	const uint8_t head[5] = {0xdd, 0, 3, 0xff, 0xfb}; /* BODY_MAX - 5 */
	memcpy(bytes, head, sizeof head);
	cr_assert(message_scan(bytes, BODY_MAX), "it is whole");
	seen_by_msgpack = 0;
	for (unsigned i = 0; (message = every_message(i)); i++) {
		struct arena arena;
		uint8_t *into = x_new(message->size);
		arena_begin(&arena, BODY_MAX);
		cr_assert_not(message_unpack(message, bytes, BODY_MAX, &arena, into), "it is a %s",
			      message->name);
		x_free(&into);
	}
	cr_assert_eq(seen_by_msgpack, 0, "msgpack-c saw it");
	x_free(&bytes);
}
