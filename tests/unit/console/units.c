/* Numbers to words and back. */
#include "actors/console/units.h"

#include <criterion/criterion.h>

static const struct {
	uint64_t ms;
	const char *text;
} durations[] = {
	{0, "0 ms"},       {999, "999 ms"},        {1000, "1 s"},     {59999, "59 s"},
	{60000, "1 m"},    {303000, "5 m 3 s"},    {3600000, "1 h"},  {15120000, "4 h 12 m"},
	{86400000, "1 d"}, {273600000, "3 d 4 h"}, {86460000, "1 d"}, {UINT64_MAX, "213503982334 d 14 h"},
};

Test(units, durations)
{
	char text[UNIT_TEXT];
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
		cr_expect_str_eq(duration_text(durations[i].ms, text), durations[i].text);
}

static const struct {
	uint64_t bytes;
	const char *text;
} sizes[] = {
	{0, "0 B"},
	{1023, "1023 B"},
	{1024, "1 KiB"},
	{1126, "1 KiB"}, /* 1.0996: rounded down, and .0 is not said */
	{1127, "1.1 KiB"},
	{10 * 1024 + 1000, "10 KiB"},
	{UINT64_C(1) << 20, "1 MiB"},
	{UINT64_C(412) << 20, "412 MiB"},
	{(UINT64_C(1) << 30) - 1, "1023 MiB"},
	{UINT64_C(1990) << 20, "1.9 GiB"},
	{UINT64_MAX, "15 EiB"},
};

Test(units, sizes)
{
	char text[UNIT_TEXT];
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		cr_expect_str_eq(size_text(sizes[i].bytes, text), sizes[i].text);
}

Test(units, shares_are_in_the_unit_of_the_quota)
{
	char text[UNIT_TEXT];
	cr_expect_str_eq(share_text(UINT64_C(412) << 20, UINT64_C(1024) << 20, text), "412 / 1024 MiB");
	cr_expect_str_eq(share_text(UINT64_C(1990) << 20, UINT64_C(4) << 30, text), "1.9 / 4 GiB");
	cr_expect_str_eq(share_text(0, UINT64_C(10) << 30, text), "0 / 10 GiB");
	cr_expect_str_eq(share_text(0, 0, text), "0 / 0 B");
	/* full is said only when it is full */
	cr_expect_str_eq(share_text((UINT64_C(4) << 30) - 1, UINT64_C(4) << 30, text), "3.9 / 4 GiB");
}

Test(units, counts)
{
	char text[UNIT_TEXT];
	cr_expect_str_eq(count_text(0, text), "0");
	cr_expect_str_eq(count_text(999, text), "999");
	cr_expect_str_eq(count_text(1000, text), "1 000");
	cr_expect_str_eq(count_text(12007, text), "12 007");
	cr_expect_str_eq(count_text(UINT64_MAX, text), "18 446 744 073 709 551 615");
	cr_expect_str_eq(plural_text(1, "process", "processes", text), "1 process");
	cr_expect_str_eq(plural_text(0, "process", "processes", text), "0 processes");
	cr_expect_str_eq(plural_text(1001, "node", "nodes", text), "1 001 nodes");
}

Test(units, ends_of_processes)
{
	char text[UNIT_TEXT];
	cr_expect_str_eq(end_text(0, text), "ended");
	cr_expect_str_eq(end_text(1, text), "ended with code 1");
	cr_expect_str_eq(end_text(-9, text), "killed by signal 9 (KILL)");
	cr_expect_str_eq(end_text(-4000, text), "killed by signal 4000");
	cr_expect(strstr(end_text(78, text), "configuration"));
}

Test(units, addresses_are_shortened_and_nothing_else_is)
{
	char text[UNIT_TEXT];
	cr_expect_str_eq(short_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", text), "0x5aAe…BeAed");
	cr_expect_str_eq(short_address("?", text), "?");
	cr_expect_str_eq(short_address("0x5aAe", text), "0x5aAe");
}

Test(units, durations_are_read)
{
	uint64_t ms = 0;
	cr_expect(duration_parse("250ms", &ms) && ms == 250);
	cr_expect(duration_parse("90", &ms) && ms == 90000);
	cr_expect(duration_parse("90s", &ms) && ms == 90000);
	cr_expect(duration_parse("10m", &ms) && ms == 600000);
	cr_expect(duration_parse("2h", &ms) && ms == 7200000);
	cr_expect(duration_parse("1d", &ms) && ms == 86400000);
	cr_expect(duration_parse("0", &ms) && ms == 0);
	cr_expect(duration_parse("3650d", &ms) && ms == UINT64_C(315360000000));
}

Test(units, what_is_no_duration_is_refused)
{
	static const char *const bad[] = {"",
					  "m",
					  "-1s",
					  "1.5h",
					  "1 h",
					  "1hour",
					  "10M",
					  "0x10s",
					  "3651d",
					  "10ms ",
					  "99999999999999999999s"};
	uint64_t ms;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(duration_parse(bad[i], &ms), "%s", bad[i]);
}

Test(units, numbers_have_bounds)
{
	uint64_t number;
	cr_expect(number_parse("1", 1, 512, &number) && number == 1);
	cr_expect(number_parse("512", 1, 512, &number) && number == 512);
	cr_expect(number_parse("18446744073709551615", 0, UINT64_MAX, &number) && number == UINT64_MAX);
	cr_expect_not(number_parse("18446744073709551616", 0, UINT64_MAX, &number));
	cr_expect_not(number_parse("0", 1, 512, &number));
	cr_expect_not(number_parse("513", 1, 512, &number));
	cr_expect_not(number_parse("", 0, 512, &number));
	cr_expect_not(number_parse("1x", 0, 512, &number));
	cr_expect_not(number_parse("+1", 0, 512, &number));
}
