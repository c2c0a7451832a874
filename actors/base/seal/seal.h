/* The seal: once everything is open, a process gives up what it will not need again. Each half returns what became of it. */
#ifndef WARREN_SEAL_H
#define WARREN_SEAL_H

#include <stdbool.h>
#include <stdint.h>

enum sealed {
	SEALED,
	SEAL_ABSENT, /* this kernel has no such wall, or `pretend` was true: go on, and say so */
	SEAL_FAILED, /* it is there and could not be closed: do not go on */
};

/* Landlock: `folder` whole but for execution, and no other file. Counts for the calling thread and for those it starts later: to
 * be called before the first one. NULL: no folder at all. */
enum sealed seal_files(const char *folder, bool pretend);

/* Landlock's ports (from 6.7): no TCP but connecting to `dials` (ports; NULL or all 0: none). Counts as seal_files() does. */
enum { SEAL_DIALS = 4 };
enum sealed seal_ports(const uint16_t dials[SEAL_DIALS], bool pretend);

/* Landlock's scopes (from 6.12): no signal to, and no abstract socket of, anybody outside. Counts as seal_files() does. */
enum sealed seal_scopes(bool pretend);

/* seccomp, for all threads. Allows what the loop, malloc and libzmq need, and `more` (names separated by spaces: the
 * column of actors.def; among them "tcp-client", which stands for
 * what it takes to connect to a TCP port); kills for what only a burglar asks; answers ENOSYS to all else, counted. */
enum sealed seal_syscalls(const char *more, bool pretend);

/* seccomp of a foreign program that the caller is about to become by execveat(program, "", …, AT_EMPTY_PATH): no process, no
 * dialling, no socket but streams, nothing that only a burglar asks. */
enum sealed seal_foreign(int program, bool pretend);

/* How many calls were answered ENOSYS so far; the number of the last one in *last (may be NULL). */
uint64_t seal_strange(int *last);

#endif
