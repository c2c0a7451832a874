/* The broker's three tables: who is there, which asks are open, who listens. Every bound is here. Plain C: no sockets. */
#ifndef WARREN_TABLES_H
#define WARREN_TABLES_H

#include "proto/actors.h"
#include "proto/envelope.h"
#include "proto/roster.h"

/* -- peers: processes come from the supervisor's roster, people are whom the kernel let connect to a door of theirs --- */

enum {
	PROCESSES_MAX = NODES_MAX * 8 + 16,
	PEOPLE_MAX = 256, /* consoles that have said something; one more puts out the one that was silent longest */
	PEERS_MAX = PEOPLE_MAX + PROCESSES_MAX,
	ROUTING_MAX = 16,
	ASKS_OF_PROCESS = 256, /* open at once; one more is answered BUSY */
	ASKS_OF_PERSON = 32,
};

/* Which of the broker's three listeners. */
enum door { DOOR_BUS, DOOR_OPERATE, DOOR_READ, DOORS };

struct visitor { /* pid and uid are the kernel's word, the routing id its own; no gaps: compared as bytes */
	uint32_t pid, uid;
	uint16_t door, routing_length;
	uint8_t routing[ROUTING_MAX];
};

struct peer {
	uint64_t birth;   /* of the process; given by the broker to a person; 0: free */
	uint64_t last_ns; /* when it last said anything; for people */
	struct visitor at;
	struct queue *queue; /* the bytes that wait for it; doors.h */
	uint32_t open;       /* asks waiting for their answer */
	uint16_t node;
	uint8_t kind; /* READER or OPERATOR for a person */
	bool welcome; /* has said HELLO with our fingerprint */
};

struct peers {
	struct peer all[PEERS_MAX]; /* people, then processes */
	uint32_t processes;         /* highest used + 1 */
	uint64_t drawn;             /* births given to people; those of processes are random, 64 bits */
};

/* A process of the roster. NULL when the table is full. */
struct peer *peers_born(struct peers *peers, const struct roster_entry *entry);

/* Who is talking: a process, if pid, uid and routing id are those of one entry of the roster, else NULL; or a person, known or
 * new: NULL only for a pid of the roster, as no process comes as a person. `evicted` is the birth of whoever had to go, or 0; its
 * queue is still in its place then. */
struct peer *peers_visit(struct peers *peers, const struct visitor *visitor, uint64_t now, uint64_t *evicted);

struct peer *peers_by_birth(struct peers *peers, uint64_t birth);              /* NULL: nobody */
struct peer *peers_by_duty(struct peers *peers, unsigned kind, unsigned node); /* NULL: no such process said hello */

/* -- open asks: passed on, and waiting for their answer; begins zeroed -------------------------------------------------- */

enum { OPEN_ASKS = 16384, OPEN_ASK_CHAINS = 4096 }; /* of the whole machine; one more is answered BUSY */

struct open_ask {
	struct envelope envelope; /* as it was passed on; caller_birth 0: free */
	uint32_t next;            /* in the chain of its hash, or of the free ones; index + 1 */
};

struct open_asks {
	uint32_t chains[OPEN_ASK_CHAINS]; /* index + 1 */
	uint32_t free, used;              /* used: highest ever + 1 */
	uint32_t count, high;
	struct open_ask asks[OPEN_ASKS];
};

/* NULL when the table is full, or when this caller used this serial already. */
struct open_ask *open_asks_add(struct open_asks *table, const struct envelope *ask);
struct open_ask *open_asks_find(struct open_asks *table, uint64_t caller, uint64_t serial);
void open_asks_remove(struct open_asks *table, struct open_ask *ask);

/* -- listeners: subscriptions to events, and taps ----------------------------------------------------------------------- */

enum { LISTENERS_MAX = 512, LISTENERS_EACH = 32 };

struct listener {
	uint64_t birth;  /* 0: free */
	uint16_t number; /* of the event; 0: a tap */
	uint16_t kind;   /* of the process heard, and its node; 0: everybody */
	uint32_t node;   /* no gaps: compared as bytes */
};

struct listeners {
	struct listener all[LISTENERS_MAX];
	uint32_t count; /* highest used + 1 */
	uint32_t held;  /* not free */
};

/* False when the table, or this listener's share of it, is full. Adding twice is adding once. */
bool listeners_add(struct listeners *listeners, struct listener listener);
/* Of this birth, which is somebody's: `only` that one, or NULL: all. */
void listeners_remove(struct listeners *listeners, uint64_t birth, const struct listener *only);

/* Whether it subscribed to this event, or taps the one side of this message or the other. */
bool listener_hears(const struct listener *listener, const struct envelope *passing);

/* The kinds of process, as bits, whose events somebody hears: the others need not publish. */
uint32_t listeners_heard(const struct listeners *listeners);

#endif
