/* The fork of one process: its descriptors in their places, the gate, the jail, the program. What proto/birth.h promises a
 * process about its descriptors is kept here. */
#ifndef WARREN_SUPERVISOR_BIRTH_H
#define WARREN_SUPERVISOR_BIRTH_H

#include "proto/birth.h"
#include "supervisor/jail.h"

enum { BIRTH_GIVES = 10 }; /* bits of `opens` in proto/birth.h */

struct birth_plan {
	const struct actor_row *row;
	bool init;             /* "warren-<kind> --init" */
	int in, out, log;      /* 0, 1 and FD_LOG */
	int life;              /* FD_LIFE */
	int record;            /* FD_BIRTH */
	int extra;             /* with init: FD_FIRST; -1: none */
	int gives[BIRTH_GIVES]; /* by bit of row->opens; -1 where there is none */
	struct jail jail;
};

struct newborn {
	pid_t pid;
	int pidfd;
	int gate;   /* write one byte and it goes on; close it and it ends */
	int report; /* birth_report records, then end of file once the program has begun */
};

/* What a child says about its own birth. */
struct birth_report {
	uint32_t step;   /* JAIL_NONE: the jail is built, with what follows; else what failed */
	int32_t error;   /* errno */
	uint32_t missing;
};

/* All descriptors of the caller are close-on-exec. False and errno when there is no process; then nothing is left open. */
bool birth_fork(const struct birth_plan *plan, struct newborn *newborn);

/* In a child: every signal as the kernel has it, none blocked. */
void birth_signals(void);

#endif
