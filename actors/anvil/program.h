/* The foreign program itself: how it is started. Plain C, in the keeper. */
#ifndef WARREN_ANVIL_PROGRAM_H
#define WARREN_ANVIL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct program {
	int fd;             /* anvil, opened by the supervisor */
	const char *folder; /* the keeper's own: state and socket */
	const char *host;
	uint16_t port;
	uint64_t chain;
	bool state;         /* there is one to begin with */
	bool pretend;       /* without seccomp: a test */
};

#define PROGRAM_SOCKET "ipc"

/* Its pid, or -1. It dies with whoever called this. */
pid_t program_start(const struct program *program);

/* Ends it at once, and waits for that. */
void program_end(pid_t *pid);

bool program_ended(pid_t pid, int *how); /* without waiting; *how: exit code, or minus the signal */

#endif
