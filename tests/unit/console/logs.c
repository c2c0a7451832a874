/* Log files read while they are written and rotated, and several merged by time. */
#include "actors/console/logfile.h"
#include "actors/console/merge.h"

#include "actors/base/memory/memory.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PLACE];

static void make_folder(void)
{
	place_make(folder, "logs");
}

static void drop_folder(void)
{
	char path[400];
	DIR *opened = opendir(folder);
	for (struct dirent *entry; (entry = readdir(opened));) {
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	closedir(opened);
	rmdir(folder);
}

static const char *in_folder(const char *name)
{
	static char paths[4][400];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, 400, "%s/%s", folder, name);
	return path;
}

static void append(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "a");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* Lines as scribe writes them, a second apart; the first is `from` seconds after 10:00. */
static void append_lines(const char *name, unsigned from, unsigned to, const char *level, const char *event)
{
	FILE *file = fopen(in_folder(name), "a");
	cr_assert_not_null(file);
	for (unsigned second = from; second < to; second++)
		fprintf(file, "2026-11-21T10:%02u:%02u.000Z %s store@1[7] %s n=%u\n", second / 60,
			second % 60, level, event, second);
	fclose(file);
}

static void append_line(const char *name, unsigned second, const char *level, const char *event)
{
	append_lines(name, second, second + 1, level, event);
}

static void rotate(const char *name, unsigned keep)
{
	char from[100], to[100];
	for (unsigned age = keep; age > 0; age--) {
		snprintf(from, sizeof from, age > 1 ? "%s.%u" : "%s", name, age - 1);
		snprintf(to, sizeof to, "%s.%u", name, age);
		rename(in_folder(from), in_folder(to));
	}
	append(name, "");
}

static const struct log_filter all = {.since_ms = INT64_MIN};

/* What is in it from where it stands, as "event event …". */
static const char *rest(struct logfile *log)
{
	static char text[8192];
	size_t used = 0;
	struct log_line line;
	text[0] = '\0';
	while (logfile_next(log, &line) && used < sizeof text - 100)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "",
					 line.known ? (int)line.text.event.length : (int)line.length,
					 line.known ? line.text.event.at : line.at);
	return text;
}

static int64_t tail(struct logfile *log, const char *name, const struct log_filter *filter, uint64_t most)
{
	logfile_begin(log, in_folder(name));
	return logfile_tail(log, filter, most);
}

TestSuite(tail, .init = make_folder, .fini = drop_folder);
TestSuite(follow, .init = make_folder, .fini = drop_folder);
TestSuite(merge, .init = make_folder, .fini = drop_folder);

/* -- the last lines ------------------------------------------------------------------------------------ */

Test(tail, the_last_lines_of_one_file)
{
	struct logfile log;
	for (unsigned i = 0; i < 9; i++)
		append_line("a.log", i, "info",
			    (const char *[]){"a", "b", "c", "d", "e", "f", "g", "h", "i"}[i]);
	cr_expect_eq(tail(&log, "a.log", &all, 3), 3);
	cr_expect_str_eq(rest(&log), "g h i");
	logfile_end(&log);
	cr_expect_eq(tail(&log, "a.log", &all, 100), 9);
	cr_expect_str_eq(rest(&log), "a b c d e f g h i");
	logfile_end(&log);
	cr_expect_eq(tail(&log, "a.log", &all, 0), 0);
	cr_expect_str_eq(rest(&log), "");
	logfile_end(&log);
}

Test(tail, goes_on_in_older_files)
{
	struct logfile log;
	append_line("a.log.2", 1, "info", "a");
	append_line("a.log.2", 2, "info", "b");
	append_line("a.log.1", 3, "info", "c");
	append_line("a.log", 4, "info", "d");
	cr_expect_eq(tail(&log, "a.log", &all, 3), 3);
	cr_expect_str_eq(rest(&log), "b c d");
	logfile_end(&log);
	cr_expect_eq(tail(&log, "a.log", &all, 2), 2);
	cr_expect_str_eq(rest(&log), "c d");
	logfile_end(&log);
	cr_expect_eq(tail(&log, "a.log", &all, 50), 4);
	cr_expect_str_eq(rest(&log), "a b c d");
	logfile_end(&log);
}

Test(tail, counts_wanted_lines_only)
{
	struct logfile log;
	struct log_filter warn = {.level = 2, .since_ms = INT64_MIN};
	append_line("a.log", 1, "warn", "a");
	append_line("a.log", 2, "error", "b");
	for (unsigned i = 3; i < 1000; i++)
		append_line("a.log", i, "info", "x");
	cr_expect_eq(tail(&log, "a.log", &warn, 1), 1);
	struct log_line line;
	cr_assert(logfile_next(&log, &line));
	cr_expect_eq(strncmp(line.text.event.at, "b ", 2), 0);
	logfile_end(&log);
	struct log_filter grep = {.grep = "n=5\n", .since_ms = INT64_MIN};
	cr_expect_eq(tail(&log, "a.log", &grep, 5), 0); /* a line feed is no part of a line */
	logfile_end(&log);
	grep.grep = "n=999";
	cr_expect_eq(tail(&log, "a.log", &grep, 5), 1);
	logfile_end(&log);
}

Test(tail, since_ends_at_the_first_older_line)
{
	struct logfile log;
	struct log_filter since = {0};
	log_time_parse("2026-11-21T10:00:03.000Z", 24, &since.since_ms);
	append_line("a.log.1", 1, "info", "a");
	append_line("a.log.1", 3, "info", "b");
	append("a.log.1", "torn and without a time\n");
	append_line("a.log", 4, "info", "c");
	cr_expect_eq(tail(&log, "a.log", &since, UINT64_MAX), 3);
	cr_expect_str_eq(rest(&log), "b torn and without a time c");
	logfile_end(&log);
}

Test(tail, a_line_that_is_being_written_waits)
{
	struct logfile log;
	append_line("a.log", 1, "info", "a");
	append("a.log", "2026-11-21T10:00:02.000Z info store@1[7] ha");
	cr_expect_eq(tail(&log, "a.log", &all, 5), 1);
	cr_expect_str_eq(rest(&log), "a");
	append("a.log", "lf n=1\n");
	cr_expect_str_eq(rest(&log), "half");
	logfile_end(&log);
}

Test(tail, blocks_and_lines_meet_at_any_byte)
{
	char pad[200];
	for (unsigned shift = 0; shift < 60; shift++) {
		struct logfile log;
		memset(pad, 'p', shift + 1);
		memcpy(pad + shift, "\n", 2);
		append("a.log", pad);
		append_lines("a.log", 0, 700, "info", "x"); /* two blocks and more */
		for (uint64_t most = 290; most < 310; most += 3) {
			cr_assert_eq(tail(&log, "a.log", &all, most), (int64_t)most);
			struct log_line line;
			uint64_t count = 0;
			for (; logfile_next(&log, &line); count++)
				cr_assert(line.known);
			cr_assert_eq(count, most, "shift %u", shift);
			logfile_end(&log);
		}
		unlink(in_folder("a.log"));
	}
}

Test(tail, one_endless_line_is_given_in_pieces)
{
	struct logfile log;
	char *text = x_new(100001);
	memset(text, 'y', 100000);
	append("a.log", text);
	append("a.log", "\n");
	append_line("a.log", 1, "info", "end");
	cr_assert_geq(tail(&log, "a.log", &all, 1000), 2);
	struct log_line line;
	size_t bytes = 0;
	while (logfile_next(&log, &line) && !line.known)
		bytes += line.length;
	cr_expect_eq(bytes, 100000);
	cr_expect(line.known);
	logfile_end(&log);
	x_free(&text);
}

Test(tail, only_plain_files_are_opened)
{
	struct logfile log;
	cr_expect_eq(tail(&log, "none.log", &all, 5), -ENOENT);
	logfile_end(&log);
	append_line("real.log", 1, "info", "secret");
	cr_assert_eq(symlink(in_folder("real.log"), in_folder("link.log")), 0);
	cr_expect_eq(tail(&log, "link.log", &all, 5), -ELOOP);
	logfile_end(&log);
	cr_assert_eq(mkfifo(in_folder("pipe.log"), 0600), 0);
	cr_expect_eq(tail(&log, "pipe.log", &all, 5), -EINVAL); /* and did not wait for a writer */
	logfile_end(&log);
}

Test(tail, an_empty_file)
{
	struct logfile log;
	append("a.log", "");
	cr_expect_eq(tail(&log, "a.log", &all, 5), 0);
	cr_expect_str_eq(rest(&log), "");
	logfile_end(&log);
}

/* -- what is written from now on ------------------------------------------------------------------------- */

Test(follow, across_one_rotation)
{
	struct logfile log;
	append_line("a.log", 1, "info", "a");
	tail(&log, "a.log", &all, 10);
	cr_expect_str_eq(rest(&log), "a");
	append_line("a.log", 2, "info", "b");
	rotate("a.log", 3);
	append_line("a.log", 3, "info", "c");
	cr_expect_str_eq(rest(&log), "b c");
	append_line("a.log", 4, "info", "d");
	cr_expect_str_eq(rest(&log), "d");
	logfile_end(&log);
}

Test(follow, across_many_rotations_at_once)
{
	struct logfile log;
	append_line("a.log", 1, "info", "a");
	tail(&log, "a.log", &all, 10);
	cr_expect_str_eq(rest(&log), "a");
	for (unsigned i = 0; i < 4; i++) {
		append_line("a.log", 2 + i, "info", (const char *[]){"b", "c", "d", "e"}[i]);
		rotate("a.log", 5);
	}
	append_line("a.log", 9, "info", "f");
	cr_expect_str_eq(rest(&log), "b c d e f");
	logfile_end(&log);
}

Test(follow, what_was_rotated_away_is_lost_and_the_rest_is_not)
{
	struct logfile log;
	append_line("a.log", 1, "info", "a");
	tail(&log, "a.log", &all, 10);
	cr_expect_str_eq(rest(&log), "a");
	for (unsigned i = 0; i < 4; i++) {
		append_line("a.log", 2 + i, "info", (const char *[]){"b", "c", "d", "e"}[i]);
		rotate("a.log", 2);
	}
	append_line("a.log", 9, "info", "f");
	cr_expect_str_eq(rest(&log), "b d e f"); /* b is in the file that is still held; c is nowhere */
	logfile_end(&log);
}

Test(follow, removed_by_hand_nothing_is_said_twice)
{
	struct logfile log;
	append_line("a.log.1", 1, "info", "old");
	append_line("a.log", 2, "info", "a");
	tail(&log, "a.log", &all, 1);
	cr_expect_str_eq(rest(&log), "a");
	unlink(in_folder("a.log"));
	cr_expect_str_eq(rest(&log), "");
	cr_expect_str_eq(rest(&log), "");
	append_line("a.log", 3, "info", "b");
	cr_expect_str_eq(rest(&log), "b");
	logfile_end(&log);
}

Test(follow, emptied_by_hand)
{
	struct logfile log;
	append_line("a.log", 1, "info", "a");
	append_line("a.log", 2, "info", "b");
	tail(&log, "a.log", &all, 10);
	cr_expect_str_eq(rest(&log), "a b");
	cr_assert_eq(truncate(in_folder("a.log"), 0), 0);
	append_line("a.log", 3, "info", "c");
	cr_expect_str_eq(rest(&log), "c");
	logfile_end(&log);
}

Test(follow, a_file_that_is_not_there_yet)
{
	struct logfile log;
	cr_expect_eq(tail(&log, "a.log", &all, 10), -ENOENT);
	cr_expect_str_eq(rest(&log), "");
	append_line("a.log", 3, "info", "a");
	cr_expect_str_eq(rest(&log), "a");
	logfile_end(&log);
}

Test(follow, one_that_was_rotated_before_it_was_seen)
{
	struct logfile log;
	cr_expect_eq(tail(&log, "a.log", &all, 10), -ENOENT);
	append_line("a.log", 3, "info", "a");
	rotate("a.log", 3);
	append_line("a.log", 4, "info", "b");
	cr_expect_str_eq(rest(&log), "a b");
	logfile_end(&log);
}

Test(follow, in_the_middle_of_a_rotation)
{
	struct logfile log;
	append_line("a.log.1", 3, "info", "a");
	cr_expect_eq(tail(&log, "a.log", &all, 10), 1);
	cr_expect_str_eq(rest(&log), "a");
	append_line("a.log", 4, "info", "b");
	cr_expect_str_eq(rest(&log), "b");
	logfile_end(&log);
}

Test(follow, a_torn_line_ends_with_its_file)
{
	struct logfile log;
	append("a.log", "half a li");
	tail(&log, "a.log", &all, 10);
	cr_expect_str_eq(rest(&log), "");
	rotate("a.log", 3);
	append_line("a.log", 3, "info", "b");
	cr_expect_str_eq(rest(&log), "half a li b");
	logfile_end(&log);
}

/* -- merged -------------------------------------------------------------------------------------------- */

static void merge_begin(struct merge *merge, unsigned count, const char *const *names)
{
	*merge = (struct merge){.logs = x_new_array(count, sizeof *merge->logs), .count = count};
	for (unsigned i = 0; i < count; i++)
		tail(&merge->logs[i].file, names[i], &all, 100);
}

static const char *events(struct merge *merge, int64_t now_ms)
{
	static char text[1000];
	size_t used = 0;
	const struct log_line *line;
	text[0] = '\0';
	while ((line = now_ms ? merge_next_before(merge, now_ms) : merge_next(merge)))
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "",
					 line->known ? (int)line->text.event.length : (int)line->length,
					 line->known ? line->text.event.at : line->at);
	return text;
}

static const char *const two[] = {"a.log", "b.log"};

Test(merge, by_time)
{
	struct merge merge;
	append_line("a.log", 1, "info", "a1");
	append_line("a.log", 4, "info", "a4");
	append_line("a.log", 5, "info", "a5");
	append_line("b.log", 2, "info", "b2");
	append_line("b.log", 6, "info", "b6");
	merge_begin(&merge, 2, two);
	cr_expect_str_eq(events(&merge, 0), "a1 b2 a4 a5 b6");
	append_line("b.log", 7, "info", "b7");
	cr_expect_str_eq(events(&merge, 0), "b7");
	merge_end(&merge);
}

Test(merge, of_one_moment_the_first_named_first)
{
	struct merge merge;
	append_line("b.log", 1, "info", "b1");
	append_line("b.log", 2, "info", "b2");
	append_line("a.log", 1, "info", "a1");
	append_line("a.log", 2, "info", "a2");
	merge_begin(&merge, 2, two);
	cr_expect_str_eq(events(&merge, 0), "a1 b1 a2 b2");
	merge_end(&merge);
}

Test(merge, a_line_without_a_time_stays_with_the_one_before_it)
{
	struct merge merge;
	append_line("a.log", 1, "info", "a1");
	append("a.log", "torn\n");
	append_line("a.log", 9, "info", "a9");
	append_line("b.log", 2, "info", "b2");
	merge_begin(&merge, 2, two);
	cr_expect_str_eq(events(&merge, 0), "a1 torn b2 a9");
	merge_end(&merge);
}

Test(merge, across_rotations)
{
	struct merge merge;
	append_line("a.log.1", 1, "info", "a1");
	append_line("a.log", 5, "info", "a5");
	append_line("b.log.1", 2, "info", "b2");
	append_line("b.log", 3, "info", "b3");
	merge_begin(&merge, 2, two);
	cr_expect_str_eq(events(&merge, 0), "a1 b2 b3 a5");
	merge_end(&merge);
}

Test(merge, a_line_of_this_moment_waits_for_earlier_ones)
{
	struct merge merge;
	int64_t now;
	append_line("a.log", 1, "info", "a1");
	append_line("a.log", 5, "info", "a5");
	append("b.log", "");
	merge_begin(&merge, 2, two);
	log_time_parse("2026-11-21T10:00:05.010Z", 24, &now);
	cr_expect_str_eq(events(&merge, now), "a1"); /* a5 is 10 ms old */
	append_line("b.log", 4, "info", "b4");
	cr_expect_str_eq(events(&merge, now), "b4");
	cr_expect_str_eq(events(&merge, now + MERGE_SLACK_MS), "a5");
	merge_end(&merge);
}

Test(merge, a_line_from_the_future_does_not_hold_up_the_rest)
{
	struct merge merge;
	int64_t now;
	append_line("a.log", 3000, "info", "future");
	append_line("b.log", 1, "info", "b1");
	merge_begin(&merge, 2, two);
	log_time_parse("2026-11-21T10:00:05.000Z", 24, &now);
	cr_expect_str_eq(events(&merge, now), "b1 future");
	merge_end(&merge);
}
