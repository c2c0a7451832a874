/* Supervisor and steward, over FD_CONTROL: what an operator may want of the declared topology, and nothing else. Fixed
 * structs, one a datagram, host order: the supervisor parses no text and no msgpack. It checks authority and target again
 * and logs every change with who asked. */
#ifndef WARREN_PROTO_CONTROL_H
#define WARREN_PROTO_CONTROL_H

#include "proto/reasons.h"
#include "proto/roster.h"

#include <stdint.h>

enum control_verb {
	CONTROL_STATUS = 1, /* READER; answered by rows: machine, nodes, processes; then CONTROL_DONE */
	CONTROL_START,      /* OPERATOR, these five; one CONTROL_DONE */
	CONTROL_STOP,
	CONTROL_RESTART,
	CONTROL_DRAIN,
	CONTROL_RELOAD, /* read the configuration again */
	CONTROL_REASONS, /* READER; answered by rows: what the supervisor and the broker decided, newest first */
	CONTROL_LIMITS,  /* READER; answered by rows: the bounds of the supervisor and the broker */
};

struct control_ask {
	uint32_t serial; /* chosen by the steward, comes back in every row of the answer */
	uint8_t verb;
	uint8_t kind; /* 0: the whole node */
	uint16_t node;
	uint32_t uid;      /* who asked, as the kernel told the broker */
	uint8_t authority; /* READER or OPERATOR */
	uint8_t padding[3];
};

enum control_row_type {
	CONTROL_MACHINE = 1,
	CONTROL_NODE,
	CONTROL_PROCESS,
	CONTROL_BROKER,
	CONTROL_DONE,
	CONTROL_REASON,
	CONTROL_LIMIT,
};

/* Where a declared process stands. The name is what the console prints. */
#define PROCESS_STATES(S)                                                                                    \
	S(WAITING, "waiting") /* for the broker to know it, or for its turn */                               \
	S(STARTING, "starting") S(READY, "ready") S(BACKOFF, "back-off") /* died; starts again later */      \
	S(PARKED, "parked") /* its node died too often */ S(MISCONFIGURED, "misconfigured") /* exit 78 */    \
	S(STOPPING, "stopping") S(STOPPED, "stopped") S(STUCK, "stuck") /* killed, and still there: D state */

enum process_state {
#define S(SYMBOL, name) PROCESS_##SYMBOL,
	PROCESS_STATES(S)
#undef S
		PROCESS_STATE_COUNT
};

struct control_machine {
	char name[33];
	uint32_t nodes, processes;
	uint32_t missing; /* WALL_ bits that could not be built */
	uint64_t uptime_ms;
	uint32_t pid, uid_base;
	uint8_t root; /* runs as root */
};

struct control_node {
	uint16_t node;
	uint8_t parked, draining;
	char tier[17];
	uint16_t port;
	uint32_t quota_mb;
};

struct control_process {
	uint8_t kind, state;
	uint16_t node;
	uint32_t pid, uid; /* pid 0: not running */
	uint32_t restarts; /* since the supervisor began */
	int32_t last_end;  /* exit code, or minus the signal, or 0 */
	uint32_t missing;  /* WALL_ bits */
	uint64_t pss_kib;  /* 0 where the kernel would not say */
	uint64_t up_ms;    /* since it was ready */
	uint64_t next_ms;  /* until its next start, in BACKOFF */
};

struct control_broker { /* proto/roster.h, handed on */
	uint32_t open, open_high, open_limit, peers, people;
	uint64_t routed, denied, busy, late, gone, dropped;
};

struct control_row {
	uint32_t serial;
	uint8_t type;
	uint8_t padding;
	uint16_t error; /* enum err, in CONTROL_DONE */
	union {
		struct control_machine machine;
		struct control_node node;
		struct control_process process;
		struct control_broker broker;
		struct reason reason;
		struct roster_limit limit;
		char why[120]; /* CONTROL_DONE: a sentence when error is not ERR_OK */
	};
};

#endif
