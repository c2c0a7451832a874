/* A secret line from a pipe and from a terminal. */
#include "actors/base/prompt/prompt.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static enum prompt_end from_pipe(const char *text, size_t length, char line[PROMPT_MOST], size_t room,
				 char rest[64])
{
	int pipe[2];
	cr_assert_eq(pipe2(pipe, O_CLOEXEC), 0);
	cr_assert_eq(write(pipe[1], text, length), (ssize_t)length);
	close(pipe[1]);
	enum prompt_end end = prompt_secret(pipe[0], -1, "?", line, room);
	ssize_t left = read(pipe[0], rest, 63);
	rest[left > 0 ? left : 0] = '\0';
	close(pipe[0]);
	return end;
}

Test(prompt, a_pipe_is_read_to_the_end_of_the_line)
{
	char line[PROMPT_MOST], rest[64];
	cr_expect_eq(from_pipe("secret\nnext\n", 12, line, sizeof line, rest), PROMPT_OK);
	cr_expect_str_eq(line, "secret");
	cr_expect_str_eq(rest, "next\n", "the next reader's");
	cr_expect_eq(from_pipe("secret", 6, line, sizeof line, rest), PROMPT_OK);
	cr_expect_str_eq(line, "secret");
	cr_expect_eq(from_pipe(" a b \x03\n", 7, line, sizeof line, rest), PROMPT_OK, "as it is");
	cr_expect_str_eq(line, " a b \x03");
	cr_expect_eq(from_pipe("", 0, line, sizeof line, rest), PROMPT_NOTHING);
	cr_expect_eq(from_pipe("\nx\n", 3, line, sizeof line, rest), PROMPT_NOTHING);
	cr_expect_str_eq(rest, "x\n");
	cr_expect_eq(from_pipe("a\0b\n", 4, line, sizeof line, rest), PROMPT_NOTHING,
		     "a NUL is in no passphrase");
	cr_expect_eq(from_pipe("1234567\n", 8, line, 8, rest), PROMPT_OK);
	cr_expect_eq(from_pipe("12345678\n", 9, line, 8, rest), PROMPT_LONG);
	for (unsigned i = 0; i < 8; i++)
		cr_expect_eq(line[i], 0, "wiped");
}

/* The person's side of a new terminal; *terminal is the program's. */
static int person(int *terminal)
{
	int side = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(side, 0);
	cr_assert_eq(grantpt(side), 0);
	cr_assert_eq(unlockpt(side), 0);
	*terminal = open(ptsname(side), O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(*terminal, 0);
	return side;
}

/* Types when the question is there (what is typed before it is thrown away), and returns what was shown. */
static enum prompt_end typed(const char *keys, char line[PROMPT_MOST], char shown[256])
{
	int terminal, side = person(&terminal);
	struct termios before, after;
	cr_assert_eq(tcgetattr(terminal, &before), 0);
	if (fork() == 0) {
		char question[64] = {0};
		ssize_t got = read(side, question, sizeof question - 1);
		ssize_t wrote = write(side, keys, strlen(keys));
		_exit(got > 0 && wrote > 0 ? 0 : 1);
	}
	enum prompt_end end = prompt_secret(terminal, terminal, "who? ", line, PROMPT_MOST);
	cr_assert_eq(tcgetattr(terminal, &after), 0);
	cr_expect_eq(after.c_lflag, before.c_lflag, "the echo is back");
	ssize_t got = read(side, shown, 255);
	shown[got > 0 ? got : 0] = '\0';
	close(terminal);
	close(side);
	return end;
}

Test(prompt, a_terminal_shows_nothing, .timeout = 60)
{
	char line[PROMPT_MOST], shown[256];
	cr_expect_eq(typed("secret\r", line, shown), PROMPT_OK);
	cr_expect_str_eq(line, "secret");
	cr_expect_null(strstr(shown, "s"), "%s", shown);
	cr_expect_eq(typed("wrong\x15rihh\x7f\bght\n", line, shown), PROMPT_OK);
	cr_expect_str_eq(line, "right");
	cr_expect_eq(typed("secret\x03", line, shown), PROMPT_STOPPED);
	cr_expect_eq(line[0], 0, "wiped");
	cr_expect_eq(typed("\x04", line, shown), PROMPT_NOTHING);
}
