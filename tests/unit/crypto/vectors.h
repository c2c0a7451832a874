/* Reading and comparing published vectors, which are written in hex. */
#ifndef WARREN_TESTS_VECTORS_H
#define WARREN_TESTS_VECTORS_H

#include "proto/ids.h"

#include <criterion/criterion.h>
#include <string.h>

/* The bytes of `hex`; returns how many. A vector that is not hex, or too long, is a mistake in the test. */
static inline size_t bytes_of(const char *hex, void *bytes, size_t room)
{
	size_t length = strlen(hex) / 2;
	cr_assert_leq(length, room);
	cr_assert(hex_parse(hex, strlen(hex), bytes, length), "not hex: %s", hex);
	return length;
}

/* Fails with both in hex when `length` bytes are not those of `hex`. */
static inline void expect_bytes(const void *bytes, size_t length, const char *hex)
{
	char got[2 * 512 + 1];
	cr_assert_leq(length, (size_t)512);
	cr_expect_str_eq(hex_text(bytes, length, got), hex);
}

#endif
