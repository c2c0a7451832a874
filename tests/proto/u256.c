/* Amounts: exact, and overflow is told. */
#include "proto/u256.h"

#include <criterion/criterion.h>
#include <string.h>

#define MOST "115792089237316195423570985008687907853269984665640564039457584007913129639935" /* 2^256 − 1 */

static struct u256 number(const char *text, unsigned decimals)
{
	struct u256 made;
	cr_assert(u256_parse(text, strlen(text), decimals, &made), "%s", text);
	return made;
}

Test(u256, texts)
{
	static const struct {
		const char *in;
		unsigned decimals;
		const char *out;
	} same[] = {{"0", 0, "0"},
		    {"0", 18, "0"},
		    {"1", 18, "1"},
		    {"0.5", 18, "0.5"},
		    {"12.50", 18, "12.5"},
		    {"007", 0, "7"},
		    {MOST, 0, MOST},
		    {"100", 18, "100"},
		    {"0.000000000000000001", 18, "0.000000000000000001"},
		    {"1.000000000000000001", 18, "1.000000000000000001"},
		    {"10", 1, "10"}};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		char text[U256_TEXT];
		struct u256 made = number(same[i].in, same[i].decimals);
		cr_expect_str_eq(u256_text(&made, same[i].decimals, text), same[i].out);
	}
	struct u256 wei = number("1.5", 18), same_wei = number("1500000000000000000", 0);
	cr_expect_eq(u256_compare(&wei, &same_wei), 0);
	char text[U256_TEXT];
	struct u256 most = number(MOST, 0);
	cr_expect_eq(strlen(u256_text(&most, 77, text)), 79, "the longest text fits");
}

Test(u256, no_numbers)
{
	static const char *const wrong[] = {
		"",
		".",
		"1.",
		".5",
		"1..2",
		"1.2.3",
		"-1",
		"+1",
		" 1",
		"1 ",
		"0x1",
		"1e3",
		"1.1234567890123456789",
		MOST "0",
		"115792089237316195423570985008687907853269984665640564039457584007913129639936"};
	struct u256 made;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_not(u256_parse(wrong[i], strlen(wrong[i]), 18, &made), "%s", wrong[i]);
	cr_expect_not(u256_parse("1.5", 3, 0, &made));
}

Test(u256, overflow_is_told_and_is_the_highest)
{
	struct u256 most = number(MOST, 0), one = u256_of(1), result, half;
	cr_expect_not(u256_add(&result, &most, &one));
	cr_expect_eq(u256_compare(&result, &most), 0);
	cr_expect_not(u256_multiply(&result, &most, 2));
	cr_expect_eq(u256_compare(&result, &most), 0);
	memset(&half, 0, sizeof half);
	half.bytes[0] = 0x80;
	cr_expect_not(u256_multiply(&half, &half, 2), "in place");
	cr_expect(u256_multiply(&result, &most, 1));
	cr_expect(u256_multiply(&result, &most, 0));
	cr_expect(u256_is_zero(&result));
	half = u256_of(UINT64_MAX);
	cr_expect(u256_multiply(&half, &half, UINT64_MAX));
	result = number("340282366920938463426481119284349108225", 0);
	cr_expect_eq(u256_compare(&half, &result), 0);
}

Test(u256, order)
{
	struct u256 a = u256_of(255), b = u256_of(256);
	cr_expect_lt(u256_compare(&a, &b), 0);
	cr_expect_gt(u256_compare(&b, &a), 0);
	struct u256 larger = u256_larger(&a, &b);
	cr_expect_eq(u256_compare(&larger, &b), 0);
}
