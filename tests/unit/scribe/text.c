/* The shape of a line in a file: what scribe writes, the console must be able to read, and nothing else. */
#include "actors/base/log/log.h"
#include "proto/log_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool word_is(struct log_word word, const char *text)
{
	return word.length == strlen(text) && memcmp(word.at, text, word.length) == 0;
}

static bool parses(const char *line)
{
	struct log_text text;
	return log_line_parse(line, strlen(line), &text);
}

Test(text, levels_are_those_of_the_writer)
{
	for (int i = 0; i < LOG_LEVELS; i++) {
		cr_assert_str_eq(log_text_level((unsigned)i), log_level_name((enum log_level)i));
		cr_assert_eq(log_text_level_parse(log_text_level((unsigned)i),
						  strlen(log_text_level((unsigned)i))),
			     i);
	}
	cr_assert_eq(log_level_by_name("fatal"), -1);
	cr_assert_eq(log_text_level_parse("warning", 7), -1);
	cr_assert_eq(log_text_level_parse("warning", 4), 1 + 1);
	cr_assert_eq(log_text_level_parse("", 0), -1);
}

Test(text, names_and_paths)
{
	char who[WHO_TEXT], path[LOG_PATH_TEXT];
	cr_assert_str_eq(log_who_text(0, 0, who), "warrend");
	cr_assert_str_eq(log_who_text(STORE, 512, who), "store@512");
	cr_assert_str_eq(log_who_text(BROKER, 0, who), "broker");
	cr_assert_str_eq(log_path_text(0, 0, path), "machine/warrend.log");
	cr_assert_str_eq(log_path_text(BROKER, 0, path), "machine/broker.log");
	cr_assert_str_eq(log_path_text(STORE, 7, path), "node7/store.log");
}

/* Against the C library, an independent calendar: each day of 1970 to 2400, and the edges. */
Test(text, time_is_the_calendars)
{
	for (int64_t day = 0; day < 157055; day++) {
		int64_t ms = day * 86400000 + day % 86400 * 1000 + day % 1000, back;
		time_t seconds = ms / 1000;
		struct tm tm;
		char expect[LOG_TIME_TEXT], head[24], text[LOG_TIME_TEXT];
		gmtime_r(&seconds, &tm);
		strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(expect, sizeof expect, "%.19s.%03uZ", head, (unsigned)(ms % 1000));
		cr_assert_str_eq(log_time_text(ms, text), expect);
		cr_assert(log_time_parse(text, strlen(text), &back), "%s", text);
		cr_assert_eq(back, ms, "%s", text);
	}
	char text[LOG_TIME_TEXT];
	cr_assert_str_eq(log_time_text(1795258023123, text), "2026-11-21T10:47:03.123Z");
	cr_assert_str_eq(log_time_text(-5, text), "1970-01-01T00:00:00.000Z");
	cr_assert_str_eq(log_time_text(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
}

Test(text, times_that_are_none)
{
	static const char *const bad[] = {"2026-02-29T00:00:00.000Z",
					  "2026-13-01T00:00:00.000Z",
					  "2026-00-01T00:00:00.000Z",
					  "2026-01-00T00:00:00.000Z",
					  "2026-01-01T24:00:00.000Z",
					  "2026-01-01T00:60:00.000Z",
					  "2026-01-01T00:00:60.000Z",
					  "2026-01-01 00:00:00.000Z",
					  "2026-01-01T00:00:00.000",
					  "1969-12-31T23:59:59.999Z",
					  "2026-01-01T00:00:00,000Z",
					  "2026-01-01T0a:00:00.000Z",
					  ""};
	int64_t ms;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not(log_time_parse(bad[i], strlen(bad[i]), &ms), "%s", bad[i]);
	cr_assert(log_time_parse("2024-02-29T00:00:00.000Z", 24, &ms), "a leap day");
}

Test(text, a_line_in_its_parts)
{
	const char *line =
		"2026-11-21T10:47:03.123Z warn store@1[4130] store.retry tries=3 why=\"the disk is slow\"\n";
	struct log_text text;
	struct log_pair pair;
	char value[64];
	cr_assert(log_line_parse(line, strlen(line), &text));
	cr_assert_eq(text.time_ms, 1795258023123);
	cr_assert_eq(text.level, (unsigned)LOG_WARN);
	cr_assert(word_is(text.actor, "store@1"));
	cr_assert_eq(text.node, 1);
	cr_assert_eq(text.pid, 4130);
	cr_assert(word_is(text.event, "store.retry"));
	cr_assert(log_pair_next(&text.rest, &pair));
	cr_assert(word_is(pair.key, "tries") && word_is(pair.value, "3") && !pair.quoted);
	cr_assert(log_pair_next(&text.rest, &pair));
	cr_assert(word_is(pair.key, "why") && pair.quoted);
	log_pair_value(&pair, value, sizeof value);
	cr_assert_str_eq(value, "the disk is slow");
	cr_assert_not(log_pair_next(&text.rest, &pair));
}

Test(text, a_line_of_the_machine_without_words)
{
	const char *line = "2026-11-21T10:47:03.123Z info broker[0] ready";
	struct log_text text;
	struct log_pair pair;
	cr_assert(log_line_parse(line, strlen(line), &text));
	cr_assert_eq(text.node, 0);
	cr_assert(word_is(text.actor, "broker") && word_is(text.event, "ready"));
	cr_assert_not(log_pair_next(&text.rest, &pair));
	cr_assert(parses("2026-11-21T10:47:03.123Z info some-later-kind@3[4294967295] x"),
		  "names of other builds");
}

#define T "2026-11-21T10:47:03.123Z "
Test(text, lines_that_are_none)
{
	static const char *const bad[] = {
		"",
		"\n",
		"x",
		T,
		T "info",
		T "info ",
		T "info broker[1]",
		T "info broker[1] ",
		T "info broker[1]x y",
		T "fatal broker[1] x",
		T "info [1] x",
		T "info broker[] x",
		T "info broker[a] x",
		T "info broker[01] x",
		T "info broker[4294967296] x",
		T "info broker[-1] x",
		T "info store@0[1] x",
		T "info store@513[1] x",
		T "info store@[1] x",
		T "info store@1@2[1] x",
		T "info Store@1[1] x",
		T "info a b[1] x",
		T "info broker[1]  x",
		T "info broker[1] x=1",
		T " info broker[1] x",
		T "info broker[1] x\ny",
		T "info broker[1] x a=1\nb=2",
		T "info broker[1] x\n\n",
		"2026-11-21T10:47:03Z info broker[1] x",
		"ed tail of a torn line key=value",
		T "info averyveryverylongnamethatnobodyhas[1] x",
		T "info broker[1] e123456789e123456789e123456789e123456789e123456789e123456789e1234"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not(parses(bad[i]), "%zu: %s", i, bad[i]);
	cr_assert(parses(T "info broker[1] e123456789e123456789e123456789e123456789e123456789e123"));
}

/* Every shorter piece of a good line is refused or gives less, and nothing outside the piece is looked at
 * (ASan sees). */
Test(text, every_piece_of_a_line)
{
	static const char whole[] = T "warn store@1[4130] store.retry why=\"a\\\"b\" x=\"";
	for (size_t length = 0; length < sizeof whole; length++) {
		char *piece = malloc(length + 1);
		struct log_text text;
		struct log_pair pair;
		memcpy(piece, whole, length);
		size_t event_starts = strlen(T "warn store@1[4130] ");
		bool parsed = log_line_parse(piece, length, &text);
		cr_assert_eq(parsed, length > event_starts && length < sizeof whole, "%zu", length);
		while (parsed && log_pair_next(&text.rest, &pair))
			cr_assert(pair.value.at + pair.value.length <= piece + length);
		free(piece);
	}
}

struct expected {
	const char *rest, *key, *value, *left;
};

Test(text, words_of_every_kind)
{
	static const struct expected cases[] = {
		{"a=1 b=2", "a", "1", " b=2"},
		{"   a=1", "a", "1", ""},
		{"a=", "a", "", ""},
		{"a=\"\"", "a", "", ""},
		{"a=\"b c\" d", "a", "b c", " d"},
		{"a=\"say \\\"hi\\\" now\" d", "a", "say \"hi\" now", " d"},
		{"a=\"back\\\\\" d", "a", "back\\", " d"},
		{"a=\"C:\\dir\"", "a", "C:\\dir", ""},
		{"what=\"strcmp(a, \"b\") == 0\" at=x.c:1", "what", "strcmp(a, \"b\") == 0", " at=x.c:1"},
		{"a=\"never closed", "a", "never closed", ""},
		{"a=b\"c d\"", "a", "b\"c", " d\""},
		{"a=b=c", "a", "b=c", ""},
		{"odd word", "", "odd", " word"},
		{"=x", "", "=x", ""},
		{"\"quoted alone\"", "", "\"quoted", " alone\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct log_word rest = {cases[i].rest, strlen(cases[i].rest)};
		struct log_pair pair;
		char value[64];
		cr_assert(log_pair_next(&rest, &pair));
		log_pair_value(&pair, value, sizeof value);
		cr_assert(word_is(pair.key, cases[i].key), "%s", cases[i].rest);
		cr_assert_str_eq(value, cases[i].value, "%s", cases[i].rest);
		cr_assert(word_is(rest, cases[i].left), "%s", cases[i].rest);
	}
}

Test(text, a_value_is_cut_to_fit)
{
	struct log_word rest = {"a=\"12345678\"", 12};
	struct log_pair pair;
	char value[5];
	cr_assert(log_pair_next(&rest, &pair));
	cr_assert_eq(log_pair_value(&pair, value, sizeof value), 4);
	cr_assert_str_eq(value, "1234");
}
