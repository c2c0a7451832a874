/* The selftest: a scratch machine, probers in it, and what they say. scratch.c builds, starts and stops the machine; host.c is
 * what the attacks aim at outside of it; readings.c reads the probers' logs; control.c attacks from outside; matrix.c takes walls
 * down, alone.c leaves one standing. */
#ifndef WARREN_SELFTEST_H
#define WARREN_SELFTEST_H

#include "proto/actors.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A fixed place, as an attacker would know one. */
#define SELFTEST_ROOT       "/var/lib/warren-selftest"
#define SELFTEST_OUTSIDE    "outside"          /* below it: the control's own folder */
#define SELFTEST_LOG        "probe.log"        /* in scribe's folder, when the prober took scribe's place */
#define SELFTEST_BROKER_LOG "probe-broker.log" /* likewise, when it took the broker's, too */

enum {
	SELFTEST_USER = 699999, /* below the uids of machines: whoever owns the scratch machine that runs without root */
	ROWS_MOST = 128, OUTCOME = 16, CHILDREN_MOST = 64,
};

/* attacks.def, as the selftest sees it. */
struct attack_row {
	unsigned row;
	const char *symbol, *walls, *name;
	uint32_t except; /* bits of kinds that do not try it */
	bool bus;
};
extern const struct attack_row attack_rows[]; /* end: name NULL */
unsigned attack_row_count(void);
struct open_row {
	unsigned row;
	const char *what, *why;
};
extern const struct open_row open_rows[]; /* end: what NULL */

/* Which kinds are probers at the same time: while the broker or scribe is one, the others could not report. */
/* Not a foreign row's: what a program of others can do is tried in its own place (tests/tools/foreign.c). */
static inline bool kind_is_probed(unsigned kind)
{
	return actor_row(kind) && kind != ANVIL;
}

enum phase { PHASE_OTHERS, PHASE_BROKER, PHASES };
bool in_phase(enum phase phase, enum kind kind);

/* What one kind's prober said. */
struct reading {
	char outcome[ROWS_MOST][OUTCOME]; /* by index of attack_rows; empty: not tried */
	unsigned forbidden, allowed, victims;
	uint32_t missing; /* WALL_ bits */
	bool welcomed;
	bool told, done; /* all but the last attempt; all */
};

struct selftest {
	char bin[256]; /* where the programs are */
	bool verbose, user; /* user: the machine is to run as SELFTEST_USER */
	uint32_t without;   /* WALL_ bits to take down */
	pid_t supervisor;
	pid_t children[CHILDREN_MOST];
	size_t child_count;
	struct reading kinds[KINDS];
	char control[ROWS_MOST][OUTCOME];
	int listeners[3], segment, port;
};

/* scratch.c. Each false after saying why. */
bool scratch_build(struct selftest *self);
bool scratch_start(struct selftest *self, enum phase phase); /* until every process is there */
void scratch_stop(struct selftest *self);
void scratch_remove(void);
pid_t scratch_run_program(const struct selftest *self, int out, const char *const *argv);

/* host.c */
bool host_open(struct selftest *self);
void host_close(struct selftest *self);
bool host_sign(const struct selftest *self); /* the order to begin, with whom to attack */

/* readings.c */
void log_path(const struct actor_row *row, char path[256]);
void readings_clear(struct selftest *self, enum phase phase);
bool readings_take(struct selftest *self, enum phase phase); /* true once all of them are done */
unsigned row_index(const char *symbol); /* ROWS_MOST: none */

/* forged.c: all the forged lines are in its log, under its own name. */
bool forged_lines_held(const struct actor_row *row);

/* What an attempt came to: it was stopped; or it got through, and then whether some wall that could have stopped it is there. */
enum verdict { NOT_TRIED, STOPPED, GOT_THROUGH, NO_WALL };
enum verdict verdict_of(const struct reading *reading, unsigned row);

/* control.c: fills self->control; prints and returns whether all got through. */
bool control_run(struct selftest *self);

/* matrix.c: every wall down in turn. `whole`: from every kind's place; else not from the broker's and scribe's. Prints the cells
 * that one wall alone holds, as SECURITY.md has them. */
bool matrix_run(struct selftest *self, bool whole, bool cells);
/* features.c: one line. */
void features_print(uint32_t missing);

/* alone.c: every wall left standing alone; whether attacks.def is right. */
bool alone_run(struct selftest *self);

bool probe(struct selftest *self, unsigned phases, bool control); /* bits of phases; selftest.c */

#endif
