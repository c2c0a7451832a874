/* What reaches the terminal. */
#include "actors/console/render.h"
#include "actors/console/values.h"

#include "actors/base/memory/memory.h"
#include "proto/store.h"
#include "proto/wallet.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *cleaned(const char *text)
{
	static char out[200];
	return clean_text(text, out);
}

/* -- clean --------------------------------------------------------------------------------------------- */

Test(clean, what_a_terminal_obeys_becomes_a_question_mark)
{
	cr_expect_str_eq(cleaned("a\033[31mb"), "a?[31mb");
	cr_expect_str_eq(cleaned("\a\b\r\n\v\f\x7f"), "???????");
	cr_expect_str_eq(cleaned("a\tb"), "a b");
	cr_expect_str_eq(cleaned("a\xc2\x9b"
				 "31mb"),
			 "a?31mb"); /* U+009B is an escape of one character */
	cr_expect_str_eq(cleaned("a\xe2\x80\xae"
				 "b"),
			 "a?b"); /* U+202E turns round what follows */
	cr_expect_str_eq(cleaned("a\xe2\x80\xa8"
				 "b"),
			 "a?b");                            /* U+2028 ends a line */
	cr_expect_str_eq(cleaned("\xef\xbb\xbf"), "?");     /* U+FEFF */
	cr_expect_str_eq(cleaned("\xf3\xa0\x80\xa1"), "?"); /* U+E0021, an invisible "!" */
}

Test(clean, good_text_passes)
{
	static const char good[] = "größe 100 % · ▶ 漢字 🐇 …";
	cr_expect_str_eq(cleaned(good), good);
}

Test(clean, what_is_not_utf8_becomes_a_question_mark)
{
	cr_expect_str_eq(cleaned("a\x80z"), "a?z");            /* continues nothing */
	cr_expect_str_eq(cleaned("a\xc3"), "a?");              /* cut off */
	cr_expect_str_eq(cleaned("\xc0\x9b"), "??");           /* a longer form of ESC */
	cr_expect_str_eq(cleaned("\xe0\x80\x9b"), "???");      /* an even longer one */
	cr_expect_str_eq(cleaned("\xed\xa0\x80"), "???");      /* half of a UTF-16 pair */
	cr_expect_str_eq(cleaned("\xf4\x90\x80\x80"), "????"); /* past U+10FFFF */
	cr_expect_str_eq(cleaned("\xff\xfe"), "??");
	cr_expect_str_eq(cleaned("\xe2\x80z"), "??z"); /* a letter is not swallowed */
}

Test(clean, a_line_feed_stays_only_when_asked)
{
	char out[20];
	cr_expect_eq(clean("a\nb", 3, true, out, sizeof out), 3);
	cr_expect_str_eq(out, "a\nb");
	clean("a\nb", 3, false, out, sizeof out);
	cr_expect_str_eq(out, "a?b");
}

Test(clean, is_cut_between_characters_and_always_ended)
{
	char out[4];
	cr_expect_eq(clean("ab\xe2\x80\xa6", 5, false, out, sizeof out), 2);
	cr_expect_str_eq(out, "ab");
	cr_expect_eq(clean("\xe2\x80\xa6x", 4, false, out, sizeof out), 3);
	cr_expect_str_eq(out, "…");
	cr_expect_eq(clean("abc", 3, false, out, 1), 0);
	cr_expect_str_eq(out, "");
	cr_expect_eq(clean("abc", 3, false, NULL, 0), 0);
	cr_expect_eq(clean("a\0b", 3, false, out, sizeof out), 3);
	cr_expect_str_eq(out, "a?b");
}

/* -- lines and tables ------------------------------------------------------------------------------------ */

static char *printed;
static size_t printed_length;

static struct page page_begin(bool tinted)
{
	return (struct page){open_memstream(&printed, &printed_length), tinted};
}

static const char *page_text(struct page *page)
{
	static char text[16384];
	fclose(page->to);
	snprintf(text, sizeof text, "%s", printed);
	free(printed);
	return text;
}

Test(say, nothing_hostile_passes_even_as_an_argument)
{
	struct page page = page_begin(false);
	say(&page, "%s: %d\n", "evil\033]0;title\a", 5);
	cr_expect_str_eq(page_text(&page), "evil?]0;title?: 5\n");
}

Test(say, colour_is_ours_alone_and_only_when_asked)
{
	struct page page = page_begin(true);
	say_in(&page, BAD_NEWS, "a\033[0mb");
	say_in(&page, PLAIN, "c");
	cr_expect_str_eq(page_text(&page), "\033[31ma?[0mb\033[0mc");
	page = page_begin(false);
	say_in(&page, BAD_NEWS, "a");
	cr_expect_str_eq(page_text(&page), "a");
}

Test(table, columns_line_up)
{
	struct page page = page_begin(false);
	struct table table;
	table_begin(&table, "name >count last~one");
	table_cell(&table, "%s", "größe");
	table_cell(&table, "%d", 7);
	table_cell(&table, "x");
	table_cell(&table, "a");
	table_cell(&table, "%d", 12345678);
	table_cell(&table, "%s", "");
	table_print(&table, &page, 2);
	table_end(&table);
	cr_expect_str_eq(page_text(&page), "  name      count  last one\n"
					   "  größe         7  x\n"
					   "  a      12345678\n");
}

Test(table, a_cell_is_one_line)
{
	struct page page = page_begin(false);
	struct table table;
	table_begin(&table, "a b");
	table_cell(&table, "%s", "x\nstore@1  ready\033[2J");
	table_cell(&table, "y");
	table_print(&table, &page, 0);
	table_end(&table);
	cr_expect_str_eq(page_text(&page), "a                     b\nx?store@1  ready?[2J  y\n");
}

Test(table, without_rows_it_says_nothing)
{
	struct page page = page_begin(false);
	struct table table;
	table_begin(&table, "a b");
	table_print(&table, &page, 0);
	table_end(&table);
	cr_expect_str_eq(page_text(&page), "");
}

Test(table, many_rows_and_their_tints)
{
	struct page page = page_begin(true);
	struct table table;
	table_begin(&table, "a");
	for (int i = 0; i < 500; i++) {
		table_cell(&table, "%d", i);
		if (i == 499)
			table_tint(&table, BAD_NEWS);
	}
	table_print(&table, &page, 0);
	table_end(&table);
	const char *text = page_text(&page);
	cr_expect(strstr(text, "\n498\n\033[31m499\033[0m\n"));
}

/* -- messages ------------------------------------------------------------------------------------------ */

Test(values, a_ticket_is_never_shown)
{
	struct store_open_reply reply = {.ticket = {{0xab, 0xcd}}};
	json_t *json = message_json(&message_store_open_reply, &reply);
	cr_expect(json_is_null(json_object_get(json, "ticket")));
	json_decref(json);
	struct page page = page_begin(false);
	message_lines(&page, &message_store_open_reply, &reply);
	cr_expect_str_eq(page_text(&page), "ticket=–\n");
}

Test(values, numbers_that_json_cannot_hold_are_digits)
{
	struct store_stat_reply reply = {.blobs = INT64_MAX, .bytes = UINT64_MAX};
	json_t *json = message_json(&message_store_stat_reply, &reply);
	cr_expect(json_is_integer(json_object_get(json, "blobs")));
	cr_expect_str_eq(json_string_value(json_object_get(json, "bytes")), "18446744073709551615");
	json_decref(json);
}

Test(values, many_and_optional)
{
	struct shard_range ranges[] = {{0, 255}, {512, 767}};
	struct store_node_reply reply = {.known = true, .shards = ranges, .shards_count = 2};
	json_t *json = message_json(&message_store_node_reply, &reply);
	const json_t *second = json_array_get(json_object_get(json, "shards"), 1);
	cr_expect_eq(json_integer_value(json_object_get(second, "end")), 767);
	cr_expect(json_is_true(json_object_get(json, "known")));
	json_decref(json);
	struct store_list list = {.most = 5};
	json = message_json(&message_store_list, &list);
	cr_expect(json_is_null(json_object_get(json, "after")));
	list.has_after = true;
	json_decref(json);
	json = message_json(&message_store_list, &list);
	cr_expect_str_eq(json_string_value(json_object_get(json, "after")),
			 "bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	json_decref(json);
}

Test(values, json_is_plain_ascii_whatever_the_text_holds)
{
	struct store_stat_reply reply = {.trouble = "a\033b\xff\xc2\x9b"
						    "c"};
	struct page page = page_begin(false);
	json_say(&page, message_json(&message_store_stat_reply, &reply), true);
	const char *text = page_text(&page);
	cr_expect(strstr(text, "\"trouble\":\"a"), "%s", text);
	for (const char *at = text; *at; at++)
		cr_expect((*at >= ' ' && *at < 0x7f) || *at == '\n');
}

Test(values, a_text_of_lines_cannot_pass_for_keys)
{
	static const char text[] = "one\nsize=5\n\033[2Jtwo";
	struct wallet_binding_reply reply = {.statement = {text, sizeof text - 1}};
	struct page page = page_begin(false);
	message_lines(&page, &message_wallet_binding_reply, &reply);
	const char *lines = page_text(&page);
	static const char expected[] = "statement=\n  one\n  size=5\n  ?[2Jtwo\nwallet_signature=0x00";
	cr_expect_eq(strncmp(lines, expected, strlen(expected)), 0, "%s", lines);
}

Test(values, rights_in_words)
{
	char text[RIGHTS_TEXT];
	cr_expect_str_eq(rights_text(0, text), "nobody");
	cr_expect_str_eq(rights_text(READERS, text), "readers, operators");
	cr_expect_str_eq(rights_text(OPERATORS | MAY(GATEWAY, SAME_NODE), text),
			 "gateway of the same node, operators");
	cr_expect_str_eq(rights_text(MAY(STORE, ANY_NODE), text), "store of any node");
	cr_expect_str_eq(rights_text(MAY(STEWARD, SAME_NODE), text), "steward");
}
