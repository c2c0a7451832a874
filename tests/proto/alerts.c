/* The rows of alerts.def, an alert as JSON, and where a URL leads. */
#include "proto/alerts.h"
#include "proto/web.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(alerts, rows_are_whole_and_their_names_differ)
{
	unsigned count = 0;
	for (unsigned code = 0; code < 2 * ALERT_CODES; code++) {
		const struct alert_row *row = alert_row(code);
		if (!row)
			continue;
		count++;
		cr_assert(*row->name && *row->what && *row->next);
		cr_assert_leq(strlen(row->what), 200, "%s", row->name); /* what alert_json() has room for */
		cr_assert_leq(strlen(row->next), 200, "%s", row->name);
		cr_assert_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(row->name));
		for (unsigned other = 0; other < code; other++)
			cr_assert(!alert_row(other) || strcmp(alert_row(other)->name, row->name) != 0);
	}
	cr_assert_geq(count, 18);
	cr_assert_null(alert_row(0));
}

Test(alerts, who_may_raise_what)
{
	cr_assert_eq(alert_row(ALERT_NODE_PARKED)->by, 0);
	cr_assert_eq(alert_row(ALERT_STORE_FULL)->by, UINT32_C(1) << STORE);
	cr_assert(alert_row(ALERT_LOGS_DROPPED)->by >> GATEWAY & 1);
	cr_assert_not(alert_row(ALERT_LOGS_DROPPED)->by >> READER & 1);
	cr_assert_not(alert_row(ALERT_LOGS_DROPPED)->by >> OPERATOR & 1);
	cr_assert(alert_row(ALERT_STORE_FULL)->holds);
	cr_assert_not(alert_row(ALERT_ASK_DENIED)->holds);
}

Test(alerts, as_json_whatever_it_holds)
{
	char text[ALERT_JSON], machine[ALERT_NAME + 1];
	struct alert_news news = {.seq = UINT64_MAX,
				  .id = UINT64_MAX,
				  .first_ms = INT64_C(1700000000123),
				  .last_ms = -5,
				  .at_ms = INT64_MAX,
				  .count = UINT32_MAX,
				  .code = ALERT_STORE_FULL,
				  .node = 512,
				  .kind = STORE,
				  .change = ALERT_RAISED};
	memset(machine, '"', sizeof machine);
	machine[ALERT_NAME] = '\0';
	for (int i = 0; i < ALERT_DETAIL; i++)
		news.detail[i] = (char)(i + 1);
	size_t length = alert_json(&news, machine, text);
	cr_assert_gt(length, 0);
	cr_assert_eq(length, strlen(text));
	cr_assert_eq(text[length - 1], '\n');
	cr_assert_null(memchr(text, '\n', length - 1), "one line");
	for (size_t i = 0; i + 1 < length; i++)
		cr_assert(text[i] >= ' ' && text[i] <= '~');
	cr_assert_not_null(strstr(text, "\"first\":\"2023-11-14T22:13:20.123Z\""));
	cr_assert_not_null(strstr(text, "\"subject\":\"store@512\""));
	cr_assert_not_null(strstr(text, "!\\\"#"), "quotes are escaped");
	cr_assert_not_null(strstr(text, "[\\\\]"), "and so is the escape");
	for (unsigned code = 0; code < ALERT_CODES; code++) { /* the longest of each */
		news.code = (uint16_t)code;
		memset(news.detail, '"', ALERT_DETAIL);
		cr_assert_eq(alert_json(&news, machine, text) > 0, alert_row(code) != NULL, "%u", code);
	}
	news.code = ALERT_STORE_FULL;
	news.change = 0;
	cr_assert_eq(alert_json(&news, machine, text), 0);
	news.change = ALERT_ACKED + 1;
	cr_assert_eq(alert_json(&news, machine, text), 0);
}

Test(alerts, subjects)
{
	char text[WHO_TEXT];
	cr_assert_str_eq(alert_subject(KIND_NONE, 0, text), "machine");
	cr_assert_str_eq(alert_subject(KIND_NONE, 3, text), "node 3");
	cr_assert_str_eq(alert_subject(WALLET, 3, text), "wallet@3");
}

Test(web, where_a_url_leads)
{
	static const struct {
		const char *url, *host;
		unsigned port; /* 0: refused */
	} cases[] = {
		{"http://example.org", "example.org", 80},
		{"https://example.org", "example.org", 443},
		{"https://example.org/a?b=c#d", "example.org", 443},
		{"http://127.0.0.1:8080/x", "127.0.0.1", 8080},
		{"http://[::1]:9/", "::1", 9},
		{"https://[::1]", "::1", 443},
		{"http://example.org?x", "example.org", 80},
		{"", "", 0},
		{"example.org", "", 0},
		{"ftp://example.org/", "", 0},
		{"HTTP://example.org/", "", 0},
		{"http://", "", 0},
		{"http:///x", "", 0},
		{"http://user@example.org/", "", 0},
		{"http://user:word@example.org/", "", 0},
		{"http://example.org:/", "", 0},
		{"http://example.org:0/", "", 0},
		{"http://example.org:65536/", "", 0},
		{"http://example.org:8o/", "", 0},
		{"http://exa mple.org/", "", 0},
		{"http://example.org/\n", "", 0},
		{"http://[::1/", "", 0},
		{"http://[::1]x/", "", 0},
		{"http://[example.org]/", "", 0},
		{"http://ex\\ample.org/", "", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct web_address address;
		bool led = web_address(cases[i].url, &address);
		cr_expect_eq(led, cases[i].port != 0, "%s", cases[i].url);
		if (led && cases[i].port) {
			cr_expect_str_eq(address.host, cases[i].host, "%s", cases[i].url);
			cr_expect_eq(address.port, cases[i].port, "%s", cases[i].url);
		}
	}
	char url[600] = "http://";
	memset(url + 7, 'a', 300);
	struct web_address address;
	cr_expect_not(web_address(url, &address), "a host of 300 letters");
}
