/* Lines for systemd's journal, with a socket pair in its place. */
#include "actors/scribe/journal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIME "2026-11-21T10:47:03.123Z "

static struct journal journal;
static int reader;
static char heard[1 << 20];

static void begin(void)
{
	int pair[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	journal_begin(&journal, pair[0]);
	reader = pair[1];
}

static void end(void)
{
	journal_end(&journal);
	close(reader);
}

TestSuite(journal, .init = begin, .fini = end);

static void append(const char *text)
{
	journal_append(&journal, text, strlen(text));
}

static const char *hear(void)
{
	size_t length = 0;
	ssize_t got;
	while ((got = recv(reader, heard + length, sizeof heard - 1 - length, MSG_DONTWAIT)) > 0)
		length += (size_t)got;
	heard[length] = '\0';
	return heard;
}

Test(journal, a_line_has_its_level_as_priority_and_no_time)
{
	append(TIME "debug store@2[7] a\n" TIME "info store@2[7] store.opened blobs=3\n" TIME
		    "warn store@2[7] b\n" TIME "error store@2[7] c why=\"it is <3> full\"\n");
	cr_expect_str_eq(hear(), "<7>store@2[7] a\n<6>store@2[7] store.opened blobs=3\n<4>store@2[7] b\n"
				 "<3>store@2[7] c why=\"it is <3> full\"\n");
}

Test(journal, what_is_no_line_is_left_out)
{
	append("nonsense\n" TIME "info x[1] y\n");
	cr_expect_str_eq(hear(), "<6>x[1] y\n");
}

/* Never waits: what does not fit is dropped, counted, and said before the next line; a torn line is ended first. */
Test(journal, a_full_one_drops_counts_and_says)
{
	char line[1200], said[100];
	unsigned lines = 0, whole = 0;
	snprintf(line, sizeof line, TIME "info x[1] y text=%01000d\n", 0);
	while (journal.dropped < 3 && lines++ < 100000)
		append(line);
	cr_assert_eq(journal.dropped, 3);
	for (const char *at = hear(); (at = strstr(at, "<6>x[1] y text=")); at++)
		whole += strchr(at, '\n') != NULL;
	cr_expect_eq(whole, lines - 3);
	bool torn = journal.torn;
	append(TIME "info x[1] z\n");
	snprintf(said, sizeof said, "%s<4>scribe.dropped lines=3 why=\"the journal is full\"\n<6>x[1] z\n",
		 torn ? "\n" : "");
	cr_expect_str_eq(hear(), said);
	cr_expect_eq(journal.dropped, 0);
}

Test(journal, a_torn_line_is_ended_before_the_next)
{
	journal.torn = true;
	append(TIME "info x[1] y\n" TIME "info x[1] z\n");
	cr_expect_str_eq(hear(), "\n<6>x[1] y\n<6>x[1] z\n");
}

Test(journal, one_that_is_gone_is_let_go)
{
	shutdown(reader, SHUT_RDWR);
	append(TIME "info x[1] y\n" TIME "info x[1] z\n");
	cr_expect_not(journal.open);
	append(TIME "info x[1] y\n");
}
