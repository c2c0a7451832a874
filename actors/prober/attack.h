/* What a burglar inside a jail tries (attacks.def). Each attempt is one function; it reports whether it got through. Attempts
 * run in a child that is jailed and sealed exactly as the process whose place the prober took. What gets through does no harm:
 * it opens and does not write, sets what is set already, or takes back what it did. */
#ifndef WARREN_ATTACK_H
#define WARREN_ATTACK_H

#include "proto/actors.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { VICTIMS_MAX = 256 };

/* The host's, made by the selftest for the attacks to aim at. */
#define SELFTEST_SOCKET   "/run/warren-selftest.sock" /* listens, mode 0666: any service of the host */
#define SELFTEST_ABSTRACT "warren-selftest"           /* the same, as an abstract name */
#define SELFTEST_SIGN     "selftest"                  /* a symlink in ROOT/run; its text is the order to begin (target_read) */
enum { SELFTEST_SEGMENT = 0x57727374 };               /* key of a shared memory segment, mode 0666 */

struct target {
	const char *root;   /* of the machine under attack */
	const char *run;    /* the sockets, as the attacker sees them */
	const char *self;   /* its own folder */
	unsigned node;      /* the attacker's own; 0: of the machine */
	bool wallet, store, scribe; /* the attacker is that kind: its own folder is no booty */
	unsigned files, memory_mib; /* its row's limits */
	unsigned surplus;   /* descriptors that it was born with beyond those */
	int port;           /* a TCP port on 127.0.0.1 of the host that somebody listens on */
	int pipe[2];        /* a pipe of the attacker's own */
	int memory_file;    /* an empty file in memory, executable */
	bool outside;       /* this is the control */
	bool meant;         /* the sign names this process, or none */
	pid_t victims[VICTIMS_MAX]; /* other processes of that machine, and no others */
	size_t victim_count;
	const void *page; /* of the attacker's parent: a page of secret memory (an ordinary one in the control) */
	pid_t parent;
};

/* Reads "port pid pid …" from the sign in the folder `run`. False while there is none. `ourselves` is no victim. A sign
 * without pids is for whoever reads it. */
bool target_read(struct target *target, pid_t ourselves);

/* Renames it and back; true when it could. */
bool target_moves(const char *path);

struct attempt {
	unsigned row; /* of the matrix */
	const char *symbol, *walls, *name;
	uint32_t except; /* bits of kinds that may */
	bool (*try)(const struct target *target); /* true: it got through. errno says why not */
};
#define OF(KIND) (UINT32_C(1) << (KIND))

extern const struct attempt attempts[]; /* end: name NULL */
enum {
#define ATTACK(row, symbol, except, walls, name) ATTEMPT_##symbol,
#define BUS(row, symbol, walls, name)
#define OPEN(row, what, why)
#include "actors/prober/attacks.def"
#undef ATTACK
#undef BUS
#undef OPEN
	ATTEMPTS
};

#define ATTACK(row, symbol, except, walls, name) bool attack_##symbol(const struct target *target);
#define BUS(row, symbol, walls, name)
#define OPEN(row, what, why)
#include "actors/prober/attacks.def"
#undef ATTACK
#undef BUS
#undef OPEN

#endif
