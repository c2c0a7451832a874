/* What is handed over to scribe, right and wrong, little and much. */
#include "handing.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(taken, .fini = leave);

/* Nothing that is not as proto/logs.h says is taken, and not one descriptor of it stays open. */
Test(taken, descriptors_that_were_not_asked_for)
{
	begin();
	int fds[64];
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	for (int i = 2; i < 64; i++)
		fds[i] = fds[0];
	struct logs_entry good = {LOGS_PIPE, STORE, 1, 7};
	struct logs_entry bad[] = {{LOGS_PIPE, 0, 1, 7},
				   {LOGS_PIPE, STORE, 0, 7},
				   {LOGS_PIPE, STORE, NODES_MAX + 1, 7},
				   {LOGS_PIPE, BROKER, 1, 7},
				   {LOGS_PIPE, OPERATOR, 0, 7},
				   {LOGS_PIPE, 255, 1, 7},
				   {LOGS_BORN, STORE, 1, 7},
				   {LOGS_END, STORE, 1, 7},
				   {0, STORE, 1, 7},
				   {LOGS_PIPE, STORE, 65535, 7}};
	unsigned before = open_descriptors();
	uint64_t refused = 0;
	struct moment now = at(0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		hand(&bad[i], sizeof bad[i], fds, 1);
		cr_assert(pipes_receive(pipes, ours, &now));
		cr_assert_eq(pipes_counts(pipes)->refused, ++refused, "%zu", i);
	}
	static const unsigned counts[] = {0, 2, 8, 9, 64};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		hand(&good, sizeof good, fds, counts[i]);
		cr_assert(pipes_receive(pipes, ours, &now));
		cr_assert_eq(pipes_counts(pipes)->refused, ++refused, "%u descriptors", counts[i]);
	}
	char longer[sizeof good + 1] = {0};
	memcpy(longer, &good, sizeof good);
	hand(longer, sizeof longer, fds, 1);
	hand(longer, sizeof good - 1, fds, 1);
	cr_assert(pipes_receive(pipes, ours, &now));
	cr_assert_eq(pipes_counts(pipes)->refused, refused + 2);
	int file = openat(room.folder, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	hand(&good, sizeof good, &file, 1);
	cr_assert(pipes_receive(pipes, ours, &now));
	close(file);
	cr_assert_eq(pipes_counts(pipes)->refused, refused + 3, "a file is no pipe");
	cr_assert_eq(pipes_counts(pipes)->open, 0);
	cr_assert_eq(open_descriptors(), before);
	hand(&good, sizeof good, fds, 1);
	cr_assert(pipes_receive(pipes, ours, &now));
	cr_assert_eq(pipes_counts(pipes)->open, 1, "and after all that, a good one");
	close(fds[0]), close(fds[1]);
	end();
}

/* The same about a process that is known: it goes on as before. */
Test(taken, a_known_one_is_not_disturbed)
{
	begin();
	int store = declare(STORE, 1, 7, NULL);
	unsigned before = open_descriptors();
	struct logs_entry pipe_without = {LOGS_PIPE, STORE, 1, 8}, born_with = {LOGS_BORN, STORE, 1, 9};
	struct moment now = at(0);
	hand(&pipe_without, sizeof pipe_without, NULL, 0);
	hand(&born_with, sizeof born_with, &store, 1);
	cr_assert(pipes_receive(pipes, ours, &now));
	cr_assert_eq(pipes_counts(pipes)->refused, 2);
	cr_assert_eq(open_descriptors(), before);
	say(store, "info a\n");
	turn(0);
	assert_file("node1/store.log", TIME "info store@1[7] a\n");
	close(store);
	end();
}

/* No number is left for a descriptor: the datagram comes without it, and is not taken for one that never had
 * it. */
Test(taken, no_room_for_a_descriptor)
{
	begin();
	int store = declare(STORE, 1, 7, NULL), fds[2], spare;
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	struct rlimit limit, old;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	spare = dup(0);
	close(spare);
	limit.rlim_cur = (rlim_t)spare;
	struct logs_entry another = {LOGS_PIPE, STORE, 2, 8}, born_with = {LOGS_BORN, STORE, 1, 9};
	struct moment now = at(0);
	hand(&another, sizeof another, fds, 1);
	hand(&born_with, sizeof born_with, fds, 1);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert(pipes_receive(pipes, ours, &now));
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	cr_assert_eq(pipes_counts(pipes)->refused, 2);
	say(store, "info a\n");
	turn(0);
	assert_file("node1/store.log", TIME "info store@1[7] a\n");
	tell(LOGS_PIPE, STORE, 2, 8, fds[0]);
	cr_assert_eq(pipes_counts(pipes)->open, 2);
	close(store), close(fds[0]), close(fds[1]);
	end();
}

/* Places are used again, however often. */
Test(taken, coming_and_going)
{
	begin();
	int fds[2];
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	unsigned before = open_descriptors();
	for (unsigned i = 0; i < PIPES_MAX + 100; i++) {
		tell(LOGS_PIPE, STORE, 1 + i % 7, i, fds[0]);
		if (i >= 3)
			tell(LOGS_END, STORE, 1 + (i - 3) % 7, 0, -1);
	}
	cr_assert_eq(pipes_counts(pipes)->refused, 0);
	cr_assert_eq(pipes_counts(pipes)->open, 3);
	cr_assert_eq(pipes_counts(pipes)->high, 4);
	cr_assert_eq(open_descriptors(), before + 3);
	close(fds[0]), close(fds[1]);
	end();
}

/* Words about processes that nobody handed over. */
Test(taken, words_about_strangers)
{
	begin();
	tell(LOGS_BORN, STORE, 1, 7, -1);
	tell(LOGS_END, STORE, 1, 7, -1);
	cr_assert_eq(pipes_counts(pipes)->refused, 2);
	end();
}

/* A flood of datagrams is taken in turns. */
Test(taken, a_flood_of_words)
{
	begin();
	struct moment now = at(0);
	struct logs_entry entry = {LOGS_BORN, STORE, 1, 7};
	for (int i = 0; i < PIPES_ENTRIES + 10; i++)
		hand(&entry, sizeof entry, NULL, 0);
	cr_assert(pipes_receive(pipes, ours, &now));
	cr_assert_eq(pipes_counts(pipes)->refused, PIPES_ENTRIES);
	cr_assert(pipes_receive(pipes, ours, &now));
	cr_assert_eq(pipes_counts(pipes)->refused, PIPES_ENTRIES + 10);
	end();
}

/* Every process that a machine of NODES_MAX nodes may have today. */
Test(taken, the_largest_machine)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	begin();
	unsigned before = open_descriptors(), declared = 0;
	int write_end = -1, fds[2];
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	write_end = fds[1];
	for (unsigned kind = 0; kind < KINDS; kind++) {
		const struct actor_row *row = actor_row(kind);
		if (kind && !row)
			continue;
		bool of_node = row && row->scope == PER_NODE;
		for (unsigned node = of_node; node <= (of_node ? NODES_MAX : 0); node++, declared++)
			tell(LOGS_PIPE, kind, node, 7, fds[0]);
	}
	cr_assert_eq(pipes_counts(pipes)->refused, 0);
	cr_assert_eq(pipes_counts(pipes)->open, declared);
	cr_assert_eq(pipes_counts(pipes)->high, declared);
	cr_assert_leq(declared, PIPES_MAX);
	for (unsigned node = 1; node <= NODES_MAX; node++)
		tell(LOGS_END, STORE, node, 0, -1);
	cr_assert_eq(pipes_counts(pipes)->open, declared - NODES_MAX);
	struct moment now = at(0);
	pipes_close(&pipes, &now);
	pipes = pipes_open(&files);
	close(fds[0]), close(write_end);
	cr_assert_eq(open_descriptors(), before);
	end();
}

Test(taken, the_supervisor_is_dead)
{
	begin();
	struct moment now = at(0);
	cr_assert(pipes_receive(pipes, ours, &now), "silence is not death");
	close(theirs);
	cr_assert_not(pipes_receive(pipes, ours, &now));
	theirs = -1;
	end();
}
