/* From raw bytes to lines: whatever a process writes, and however it arrives, one clean line comes out that
 * says truly who wrote it. */
#include "actors/scribe/line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "2026-11-21T10:47:03.123Z "
static const struct stamp stamp = {"2026-11-21T10:47:03.123Z", "store@1", 4130};

struct seen {
	char text[8192]; /* each line, then "|", or "!" when it was cut */
	size_t length;
};

static void see(void *context, const char *bytes, size_t length, bool cut)
{
	struct seen *seen = context;
	cr_assert_lt(seen->length + length + 2, sizeof seen->text);
	memcpy(seen->text + seen->length, bytes, length);
	seen->length += length;
	seen->text[seen->length++] = cut ? '!' : '|';
	seen->text[seen->length] = '\0';
}

static const char *made(const char *bytes, size_t length)
{
	static char out[LOG_TEXT_MAX + 1];
	size_t made = line_text(&stamp, bytes, length, false, out);
	out[made] = '\0';
	return out;
}

#define assert_made(from, expect) cr_assert_str_eq(made(from, sizeof from - 1), HEAD expect "\n")

/* -- together ---------------------------------------------------------------------------------- */

/* Three pieces, cut at every two places. */
Test(line, however_it_is_split)
{
	static const char bytes[] =
		"info a.b x=1\n\nwarn c\nerror \xe2\x82\xac d=\"e f\"\n\0\n\r\nlast without end";
	struct seen whole = {0};
	struct line line = {0};
	line_feed(&line, bytes, sizeof bytes - 1, see, &whole);
	line_flush(&line, see, &whole);
	cr_assert_eq(memcmp(whole.text, "info a.b x=1||warn c|", 21), 0);
	for (size_t i = 0; i < sizeof bytes; i++)
		for (size_t j = i; j < sizeof bytes; j++) {
			struct seen seen = {0};
			line_feed(&line, bytes, i, see, &seen);
			line_feed(&line, bytes + i, j - i, see, &seen);
			line_feed(&line, bytes + j, sizeof bytes - 1 - j, see, &seen);
			line_flush(&line, see, &seen);
			cr_assert_eq(seen.length, whole.length, "split at %zu and %zu", i, j);
			cr_assert_eq(memcmp(seen.text, whole.text, whole.length), 0, "split at %zu and %zu",
				     i, j);
		}
}

Test(line, a_flush_without_anything_is_no_line)
{
	struct line line = {0};
	struct seen seen = {0};
	line_flush(&line, see, &seen);
	line_feed(&line, "a\n", 2, see, &seen);
	line_flush(&line, see, &seen);
	cr_assert_str_eq(seen.text, "a|");
}

/* Lengths around the bound, the line split at every place; the line behind a long one is whole. */
Test(line, too_long_ones_are_cut)
{
	for (size_t length = LOG_LINE_MAX - 2; length <= LOG_LINE_MAX + 2; length++)
		for (size_t split = 0; split <= length; split++) {
			char bytes[LOG_LINE_MAX + 8];
			struct line line = {0};
			struct seen seen = {0};
			memset(bytes, 'x', length);
			memcpy(bytes + length, "\nnext\n", 6);
			line_feed(&line, bytes, split, see, &seen);
			line_feed(&line, bytes + split, length + 6 - split, see, &seen);
			bool cut = length > LOG_LINE_MAX;
			size_t kept = cut ? LOG_LINE_MAX : length;
			cr_assert_eq(seen.length, kept + 1 + 5, "%zu split at %zu", length, split);
			cr_assert_str_eq(seen.text + kept, cut ? "!next|" : "|next|");
		}
}

Test(line, without_any_end_it_takes_no_more_memory)
{
	struct line line = {0};
	struct seen seen = {0};
	char bytes[1000];
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < 1000; i++)
		line_feed(&line, bytes, sizeof bytes, see, &seen);
	cr_assert_eq(seen.length, 0);
	cr_assert_eq(line.length, LOG_LINE_MAX);
	line_flush(&line, see, &seen);
	cr_assert_eq(seen.length, LOG_LINE_MAX + 1);
	cr_assert_eq(seen.text[LOG_LINE_MAX], '!');
}

/* -- stamped ----------------------------------------------------------------------------------- */

Test(line, the_usual_ones)
{
	assert_made("info store.opened blobs=3", "info store@1[4130] store.opened blobs=3");
	assert_made("error bug what=\"x y\" at=a.c:1", "error store@1[4130] bug what=\"x y\" at=a.c:1");
	assert_made("debug x", "debug store@1[4130] x");
	assert_made("info store.opened ", "info store@1[4130] store.opened");
	assert_made("info  a   b=1  c=2", "info store@1[4130] a b=1  c=2");
	cr_assert_str_eq(made("", 0), "");
	cr_assert_str_eq(made("   \t ", 5), "");
}

Test(line, other_shapes_are_raw)
{
	assert_made("Assertion failed: ok (src/x.cpp:12)",
		    "info store@1[4130] raw text=\"Assertion failed: ok (src/x.cpp:12)\"");
	assert_made("fatal x", "info store@1[4130] raw text=\"fatal x\"");
	assert_made("INFO x", "info store@1[4130] raw text=\"INFO x\"");
	assert_made("error", "error store@1[4130] raw text=\"error\"");
	assert_made("warn what: is this", "warn store@1[4130] raw text=\"what: is this\"");
	assert_made("info tries=3", "info store@1[4130] raw text=\"tries=3\"");
	assert_made(" info x", "info store@1[4130] raw text=\" info x\"");
	assert_made("say \"hi\\\"", "info store@1[4130] raw text=\"say \\\"hi\\\\\\\"\"");
}

/* What comes before "]" is scribe's, whatever the writer tries. */
Test(line, nobody_forges_another)
{
	static const char *const tries[] = {
		"2026-01-01T00:00:00.000Z error wallet@1[1] wallet.stolen",
		"info x\r2026-01-01T00:00:00.000Z error wallet@1[1] stolen",
		"info x\x1b[1A\x1b[2Kerror wallet@1[1] stolen",
		"info x\xe2\x80\xa8 2026-01-01T00:00:00.000Z error wallet@1[1] stolen",
		"info wallet@1[1] stolen",
		"info x\b\b\b\b\b\b\bwallet@1[1] stolen",
	};
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		struct log_text text;
		const char *line = made(tries[i], strlen(tries[i]));
		cr_assert_eq(strncmp(line, HEAD "info store@1[4130] ", strlen(HEAD "info store@1[4130] ")), 0,
			     "%s", line);
		cr_assert(log_line_parse(line, strlen(line), &text), "%s", line);
		cr_assert_eq(text.pid, 4130);
		cr_assert_eq(strpbrk(line, "\r\x1b\b"), NULL);
		cr_assert_eq(strstr(line, "\xe2\x80\xa8"), NULL);
	}
}

Test(line, hostile_bytes_each)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		char bytes[] = "info a.b k=v?w";
		bytes[12] = (char)byte;
		char expect[64] = HEAD "info store@1[4130] a.b k=v?w\n";
		bool plain = byte >= ' ' && byte < 0x7f;
		expect[strlen(HEAD) + 19 + 7] = byte == '\t' ? ' ' : plain ? (char)byte : '?';
		if (byte != '\n')
			cr_assert_str_eq(made(bytes, sizeof bytes - 1), expect, "byte %u", byte);
	}
}

Test(line, text_of_the_world_stays)
{
	assert_made("info a t=\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x87\"",
		    "info store@1[4130] a t=\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x87\"");
	/* overlong, surrogate, past the last, cut short, alone */
	assert_made("info a \xc0\xaf", "info store@1[4130] a ??");
	assert_made("info a \xe0\x80\xaf", "info store@1[4130] a ???");
	assert_made("info a \xed\xa0\x80", "info store@1[4130] a ???");
	assert_made("info a \xf4\x90\x80\x80", "info store@1[4130] a ????");
	assert_made("info a \xf8\x88\x80\x80", "info store@1[4130] a ????");
	assert_made("info a \xe2\x82", "info store@1[4130] a ??");
	assert_made("info a \xbf", "info store@1[4130] a ?");
	/* C1 (8-bit CSI), direction, line separators */
	assert_made("info a \xc2\x9b"
		    "31m",
		    "info store@1[4130] a ?31m");
	assert_made("info a \xe2\x80\xae"
		    "b",
		    "info store@1[4130] a ?b");
	assert_made("info a \xe2\x81\xa6"
		    "b",
		    "info store@1[4130] a ?b");
	assert_made("info a \xd8\x9c"
		    "b",
		    "info store@1[4130] a ?b");
	assert_made("info a \xe2\x80\x8f"
		    "b\xe2\x80\xa9",
		    "info store@1[4130] a ?b?");
}

Test(line, what_was_cut_says_so)
{
	char out[LOG_TEXT_MAX], expect[LOG_TEXT_MAX];
	struct log_text text;
	size_t length = line_text(&stamp, "info a b=\"c d", 13, true, out);
	size_t expected = (size_t)snprintf(expect, sizeof expect, "%s",
					   HEAD "info store@1[4130] a b=\"c d" LOG_CUT "\n");
	cr_assert_eq(length, expected);
	cr_assert_eq(memcmp(out, expect, expected), 0);
	length = line_text(&stamp, "info a          ", 16, true, out);
	cr_assert(log_line_parse(out, length, &text), "a mark of its own, not in the event");
	cr_assert_eq(text.event.length, 1);
}

Test(line, the_longest_fits)
{
	static char out[LOG_TEXT_MAX];
	struct stamp longest = stamp;
	struct log_text text;
	char bytes[LOG_LINE_MAX];
	memset(longest.actor, 'a', sizeof longest.actor - 1);
	longest.pid = UINT32_MAX;
	memset(bytes, '"', sizeof bytes);
	size_t length = line_text(&longest, bytes, sizeof bytes, true, out);
	cr_assert_leq(length, sizeof out);
	cr_assert_eq(out[length - 1], '\n');
	cr_assert(log_line_parse(out, length, &text));
	struct log_pair pair;
	char value[LOG_LINE_MAX + 8];
	cr_assert(log_pair_next(&text.rest, &pair));
	cr_assert_eq(log_pair_value(&pair, value, sizeof value), LOG_LINE_MAX + sizeof LOG_CUT - 1);
	memcpy(bytes, "error ", 6);
	length = line_text(&longest, bytes, sizeof bytes, true, out);
	cr_assert(log_line_parse(out, length, &text));
	cr_assert_eq(text.level, 3);
}

/* -- anything ---------------------------------------------------------------------------------- */

static uint32_t random_state = 1;
static uint32_t next_random(uint32_t below)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % below;
}

/* Bytes that matter come more often than by chance. */
static char random_byte(void)
{
	static const char liked[] = "info warn=\"\\ \n\t.\xc2\x9b\xe2\x80\xae\xf0\x9f";
	return next_random(2) ? liked[next_random(sizeof liked - 1)] : (char)next_random(256);
}

/* Whatever comes: one line each, which parses, is clean, and is stamped right. */
static void check(void *context, const char *bytes, size_t length, bool cut)
{
	static char out[LOG_TEXT_MAX];
	struct log_text text;
	struct log_pair pair;
	size_t made = line_text(&stamp, bytes, length, cut, out);
	if (made == 0)
		return;
	cr_assert_eq(memchr(out, '\n', made), out + made - 1);
	cr_assert(log_line_parse(out, made, &text), "%.*s", (int)made, out);
	cr_assert_eq(text.pid, stamp.pid);
	cr_assert_eq(memcmp(text.actor.at, "store@1[", 8), 0);
	for (size_t i = 0; i + 1 < made; i++)
		cr_assert((unsigned char)out[i] >= ' ' && out[i] != 0x7f);
	cr_assert_eq(memmem(out, made, "\xc2\x9b", 2), NULL);
	size_t words = 0;
	while (log_pair_next(&text.rest, &pair))
		words++;
	cr_assert_leq(words, made);
	++*(unsigned *)context;
}

Test(line, anything_at_all)
{
	struct line line = {0};
	unsigned lines = 0;
	for (int round = 0; round < 20000; round++) {
		char bytes[256];
		size_t length = next_random(sizeof bytes);
		for (size_t i = 0; i < length; i++)
			bytes[i] = random_byte();
		line_feed(&line, bytes, length, check, &lines);
	}
	cr_assert_gt(lines, 10000);
}
