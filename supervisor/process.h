/* One declared process, from before its first birth to after its last death. */
#ifndef WARREN_SUPERVISOR_PROCESS_H
#define WARREN_SUPERVISOR_PROCESS_H

#include "proto/actors.h"
#include "proto/control.h"
#include "proto/roster.h"
#include "supervisor/restart.h"

#include <sys/types.h>

enum {
	START_SILENCE_MS = 30000, /* before it is ready: opening files and an index takes its time */
	KILL_PATIENCE_MS = 5000,  /* killed, and still there after this: stuck in the kernel */
	STOP_GRACE_MS = 5000,     /* from SIGTERM to SIGKILL */
	DRAIN_CUT_MS = 1000,      /* the same for a node whose drain took too long: what runs is cut */
	BURY_WAIT_MS = 1000,      /* for the broker to know of a death, before the pid may be anybody's */
	BIRTHS_AT_ONCE = 16,      /* between fork and exec */
};

struct supervisor;

struct process {
	struct supervisor *supervisor;
	const struct actor_row *row;
	uint16_t node;
	bool declared; /* the configuration has it; else it goes when it is dead */
	bool wanted;   /* it should run */
	bool ending;   /* it was asked to end, to stay away or to come again */
	enum process_state state;

	/* of the present birth; pid 0 when there is none */
	pid_t pid;
	int pidfd, gate, report, record, life;
	uint32_t uid;
	uint64_t birth;
	uint8_t routing[16];
	uint32_t missing;                /* WALL_ bits */
	bool built, termed, killed, dead; /* jail built, SIGTERM sent, SIGKILL sent, a zombie */
	bool closed, drained; /* SIGUSR1 sent: it takes nothing new on; it said that all has ended */
	uint64_t born_ms, beat_ms, ready_ms, termed_ms, killed_ms, died_ms; /* ready_ms 0: not yet */

	/* over all births */
	int log_read, log_write; /* its log pipe */
	int listener;            /* of its row: FD_STREAM or FD_HTTP; -1: not open */
	uint16_t port;           /* that `listener` is bound to */
	uint32_t restarts;
	int32_t last_end;
	uint16_t words; /* enum reason_code of its last words; 0: none since it was ready */
	uint64_t next_ms; /* in BACKOFF */
	struct streak streak;
	uint64_t pss_kib;

	/* what the broker and scribe were told (roster.c, logs.c) */
	struct roster_entry told; /* verb 0: the broker knows of none */
	uint32_t told_serial;     /* of the newest entry about it */
	bool log_told;            /* scribe has the pipe */
	bool journal_told;        /* and the stream into the journal, where there is one */
	pid_t log_pid;            /* the pid scribe puts before its lines */
};

const char *process_state_name(unsigned state);

#endif
