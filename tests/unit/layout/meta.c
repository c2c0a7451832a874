/* meta.json: there and back, and what is not one. */
#include "layout/meta.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hex[] = "5b9a4b8d2c0e1f3a5b9a4b8d2c0e1f3a5b9a4b8d2c0e1f3a5b9a4b8d2c0e1f3a";

Test(meta, what_was_printed_is_read_again)
{
	const uint64_t sizes[] = {0, 1, 65536, UINT64_C(1) << 30};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct meta meta = {.size = sizes[i]}, read;
		char why[META_WHY];
		memset(meta.cid.bytes, (int)i + 1, sizeof meta.cid.bytes);
		char *text = meta_print(&meta);
		cr_assert(meta_parse(text, strlen(text), &read, why), "%s", why);
		cr_expect_arr_eq(&read.cid, &meta.cid, sizeof meta.cid);
		cr_expect_eq(read.size, meta.size);
		char *again = meta_print(&read);
		cr_expect_str_eq(again, text);
		free(again);
		free(text);
	}
}

/* As ByteCave core writes it: the CID in hex, and much that is not ours to read. */
Test(meta, more_than_we_read_is_no_harm)
{
	char text[512], why[META_WHY];
	struct meta read;
	snprintf(text, sizeof text,
		 "{\"cid\":\"%s\",\"size\":12,\"mimeType\":\"image/"
		 "png\",\"createdAt\":1700000000000,\"version\":2,"
		 "\"compressed\":false,\"integrityHash\":\"ab\",\"metrics\":{\"retrievalCount\":3}}",
		 hex);
	cr_assert(meta_parse(text, strlen(text), &read, why), "%s", why);
	cr_expect_eq(read.size, 12);
	cr_expect_eq(read.cid.bytes[0], 0x5b);
}

Test(meta, what_is_none)
{
	static const struct {
		const char *format, *why;
	} rows[] = {
		{"", "no JSON: line 1"},
		{"{\"cid\":\"%s\",\"size\":1", "no JSON"},
		{"{\"cid\":\"%s\",\"size\":1} more", "no JSON"},
		{"{\"cid\":\"%s\",\"size\":1,\"size\":2}", "no JSON"}, /* which of the two would count? */
		{"[\"%s\"]", "no JSON object"},
		{"{\"size\":1}", "\"cid\""},
		{"{\"cid\":7,\"size\":1}", "\"cid\""},
		{"{\"cid\":\"%s0\",\"size\":1}", "\"cid\""},
		{"{\"cid\":\"../%s\",\"size\":1}", "\"cid\""},
		{"{\"cid\":\"%s\"}", "\"size\""},
		{"{\"cid\":\"%s\",\"size\":\"1\"}", "\"size\""},
		{"{\"cid\":\"%s\",\"size\":1.5}", "\"size\""},
		{"{\"cid\":\"%s\",\"size\":-1}", "\"size\""},
		{"{\"cid\":\"%s\",\"size\":99999999999999999999}", "no JSON"},
		{"{\"cid\":\"%s\",\"size\":1,\"compressed\":true}", "compressed"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[256], why[META_WHY] = "";
		const char *at = strstr(rows[i].format, "%s");
		struct meta read;
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at ? at - rows[i].format : 255), rows[i].format,
			 at ? hex : "", at ? at + 2 : "");
		cr_expect_not(meta_parse(text, strlen(text), &read, why), "%s", text);
		cr_expect_not_null(strstr(why, rows[i].why), "%s: %s", text, why);
	}
}

Test(meta, one_that_is_too_long_is_not_looked_at)
{
	static char text[META_MOST + 2];
	char why[META_WHY];
	struct meta read;
	memset(text, ' ', sizeof text);
	int length = snprintf(text, sizeof text, "{\"cid\":\"%s\",\"size\":1}", hex);
	text[length] = ' ';
	cr_expect(meta_parse(text, META_MOST, &read, why), "%s", why);
	cr_expect_not(meta_parse(text, META_MOST + 1, &read, why));
	cr_expect_not_null(strstr(why, "larger"));
}
