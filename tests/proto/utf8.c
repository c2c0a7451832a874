/* Characters: RFC 3629, and Unicode's for what a terminal obeys. */
#include "proto/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

Test(utf8, each_code_point_there_and_back)
{
	unsigned read = 0;
	for (uint32_t code = 0; code <= 0x10ffff + 64; code++) {
		unsigned char text[4] = {(unsigned char)code};
		unsigned length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		for (unsigned i = length; length > 1 && i-- > 0;)
			text[i] = i ? 0x80 | (code >> 6 * (length - 1 - i) & 0x3f)
				    : (unsigned char)(0xf00 >> length | code >> 6 * (length - 1));
		bool is = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
		uint32_t found = 0;
		cr_assert_eq(utf8_read(text, length, &found), is ? length : 0, "%x", code);
		cr_assert(!is || found == code, "%x", code);
		cr_assert_eq(utf8_read(text, length - 1 ? length - 1 : 1, &found), length == 1 ? 1 : 0,
			     "%x, cut", code);
		read += is;
	}
	cr_assert_eq(read, 0x110000 - 0x800);
}

Test(utf8, longer_than_need_be_is_none)
{
	uint32_t code;
	for (const char *const *text =
		     (const char *const[]){"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
					   "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xff",
					   "\x80", "\xc3(", NULL};
	     *text; text++)
		cr_assert_eq(utf8_read(*text, strlen(*text), &code), 0, "%02x", (unsigned char)**text);
}

Test(utf8, what_a_terminal_obeys)
{
	static const uint32_t steer[] = {0,      '\n',   0x1b,   0x7f,   0x9b,   0xad,
					 0x200b, 0x200e, 0x202e, 0x2066, 0xfeff, 0xe0041};
	static const uint32_t harmless[] = {' ', '~', 0xa0, 0xe9, 0x2026, 0x4e2d, 0x1f600};
	for (unsigned i = 0; i < sizeof steer / sizeof *steer; i++)
		cr_expect(utf8_steers(steer[i]), "%x", steer[i]);
	for (unsigned i = 0; i < sizeof harmless / sizeof *harmless; i++)
		cr_expect_not(utf8_steers(harmless[i]), "%x", harmless[i]);
}
