/* Log pipes with their processes alive, dying and born again; and that one cannot starve the others. */
#include "handing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

TestSuite(pipes, .fini = leave);

Test(pipes, each_line_says_who_wrote_it)
{
	begin();
	int store = declare(STORE, 2, 4130, NULL), broker = declare(BROKER, 0, 9, NULL),
	    own = declare(0, 0, 1, NULL);
	say(store, "info store.opened blobs=3\n");
	say(broker, "warn broker.full\n");
	say(own, "info machine.up\n");
	cr_assert_eq(turn(0), 3);
	assert_file("node2/store.log", TIME "info store@2[4130] store.opened blobs=3\n");
	assert_file("machine/broker.log", TIME "warn broker[9] broker.full\n");
	assert_file("machine/warrend.log", TIME "info warrend[1] machine.up\n");
	cr_assert_eq(pipes_counts(pipes)->open, 3);
	cr_assert_eq(turn(0), 0);
	close(store), close(broker), close(own);
	end();
}

/* What was in the pipe before a birth is the dead one's, also its half of a line; what comes after is the new
 * one's. */
Test(pipes, a_birth_divides_the_pipe)
{
	begin();
	int store = declare(STORE, 2, 100, NULL);
	say(store, "info a\nerror half of a li");
	tell(LOGS_BORN, STORE, 2, 200, -1);
	say(store, "info b\n");
	turn(0);
	assert_file("node2/store.log", TIME "info store@2[100] a\n" TIME
					    "error store@2[100] half of a li\n" TIME "info store@2[200] b\n");
	close(store);
	end();
}

Test(pipes, a_full_pipe_at_a_birth)
{
	begin();
	int store = declare(STORE, 2, 100, NULL);
	unsigned lines = 0;
	while (write(store, "info x\n", 7) == 7)
		lines++;
	tell(LOGS_BORN, STORE, 2, 200, -1);
	say(store, "info y\n");
	turn(0);
	char *text = room_read(&room, "node2/store.log"), *line = text;
	for (unsigned i = 0; i < lines; i++, line = strchr(line, '\n') + 1)
		cr_assert_eq(strncmp(line, TIME "info store@2[100] x\n", 44), 0, "line %u", i);
	cr_assert_str_eq(line, TIME "info store@2[200] y\n");
	free(text);
	close(store);
	end();
}

/* The supervisor keeps a copy of the read end: closing ours must take the pipe out of the set, or it would
 * wake us for ever. */
Test(pipes, an_ended_pipe_is_silent)
{
	begin();
	unsigned before = open_descriptors();
	int kept, store = declare(STORE, 2, 100, &kept);
	say(store, "info last words\nand half");
	tell(LOGS_END, STORE, 2, 0, -1);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 2);
	cr_assert_eq(pipes_counts(pipes)->open, 0);
	say(store, "info nobody\n");
	cr_assert_eq(turn(0), 0);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 2);
	close(store), close(kept);
	cr_assert_eq(open_descriptors(), before);
	int again = declare(STORE, 2, 300, NULL);
	say(again, "info again\n");
	cr_assert_eq(turn(0), 1);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 3);
	close(again);
	end();
}

Test(pipes, a_pipe_without_writers_goes)
{
	begin();
	int store = declare(STORE, 2, 100, NULL);
	say(store, "info a\ninfo b");
	close(store);
	for (int i = 0; i < 3; i++)
		turn(0);
	cr_assert_eq(turn(0), 0, "it is at its end and still wakes us");
	cr_assert_eq(pipes_counts(pipes)->open, 0);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 2);
	end();
}

Test(pipes, a_pipe_in_place_of_another)
{
	begin();
	unsigned before = open_descriptors();
	int first = declare(STORE, 2, 100, NULL);
	say(first, "info from the first\n");
	int second = declare(STORE, 2, 200, NULL);
	say(second, "info from the second\n");
	turn(0);
	assert_file("node2/store.log",
		    TIME "info store@2[100] from the first\n" TIME "info store@2[200] from the second\n");
	cr_assert_eq(pipes_counts(pipes)->open, 1);
	close(first), close(second);
	tell(LOGS_END, STORE, 2, 0, -1);
	cr_assert_eq(open_descriptors(), before);
	end();
}

Test(pipes, half_a_line_waits_but_not_for_ever)
{
	begin();
	int store = declare(STORE, 2, 100, NULL);
	struct moment later = at(PIPE_IDLE_MS - 1), late = at(PIPE_IDLE_MS);
	say(store, "info never ");
	turn(0);
	pipes_tick(pipes, &later);
	cr_assert_not(room_has(&room, "node2/store.log"));
	pipes_tick(pipes, &late);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 1);
	close(store);
	end();
}

Test(pipes, long_lines_are_counted)
{
	begin();
	int store = declare(STORE, 2, 100, NULL);
	for (int i = 0; i < 30; i++)
		say(store, "info x=0123456789012345678901234567890123456789");
	say(store, "\ninfo next\n");
	turn(0);
	cr_assert_eq(pipes_counts(pipes)->cut, 1);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 2);
	close(store);
	end();
}

/* -- fair -------------------------------------------------------------------------------------- */

static int waiting(int fd)
{
	int bytes = 0;
	cr_assert_eq(ioctl(fd, FIONREAD, &bytes), 0);
	return bytes;
}

static void fill(int fd)
{
	while (write(fd, "info chatter chatter chatter\n", 29) > 0)
		continue;
}

Test(pipes, a_turn_takes_a_quantum)
{
	begin();
	int kept, store = declare(STORE, 1, 1, &kept);
	fill(store);
	int before = waiting(kept);
	cr_assert_gt(before, 2 * PIPE_QUANTUM);
	cr_assert_eq(turn(0), 1);
	cr_assert_eq(waiting(kept), before - PIPE_QUANTUM);
	close(store), close(kept);
	end();
}

/* Its pipe is full again before each turn, and yet the quiet ones are read in that very turn. */
Test(pipes, one_that_chatters_holds_up_nobody)
{
	begin();
	enum { QUIET = 20, TURNS = 50 };
	int chatty = declare(STORE, 1, 1, NULL), quiet[QUIET];
	for (unsigned i = 0; i < QUIET; i++)
		quiet[i] = declare(WALLET, i + 1, 2, NULL);
	for (unsigned i = 0; i < TURNS; i++) {
		fill(chatty);
		for (unsigned j = 0; j < QUIET; j++)
			say(quiet[j], "info a\n");
		cr_assert_eq(turn(0), QUIET + 1);
		for (unsigned j = 0; j < QUIET; j++) {
			char name[32];
			snprintf(name, sizeof name, "node%u/wallet.log", j + 1);
			cr_assert_eq(room_lines(&room, name), i + 1);
		}
	}
	close(chatty);
	for (unsigned i = 0; i < QUIET; i++)
		close(quiet[i]);
	end();
}

/* More that chatter than fit in a turn: whoever speaks is heard before anybody else's third turn. */
Test(pipes, a_crowd_that_chatters_holds_up_nobody)
{
	begin();
	enum { CROWD = 3 * PIPES_TURN };
	static int crowd[CROWD];
	for (unsigned i = 0; i < CROWD; i++)
		crowd[i] = declare(STORE, i + 1, 1, NULL);
	int quiet = declare(WALLET, 1, 2, NULL);
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned j = 0; j < CROWD; j++)
			fill(crowd[j]);
		turn(0);
	}
	say(quiet, "info a\n");
	unsigned turns = 0;
	for (; !room_has(&room, "node1/wallet.log") && turns < 100; turns++) {
		for (unsigned j = 0; j < CROWD; j++)
			fill(crowd[j]);
		cr_assert_eq(turn(0), PIPES_TURN);
	}
	cr_assert_leq(turns, CROWD / PIPES_TURN + 1);
	for (unsigned i = 0; i < CROWD; i++)
		close(crowd[i]);
	close(quiet);
	end();
}

/* Two bytes a line become eighty: more than one batch. */
Test(pipes, the_shortest_lines)
{
	begin();
	enum { LINES = PIPE_QUANTUM / 2 };
	int store = declare(STORE, 1, 1, NULL);
	char bytes[PIPE_QUANTUM];
	for (int i = 0; i < LINES; i++)
		memcpy(bytes + 2 * (size_t)i, "\x01\n", 2);
	cr_assert_eq(write(store, bytes, sizeof bytes), (ssize_t)sizeof bytes);
	cr_assert_eq(turn(0), 1);
	cr_assert_eq(room_lines(&room, "node1/store.log"), LINES);
	cr_assert_eq(files.lines, LINES);
	close(store);
	end();
}

/* One file that cannot be written costs only its own lines. */
Test(pipes, trouble_of_one_is_not_of_another)
{
	begin();
	cr_assert_eq(symlinkat("/nowhere", room.folder, "node1"), 0);
	int first = declare(STORE, 1, 1, NULL), second = declare(STORE, 2, 2, NULL);
	say(first, "info a\ninfo b\n");
	say(second, "info a\n");
	turn(0);
	cr_assert_eq(room_lines(&room, "node2/store.log"), 1);
	cr_assert_eq(files.dropped, 2);
	cr_assert_eq(unlinkat(room.folder, "node1", 0), 0);
	struct moment later = at(FILE_RETRY_MS);
	pipes_tick(pipes, &later);
	cr_assert_eq(room_lines(&room, "node1/store.log"), 1);
	close(first), close(second);
	end();
}

/* The end: whatever is left is read, half lines too. */
Test(pipes, last_words)
{
	begin();
	int store = declare(STORE, 1, 1, NULL);
	say(store, "info a\ninfo b");
	struct moment now = at(0);
	while (turn(0) > 0)
		continue;
	pipes_flush(pipes, &now);
	cr_assert_eq(room_lines(&room, "node1/store.log"), 2);
	say(store, "info c\n");
	pipes_close(&pipes, &now);
	cr_assert_eq(room_lines(&room, "node1/store.log"), 3);
	pipes = pipes_open(&files);
	close(store);
	end();
}
