/* The log pipes: taken over from the supervisor (proto/logs.h), read in turn, their lines given to the files.
 * However much one process writes, a turn takes at most PIPE_QUANTUM bytes of it and then goes on to the
 * next; what it cannot get rid of waits in its own pipe, and its own log.c drops and counts. */
#ifndef WARREN_SCRIBE_PIPES_H
#define WARREN_SCRIBE_PIPES_H

#include "actors/scribe/file.h"

enum {
	PIPES_MAX = 3000, /* processes of a machine: 512 nodes of five, and the machine's own, leave room */
	PIPES_TURN = 64,  /* pipes read in one turn */
	PIPE_QUANTUM = 4096, /* bytes read from one pipe in one turn */
	PIPES_ENTRIES = 64,  /* datagrams taken from the supervisor in one turn */
	PIPE_REST = 256,     /* quanta read of a pipe whose process is dead: the most a pipe holds, 1 MiB */
	PIPE_IDLE_MS = 2000, /* half a line that is not continued for so long becomes a line */
};

struct pipes;

struct pipes_counts {
	uint64_t open, high; /* pipes now, and the most so far */
	uint64_t refused;    /* pipes that did not fit, or datagrams that were not as proto/logs.h says */
	uint64_t cut;        /* lines longer than LOG_LINE_MAX */
};

/* `files` stays the caller's and outlives it. NULL and errno when there is no epoll descriptor. */
struct pipes *pipes_open(struct files *files);

/* Reads what is left in every pipe, at most PIPES_MAX full ones, and closes them all. */
void pipes_close(struct pipes **pipes, const struct moment *now);

/* Readable when a pipe has something: for the loop. */
int pipes_fd(const struct pipes *pipes);

const struct pipes_counts *pipes_counts(const struct pipes *pipes);

/* Takes at most PIPES_ENTRIES datagrams from `fd`, which need not be non-blocking. False when its other end
 * is closed. */
bool pipes_receive(struct pipes *pipes, int fd, const struct moment *now);

/* Reads at most PIPES_TURN pipes. Returns how many were ready. */
unsigned pipes_turn(struct pipes *pipes, const struct moment *now);

/* Each second. */
void pipes_tick(struct pipes *pipes, const struct moment *now);

/* Half lines become lines: the end is near. */
void pipes_flush(struct pipes *pipes, const struct moment *now);

#endif
