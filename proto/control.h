/* Supervisor and steward, over FD_CONTROL: what an operator may want of the declared topology, and nothing else. Fixed
 * structs, one a datagram, host order: the supervisor parses no text and no msgpack. It checks authority and target again
 * and logs every change with who asked. */
#ifndef WARREN_PROTO_CONTROL_H
#define WARREN_PROTO_CONTROL_H

#include "proto/alerts.h"
#include "proto/reasons.h"
#include "proto/roster.h"

#include <stdint.h>

enum control_verb {
	CONTROL_STATUS = 1, /* READER; answered by rows: machine, nodes, processes; then CONTROL_DONE */
	CONTROL_START,      /* OPERATOR, these five; one CONTROL_DONE */
	CONTROL_STOP,
	CONTROL_RESTART,
	CONTROL_DRAIN,  /* done when it has begun; `amount` ms at most. `why` says so when it had begun already */
	CONTROL_RELOAD, /* read the configuration again */
	CONTROL_INFO,   /* READER, these six; rows, then CONTROL_DONE: one CONTROL_CAPACITY */
	CONTROL_VERIFY, /* a CONTROL_HOLDING for each node, or for one */
	CONTROL_ALLOCATE, /* `amount` MiB: one CONTROL_CAPACITY, with the reason in CONTROL_DONE when it may not be */
	CONTROL_DRAINS, /* a CONTROL_DRAINING for each node that drains or was drained */
	CONTROL_REASONS, /* a CONTROL_REASON for each that the supervisor and the broker hold, newest first */
	CONTROL_LIMITS,  /* a CONTROL_LIMIT for each bound of the supervisor and the broker */
	CONTROL_VERBS
};

struct control_ask {
	uint32_t serial; /* chosen by the steward, comes back in every row of the answer */
	uint8_t verb;
	uint8_t kind; /* 0: the whole node */
	uint16_t node;
	uint32_t uid;      /* who asked, as the kernel told the broker */
	uint8_t authority; /* READER or OPERATOR */
	uint8_t padding[3];
	uint32_t amount; /* 0 for a verb that has none */
};

/* Carry an alert to the operator's own program (alert_command): verb CONTROL_ALERT, no target. A datagram of its own size; the
 * supervisor writes its JSON, checks program and place, and answers with one CONTROL_DONE when the program has ended. */
enum { CONTROL_ALERT = 32 };
struct control_alert {
	struct control_ask ask;
	struct alert_news news;
};

enum control_row_type {
	CONTROL_MACHINE = 1, CONTROL_NODE, CONTROL_PROCESS, CONTROL_BROKER, CONTROL_DONE,
	CONTROL_CAPACITY, CONTROL_HOLDING, CONTROL_DRAINING, CONTROL_REASON, CONTROL_LIMIT,
};

/* Where a declared process stands. The name is what the console prints. */
#define PROCESS_STATES(S)                                                                                    \
	S(WAITING, "waiting") /* for the broker to know it, or for its turn */                               \
	S(STARTING, "starting") S(READY, "ready") S(BACKOFF, "back-off") /* died; starts again later */      \
	S(PARKED, "parked") /* its node died too often */ S(MISCONFIGURED, "misconfigured") /* exit 78 */    \
	S(STOPPING, "stopping") S(STOPPED, "stopped") S(STUCK, "stuck") /* killed, and still there: D state */ \
	S(LOCKED, "locked") /* its keys are sealed; warrend unlock */

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
	uint8_t id_changed; /* this host is not the one its nodes were made on */
	uint64_t disk, disk_free; /* bytes of the file system below ROOT; free for who is not root */
};

struct control_node {
	uint16_t node;
	uint8_t parked, draining;
	char tier[17];
	uint16_t port;
	uint32_t quota_mb;
	uint16_t refused; /* beats of its wallet in which the policy refused something; goes round */
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
	uint16_t why;      /* enum reason_code: what it said when it ended; 0: nothing, or it is ready */
};

struct control_broker { /* proto/roster.h, handed on */
	uint32_t open, open_high, open_limit, peers, people;
	uint64_t routed, denied, busy, late, gone, dropped;
	struct roster_accused accused;
};

struct control_capacity { /* supervisor/capacity.h; bytes */
	uint64_t total, free, reserved, promised, share, keep, available, memory;
	uint32_t cores, nodes, nodes_most;
	char disk_rule[24], nodes_rule[24], recommended[17];
	uint8_t id[32], id_known, id_changed;
	uint8_t may; /* ALLOCATE: it may be promised */
};

struct control_holding { /* MiB; the arena file of a node's store */
	uint16_t node;
	uint8_t valid;
	uint64_t claimed, actual;
};

struct control_draining {
	uint16_t node;
	uint8_t over; /* nothing is waited for any more; what is left is stopping or stopped */
	uint8_t cut;  /* because its time was up */
	uint64_t since_ms, left_ms;
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
		struct control_capacity capacity;
		struct control_holding holding;
		struct control_draining draining;
		struct reason reason;
		struct roster_limit limit;
		char why[240]; /* CONTROL_DONE: a sentence when error is not ERR_OK */
	};
};

#endif
