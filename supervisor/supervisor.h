/* The supervisor as a whole: what its files share. One thread, one loop, no waiting. */
#ifndef WARREN_SUPERVISOR_SUPERVISOR_H
#define WARREN_SUPERVISOR_SUPERVISOR_H

#include "actors/base/reasons/reasons.h"
#include "proto/birth.h"
#include "proto/err.h"
#include "supervisor/config.h"
#include "supervisor/limits.h"
#include "supervisor/loop.h"
#include "supervisor/machine.h"
#include "supervisor/process.h"
#include "supervisor/passphrase.h"

struct draining { /* of a node; drain.c */
	bool over; /* nothing is waited for: its processes are asked to end */
	bool cut;  /* because the time was up */
	uint64_t since_ms, until_ms;
};

struct node { /* by number; declared or not */
	bool declared, parked, draining; /* draining: also when it was drained, until it is started */
	struct draining drain;
	bool occupied; /* as the lock says */
	unsigned ending; /* lowest rank of those of it that end (stop.c) */
	struct deaths deaths;
	uint16_t refused; /* beats of its wallet in which the policy refused something */
};

struct roster { /* to the broker; roster.c */
	int fd;                /* -1: no broker */
	bool behind;           /* something is to be told */
	uint32_t sent, acked;  /* serials, from 1 for each broker birth */
	uint64_t moved_ms;     /* when acked last moved, or sent first went past it, or the channel was closed */
	struct roster_counts counts;
	struct roster_limit limits[ROSTER_LIMITS]; /* the broker's bounds, as it told last */
};

struct logs { /* to scribe; logs.c */
	int fd; /* -1: no scribe */
	bool behind;
	bool journal;            /* systemd's gets the lines too */
	int own_read, own_write; /* our own log pipe, kind 0; -1 in the foreground */
	unsigned own_told;       /* of the two datagrams about it */
};

enum { CONTROL_PENDING = 32 };

struct pending { /* a stop or restart whose end somebody waits for */
	struct control_ask ask; /* verb 0: free */
	uint64_t until_ms;
};

enum { MEASURES = 4 };
struct measuring { /* one look at disks, by a child; measure.c */
	pid_t pid; /* 0: none */
	uint64_t until_ms;
};

struct control { /* to the steward; control.c */
	int fd; /* -1: no steward */
	struct measuring measuring[MEASURES];
	bool answering;         /* rows of a STATUS, DRAINS, REASONS or LIMITS are being written, one by one */
	struct control_ask ask; /* it */
	unsigned next;          /* row */
	struct pending pending[CONTROL_PENDING];
	uint64_t pending_count, pending_high, pending_drops;
	struct reason reasons[REASONS_MAX]; /* of the answer that is being written */
	unsigned reason_count;
	struct control_row out[CONTROL_PENDING + 1]; /* DONE rows that did not fit the socket yet */
	unsigned out_count;
};

struct command { /* alert_command, one at a time; command.c */
	pid_t pid; /* 0: none runs */
	int pidfd;
	uint32_t serial;      /* of the ask that waits for its end */
	uint64_t began_ms;    /* of the newest one */
	bool killed;
};

struct unlocking { /* unlock = "ask"; unlocking.c */
	int listener, peer; /* -1: none */
	uint8_t check[CHECK_BYTES];
	struct unlock page; /* what comes in */
	uint32_t length;    /* of it, as the peer said */
	size_t got;         /* bytes, its length with them */
};

enum { DOOR_BUS, DOOR_OPERATE, DOOR_READ, DOORS };

struct supervisor {
	struct machine machine;
	struct unlock unlock; /* empty while locked */
	bool locked;
	struct unlocking unlocking;
	struct config *config;
	struct loop *loop;
	struct limits limits;
	struct process **processes; /* ordered by node, then kind; the machine's own first */
	unsigned count, room;
	struct node nodes[NODES_MAX + 1];
	struct roster roster;
	struct logs logs;
	struct control control;
	struct command command;
	int doors[DOORS];
	int null, signals;
	int occupied;      /* ROOT/machine/nodes: a byte of it is locked for each node with processes */
	bool id_changed;   /* this host is not the one that the nodes were made on */
	bool dirty;    /* something happened that the next turn must look at, now */
	bool reload;   /* SIGHUP, or asked for */
	bool leaving;  /* told to stop: the nodes drain first … */
	bool stopping; /* … then all processes end */
	uint64_t leave_ms; /* when the draining is over at the latest */
	uint64_t said_ms;  /* when the service manager was told last what is waited for */
	uint64_t started_ms, stop_ms, turned_ms, due_ms, fed_ms, watchdog_ms;
	int background;   /* write end of a pipe to `warrend start`; -1: nobody waits, or it was told */
	bool told_ready;  /* READY=1 */
	int told_state;   /* what the service manager was told last */
	unsigned pss_next;
	unsigned ending;       /* as a node's, of the whole machine */
	unsigned births;       /* under way, between fork and exec; counted anew each turn */
	uint64_t births_high;
};

/* -- family.c: who is declared --------------------------------------------------------------------------------------- */

/* Makes the table agree with s->config: new processes appear, those no longer declared are asked to end. False only when a
 * log pipe cannot be made. */
bool family_declare(struct supervisor *s);
void family_free_gone(struct supervisor *s); /* those neither declared nor alive, once scribe knows */
struct process *family_find(struct supervisor *s, enum kind kind, uint16_t node); /* NULL: none */
void family_end(struct supervisor *s);

/* Asks for a start, an end, or both, of whatever matches; kind KIND_NONE is every kind. */
void family_start(struct supervisor *s, enum kind kind, uint16_t node);
void family_stop(struct supervisor *s, enum kind kind, uint16_t node);
void family_restart(struct supervisor *s, enum kind kind, uint16_t node);
void node_park(struct supervisor *s, uint16_t node);

/* -- doors.c: the broker's listeners --------------------------------------------------------------------------------- */

/* Opens it, or opens it again when whoever had it shut it down. Somebody else on its path is waited for, `tries` times a tenth
 * of a second: of a supervisor that was just killed a process may still be dying with it. */
bool door_open(struct supervisor *s, int door, int tries, struct why *why);
void doors_close(struct supervisor *s);

/* -- unlocking.c: the door of the unlock secret ----------------------------------------------------------------------- */

bool unlocking_open(struct supervisor *s, struct why *why); /* nothing to do when nothing is locked */
void unlocking_close(struct supervisor *s);

/* -- begin.c: a birth ------------------------------------------------------------------------------------------------ */

void process_begin(struct supervisor *s, struct process *process);
void process_open_gate(struct supervisor *s, struct process *process);
unsigned births_under_way(const struct supervisor *s);
void dial_ports(const struct supervisor *s, const struct actor_row *row, uint16_t ports[DIALS_MOST]); /* 0: none */

/* -- life.c: from the gate to the zombie ----------------------------------------------------------------------------- */

bool process_watch(struct supervisor *s, struct process *process);
void process_kill(struct supervisor *s, struct process *process, const char *why);
void process_step(struct supervisor *s, struct process *process, uint64_t now);
void process_close_birth(struct supervisor *s, struct process *process); /* every descriptor of the present birth */
void process_fell(struct supervisor *s, struct process *process, bool lived, int exit_code); /* what follows its end */
const char *process_text(const struct process *process, char text[WHO_TEXT]);

/* -- stop.c: the machine's end --------------------------------------------------------------------------------------- */

/* Told to stop. `drains`: the nodes have stop_drain_s to end their work; told a second time, or not so, they have none. */
void stop_asked(struct supervisor *s, bool drains);
void stop_turn(struct supervisor *s, uint64_t now);
unsigned stop_rank(enum kind kind); /* lower ends first */
uint64_t stop_grace_ms(const struct supervisor *s, const struct process *process);
void stop_look(struct supervisor *s); /* at the begin of a turn, and when somebody is told to end */
bool stop_turn_has_come(const struct supervisor *s, const struct process *process);

/* -- drain.c: a node ends its work, then its processes -------------------------------------------------------------- */

/* Begins it; false when it had begun already, which changes nothing. Without an operator waiting: it goes on by itself. */
bool drain_begin(struct supervisor *s, uint16_t node, uint32_t within_ms);
void drain_by(struct supervisor *s, uint16_t node, uint64_t at_ms); /* one under way ends by then at the latest */

/* How many processes of the node (0: of any) are waited for, and who: "gateway@1, gateway@3 and others". */
enum { DRAIN_NAMES = 200 };
unsigned drain_waits_for(const struct supervisor *s, uint16_t node, char names[DRAIN_NAMES]);
void drain_turn(struct supervisor *s, uint64_t now);

/* -- measure.c: what must look at disks, which may hang ---------------------------------------------------------------- */

/* Answers the ask by a child that writes its rows and CONTROL_DONE itself. False: MEASURES are at it already, or no process. */
bool measure_begin(struct supervisor *s, const struct control_ask *ask);
void measure_turn(struct supervisor *s, uint64_t now);
void measure_end(struct supervisor *s); /* nobody waits for it any more */

/* -- roster.c -------------------------------------------------------------------------------------------------------- */

int roster_reopen(struct supervisor *s); /* the end for a new broker, or -1; everybody alive will be told again */
void roster_close(struct supervisor *s);
void roster_turn(struct supervisor *s, uint64_t now); /* tells what is to be told, opens gates */
bool roster_has_buried(const struct supervisor *s, const struct process *process, uint64_t now);

/* -- logs.c ---------------------------------------------------------------------------------------------------------- */

bool log_pipe(int pipe[2]);
int logs_reopen(struct supervisor *s);
void logs_close(struct supervisor *s);
void logs_turn(struct supervisor *s);

/* -- control.c ------------------------------------------------------------------------------------------------------- */

int control_reopen(struct supervisor *s);
void control_close(struct supervisor *s);
void control_turn(struct supervisor *s, uint64_t now);
void control_done(struct supervisor *s, uint32_t serial, enum err err, const char *why); /* the answer to an ask */

/* -- command.c ------------------------------------------------------------------------------------------------------- */

/* Runs alert_command with this alert, and answers now or when it has ended. */
void command_ask(struct supervisor *s, const struct control_alert *alert);
void command_turn(struct supervisor *s, uint64_t now); /* ends one that takes too long */
void command_end(struct supervisor *s);

/* -- chain.c --------------------------------------------------------------------------------------------------------- */

void chain_publish(const struct supervisor *s); /* into ROOT/run */
void chain_apply(struct supervisor *s, const struct config *old);

/* -- run.c ----------------------------------------------------------------------------------------------------------- */

/* Reads the configuration again; on a mistake the old one stays, and *why is the first. */
bool supervisor_reload(struct supervisor *s, struct why *why);

/* Runs an opened machine until it is told to stop. `background` as in the struct. Returns the exit code. */
int supervisor_run(struct machine *machine, int background);

#endif
