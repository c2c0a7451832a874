/* The setting `shards`: what is read, what is refused and how it is said. */
#include "proto/shards.h"

#include <criterion/criterion.h>
#include <stdio.h>

static char why[SHARDS_WHY];

Test(shards, parses_and_prints)
{
	struct shards shards;
	char text[SHARDS_TEXT];
	cr_assert_null(shards_parse("512-767,0-255", 1024, &shards, why));
	cr_assert_str_eq(shards_text(&shards, text), "0-255,512-767");
	cr_assert_null(shards_parse("", 1024, &shards, why));
	cr_assert_str_eq(shards_text(&shards, text), "0-1023");
	cr_assert_null(shards_parse("7", 1024, &shards, why));
	cr_assert(shards_keep(&shards, 7) && !shards_keep(&shards, 8));
}

Test(shards, the_json_of_seed_003_is_read_too)
{
	static const char *const bad[] = {
		"",
		"[]",
		"[{}]",
		"[{\"start\":1}]",
		"[{\"start\":1,\"start\":2}]",
		"[{\"start\":1,\"end\":2},]",
		"0-1",
		"[{\"start\":1,\"end\":-2}]",
		"[{\"start\":1,\"end\":2}] x",
		"[{\"start\":1,\"end\":\"2\"}]",
	};
	char text[SHARDS_TEXT], long_one[8192] = "[";
	cr_assert(shards_from_json("[{\"start\":0,\"end\":1023}]", text));
	cr_expect_str_eq(text, "0-1023");
	cr_assert(shards_from_json(" [ { \"end\" : 255 , \"start\" : 0 },\n{\"start\":512,\"end\":767} ] ",
				   text));
	cr_expect_str_eq(text, "0-255,512-767");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_expect_not(shards_from_json(bad[i], text), "%s", bad[i]);
	size_t length = 1;
	for (int i = 0; i < 200; i++)
		length += (size_t)snprintf(long_one + length, sizeof long_one - length,
					   "%s{\"start\":10000,\"end\":10000}", i ? "," : "");
	snprintf(long_one + length, sizeof long_one - length, "]");
	cr_expect_not(shards_from_json(long_one, text));
}

Test(shards, refuses_with_a_sentence)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"0-1024", "shard 1024 does not exist: shard_count is 1024, so the last is 1023"},
		{"5-4", "range 5-4 ends before it starts"},
		{"0-5,5-9", "ranges 0-5 and 5-9 overlap"},
		{"0-5,", "a range was expected at \"\"; write ranges as in 0-255,512-767"},
		{",", "a range was expected at \",\"; write ranges as in 0-255,512-767"},
		{"a", "a range was expected at \"a\"; write ranges as in 0-255,512-767"},
		{"0-5;7", "a comma was expected at \";7\""},
		{"-5", "a range was expected at \"-5\"; write ranges as in 0-255,512-767"},
		{"5-", "a range was expected at \"5-\"; write ranges as in 0-255,512-767"},
		{" 1-2", "a range was expected at \" 1-2\"; write ranges as in 0-255,512-767"},
		{"99999999999999999999",
		 "a range was expected at \"99999999999999999999\"; write ranges as in 0-255,512-767"},
	};
	struct shards shards;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *said = shards_parse(bad[i].text, 1024, &shards, why);
		cr_assert_not_null(said, "%s", bad[i].text);
		cr_expect_str_eq(said, bad[i].says);
	}
	cr_assert_not_null(shards_parse("", 0, &shards, why));
}

Test(shards, sixty_four_ranges_are_enough)
{
	char text[1024] = "0";
	size_t used = 1;
	struct shards shards;
	for (int i = 1; i < SHARD_SPANS; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ",%d", 2 * i);
	cr_assert_null(shards_parse(text, 1024, &shards, why));
	snprintf(text + used, sizeof text - used, ",1000");
	cr_assert_not_null(shards_parse(text, 1024, &shards, why));
}

Test(shards, gap_is_the_widest_that_is_not_kept)
{
	struct shards shards;
	cr_assert_null(shards_parse("0-255,512-767", 1024, &shards, why));
	struct shard_span gap = shards_gap(&shards, 300);
	cr_assert(gap.start == 256 && gap.end == 511);
	gap = shards_gap(&shards, 1000);
	cr_assert(gap.start == 768 && gap.end == 1023);
	cr_assert(shards_keep(&shards, 255) && !shards_keep(&shards, 256) && !shards_keep(&shards, 511));
}
