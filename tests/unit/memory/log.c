/* Log lines as they leave a process: their shape, what may be in them, and a pipe that nobody reads. */
#include "actors/base/log/log.h"

#include "proto/logs.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];
static char seen[256 * 1024];

/* stderr becomes a pipe like the one the supervisor makes. Each test is a process of its own. */
static void begin(void)
{
	cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
}

static const char *drain(void)
{
	size_t length = 0;
	ssize_t got;
	while ((got = read(ends[0], seen + length, sizeof seen - 1 - length)) > 0)
		length += (size_t)got;
	seen[length] = '\0';
	return seen;
}

static unsigned lines_in(const char *text)
{
	unsigned count = 0;
	for (; *text; text++)
		count += *text == '\n';
	return count;
}

TestSuite(log, .init = begin);

Test(log, shape)
{
	log_info("store.opened", "blobs=%u path=%s", 3, "x");
	cr_assert_str_eq(drain(), "info store.opened blobs=3 path=x\n");
	log_warn("a.b", "k=v");
	cr_assert_str_eq(drain(), "warn a.b k=v\n");
	log_error("a.b", "k=v");
	cr_assert_str_eq(drain(), "error a.b k=v\n");
}

Test(log, threshold)
{
	log_debug("a.b", "k=v");
	cr_assert_str_eq(drain(), "", "debug is not said at first");
	log_threshold(LOG_DEBUG);
	log_debug("a.b", "k=v");
	cr_assert_str_eq(drain(), "debug a.b k=v\n");
	log_threshold(LOG_ERROR);
	log_warn("a.b", "k=v");
	cr_assert_str_eq(drain(), "");
	log_error("a.b", "k=v");
	cr_assert_str_eq(drain(), "error a.b k=v\n");
}

Test(log, names_of_levels)
{
	for (int level = LOG_DEBUG; level <= LOG_ERROR; level++)
		cr_assert_eq(log_level_by_name(log_level_name((enum log_level)level)), level);
	cr_assert_eq(log_level_by_name("loud"), -1);
	cr_assert_eq(log_level_by_name(""), -1);
	cr_assert_eq(log_level_by_name("infos"), -1);
}

/* A value from a stranger must not begin a line of its own. */
Test(log, control_bytes)
{
	char value[40] = "";
	for (int c = 1; c < 0x20; c++)
		value[c - 1] = (char)c;
	value[0x1f] = 0x7f;
	log_info("a.b", "k=%s.", value);
	char expected[80];
	snprintf(expected, sizeof expected, "info a.b k=%.*s.\n", 32, "????????????????????????????????");
	cr_assert_str_eq(drain(), expected);
	log_info("a.b", "k=%s", "x\ninfo forged.line k=v");
	cr_assert_eq(lines_in(drain()), 1);
}

Test(log, long_lines_are_cut)
{
	static char value[3 * LOG_LINE_MAX];
	memset(value, 'v', sizeof value - 1);
	for (size_t length = LOG_LINE_MAX - 20; length < LOG_LINE_MAX + 20; length++) {
		log_info("a.b", "k=%.*s", (int)length, value);
		const char *line = drain();
		size_t whole = strlen("info a.b k=\n") + length;
		cr_assert_eq(strlen(line), whole < LOG_LINE_MAX - 1 ? whole : LOG_LINE_MAX - 1, "%zu",
			     length);
		cr_assert_eq(lines_in(line), 1);
	}
	log_info("a.b", "k=%s", value);
	cr_assert_eq(strlen(drain()), LOG_LINE_MAX - 1);
}

/* How many lines were lost, as the lines in `text` themselves say; the others are counted in *whole. */
static unsigned told_lost(const char *text, unsigned *whole)
{
	unsigned lost = 0, count;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		if (sscanf(line, "warn log.dropped lines=%u\n", &count) == 1) {
			lost += count;
			continue;
		}
		cr_assert(strncmp(line, "info a.b n=", 11) == 0 && strcspn(line, "\n") == 60, "torn: %.70s",
			  line);
		++*whole;
	}
	return lost;
}

/* Nobody reads: no line waits, what does not fit is counted, lines stay whole, and those that fit say how many did not. */
Test(log, full_pipe)
{
	unsigned written = 0, whole = 0;
	for (; log_dropped() < 10; written++) {
		cr_assert(written < 100000, "the pipe never fills");
		log_info("a.b", "n=%06u padding=%s", written, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	}
	unsigned told = told_lost(drain(), &whole);
	cr_assert_eq(whole + 10, written, "%u lines, %u written, 10 lost", whole, written);
	log_info("a.b", "n=%06u padding=%s", written, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	cr_assert_eq(told + told_lost(drain(), &whole), 10);
	cr_assert_eq(whole + 9, written, "room again");
	log_info("a.b", "n=%06u padding=%s", written, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	cr_assert_eq(told_lost(drain(), &whole), 0, "told once");
}

Test(log, no_pipe_at_all)
{
	close(STDERR_FILENO);
	log_error("a.b", "k=v");
	cr_assert_eq(log_dropped(), 1);
}

Test(log, bug_says_where_and_aborts)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		bug_if(1 + 1 == 2);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	drain();
	cr_assert(strncmp(seen, "error bug what=\"1 + 1 == 2\" at=", 31) == 0, "%s", seen);
	cr_assert_not_null(strstr(seen, "log.c:"), "%s", seen);
}
