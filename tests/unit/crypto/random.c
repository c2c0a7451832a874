/* Random bytes and comparing. */
#include "tests/unit/crypto/vectors.h"

#include "actors/base/crypto/crypto.h"

Test(random, fills_exactly_what_was_asked)
{
	static uint8_t bytes[1024 + 8];
	for (size_t length = 0; length <= 1024; length += length < 64 ? 1 : 60) {
		memset(bytes, 0xa5, sizeof bytes);
		random_bytes(bytes, length);
		for (size_t i = length; i < length + 8; i++)
			cr_assert_eq(bytes[i], 0xa5, "wrote past %zu", length);
	}
}

/* 64 draws of 32 bytes: no two alike, and each bit of each byte is seen both ways (a bit that never moves in
 * 64 fair draws: one in 2^55). */
Test(random, every_bit_moves)
{
	uint8_t draws[64][32], ones[32] = {0}, zeros[32] = {0};
	for (unsigned i = 0; i < 64; i++) {
		random_bytes(draws[i], 32);
		for (unsigned j = 0; j < i; j++)
			cr_assert_arr_neq(draws[i], draws[j], 32);
		for (unsigned b = 0; b < 32; b++) {
			ones[b] |= draws[i][b];
			zeros[b] |= (uint8_t)~draws[i][b];
		}
	}
	for (unsigned b = 0; b < 32; b++) {
		cr_expect_eq(ones[b], 0xff, "byte %u", b);
		cr_expect_eq(zeros[b], 0xff, "byte %u", b);
	}
}

Test(random, same_bytes)
{
	uint8_t a[33], b[33];
	random_bytes(a, sizeof a);
	memcpy(b, a, sizeof b);
	cr_expect(same_bytes(a, b, sizeof a));
	for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(same_bytes(a, b, sizeof a), "bit %zu", bit);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	b[32] ^= 1;
	cr_expect(same_bytes(a, b, 32));
	cr_expect(same_bytes(a, b, 0));
}
