/* Amounts in 256 bits, big-endian, one byte at a time: a few hundred of these a day do not need more. Pure. */
#include "proto/u256.h"

#include <string.h>

enum { BYTES = 32, DIGITS = 78 };

struct u256 u256_of(uint64_t number)
{
	struct u256 made = {{0}};
	for (int i = BYTES - 1; number; i--, number >>= 8)
		made.bytes[i] = (uint8_t)number;
	return made;
}

bool u256_is_zero(const struct u256 *number)
{
	static const struct u256 zero;
	return memcmp(number, &zero, sizeof zero) == 0;
}

int u256_compare(const struct u256 *a, const struct u256 *b)
{
	return memcmp(a->bytes, b->bytes, BYTES);
}

struct u256 u256_larger(const struct u256 *a, const struct u256 *b)
{
	return u256_compare(a, b) > 0 ? *a : *b;
}

static bool fits(bool whole, struct u256 *result)
{
	if (!whole)
		memset(result->bytes, 0xff, BYTES);
	return whole;
}

bool u256_add(struct u256 *sum, const struct u256 *a, const struct u256 *b)
{
	unsigned carry = 0;
	for (int i = BYTES - 1; i >= 0; i--) {
		carry += (unsigned)a->bytes[i] + b->bytes[i];
		sum->bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return fits(carry == 0, sum);
}

bool u256_multiply(struct u256 *product, const struct u256 *a, uint64_t b)
{
	unsigned __int128 carry = 0;
	for (int i = BYTES - 1; i >= 0; i--) {
		carry += (unsigned __int128)a->bytes[i] * b;
		product->bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return fits(carry == 0, product);
}

static bool push_digit(struct u256 *number, unsigned digit)
{
	const struct u256 more = u256_of(digit);
	return u256_multiply(number, number, 10) && u256_add(number, number, &more);
}

bool u256_parse(const char *text, size_t length, unsigned decimals, struct u256 *number)
{
	bool point = false;
	unsigned behind = 0;
	*number = u256_of(0);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && !point && i > 0 && i + 1 < length) {
			point = true;
			continue;
		}
		behind += point;
		if (text[i] < '0' || text[i] > '9' || behind > decimals ||
		    !push_digit(number, (unsigned)(text[i] - '0')))
			return false;
	}
	for (; behind < decimals; behind++)
		if (!push_digit(number, 0))
			return false;
	return length > 0;
}

/* Divides by ten in place; returns the rest. */
static unsigned pop_digit(struct u256 *number)
{
	unsigned rest = 0;
	for (int i = 0; i < BYTES; i++) {
		rest = rest << 8 | number->bytes[i];
		number->bytes[i] = (uint8_t)(rest / 10);
		rest %= 10;
	}
	return rest;
}

const char *u256_text(const struct u256 *number, unsigned decimals, char text[U256_TEXT])
{
	char digits[DIGITS]; /* least significant first */
	struct u256 left = *number;
	unsigned count = 0, skip = 0, used = 0;
	do
		digits[count++] = (char)('0' + pop_digit(&left));
	while (count < DIGITS && (!u256_is_zero(&left) || count <= decimals));
	while (skip < decimals && digits[skip] == '0')
		skip++;
	for (unsigned i = count; i-- > skip;) {
		text[used++] = digits[i];
		if (i == decimals && i > skip)
			text[used++] = '.';
	}
	text[used] = '\0';
	return text;
}
