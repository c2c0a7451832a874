/* What a burglar inside a jail tries (RELIABILITY.md C2, rows 1 to 10). Each attempt is one function; it reports whether it got
 * through. Attempts run in a child that is jailed and sealed exactly as the process whose place the prober took. */
#ifndef WARREN_ATTACK_H
#define WARREN_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { VICTIMS_MAX = 256 };

struct target {
	const char *root;   /* of the machine under attack */
	const char *run;    /* the sockets, as the attacker sees them */
	unsigned node;      /* the attacker's own; 0: of the machine */
	bool wallet, store; /* the attacker is that kind: its own folder is no booty */
	pid_t victims[VICTIMS_MAX]; /* other processes that are there */
	size_t victim_count;
	const void *page; /* of the attacker's parent: a page of secret memory (an ordinary one in the control) */
	pid_t parent;
};

struct attempt {
	unsigned row; /* of the matrix */
	const char *name;
	bool (*try)(const struct target *target); /* true: it got through. errno says why not */
};

extern const struct attempt file_attempts[], memory_attempts[], signal_attempts[], socket_attempts[]; /* end: name NULL */

#endif
