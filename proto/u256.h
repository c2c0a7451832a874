/* Exact arithmetic on amounts: 256 bits, never rounded, overflow always told. Pure. */
#ifndef WARREN_PROTO_U256_H
#define WARREN_PROTO_U256_H

#include "proto/ids.h"

enum {
	U256_TEXT = 81, /* 78 digits, a point, a leading zero, the NUL */
	COIN_DECIMALS = 18, /* wei in a coin: every chain of this family */
};

struct u256 u256_of(uint64_t number);
bool u256_is_zero(const struct u256 *number);
int u256_compare(const struct u256 *a, const struct u256 *b); /* below, at or above 0, as memcmp */
struct u256 u256_larger(const struct u256 *a, const struct u256 *b);

/* False on overflow; the result is then the highest number, so that whoever forgets to look refuses too much, not too little.
 * The result may be one of the operands. */
bool u256_add(struct u256 *sum, const struct u256 *a, const struct u256 *b);
bool u256_multiply(struct u256 *product, const struct u256 *a, uint64_t b);

/* "12.5" with 18 decimals is 12500000000000000000. Digits and at most one point with digits on both sides; false for anything
 * else, for more decimals than there are, and for what does not fit. */
bool u256_parse(const char *text, size_t length, unsigned decimals, struct u256 *number);

/* The other way: no zeros after the last decimal that counts. `decimals` is at most 77. */
const char *u256_text(const struct u256 *number, unsigned decimals, char text[U256_TEXT]);

#endif
