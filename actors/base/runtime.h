/* The inside of an actor: what the files of actors/base share and nobody else sees. */
#ifndef WARREN_RUNTIME_H
#define WARREN_RUNTIME_H

#include "actors/base/actor.h"
#include "actors/base/born/born.h"
#include "actors/base/bus.h"
#include "proto/alerts.h"

struct watch {
	int fd; /* -1: free */
	short events;
	watch_fn *ready;
	void *context;
};

struct timer {
	uint64_t at_ms, every_ms; /* at 0: free; every 0: once */
	timer_fn *fire;
	void *context;
};

struct ask { /* one of ours, on its way */
	uint64_t serial, deadline_ns; /* serial 0: free */
	const struct call_row *row;
	ask_end *end;
	void (*done)(void);
	void *context;
	uint32_t trace;
	enum err err; /* not ERR_KEPT: it has ended, and `done` waits for the next turn */
};

struct call { /* one of somebody else's, with us */
	struct actor *actor;
	struct envelope envelope;
	const struct handler *handler;
	struct arena arena;
	uint64_t began_ns;
	void *reply;    /* the handler's `out`, in the arena */
	bool answered; /* or told, or its broker is gone */
};

struct held { /* an alert of ours */
	bool holds;
	char detail[161];
};

struct counted {
	uint64_t depth, high, drops;
};

enum { WORK_TIMES = 24 };
enum { LIMITS = 32, CALL_MEMORY = 2 * 1024 * 1024 };

struct actor {
	const struct actor_spec *spec;
	void *state;
	struct born born;
	uint64_t born_ms;
	struct bus bus;
	bool heard; /* somebody hears our events */
	bool was_ready, not_yet, draining, drained;
	bool helloing; /* its timer runs */
	bool closed; /* takes nothing new on */
	int signals; /* signalfd: SIGTERM, SIGUSR1 */
	struct watch watches[ACTOR_WATCHES];
	struct timer timers[ACTOR_TIMERS];
	turn_fn *turn;
	void *turn_context;
	struct ask asks[ACTOR_ASKS];
	struct counted asked, kept, watching, timing; /* the last two: over-full is a bug, so they drop nothing */
	struct limit limits[LIMITS];
	unsigned limit_count;
	uint64_t level_until_ms;
	struct held alerts[ALERT_CODES];
	uint64_t lines_lost; /* of our log, when last looked at */
	uint32_t trace;   /* of the ask that is being answered; 0: none */
	uint64_t asked_count, published;
	uint64_t times[WORK_TIMES]; /* of calls: i counts those that we had for at most 2^i us */
	bool refused;     /* something, since the last beat: actor_refused() */
	uint64_t strange; /* system calls answered ENOSYS, copied from the seal's count */
};

/* life.c → the others */
void loop_run(struct actor *self);
void hello_soon(struct actor *self); /* until there is a welcome */
unsigned actor_under_way(struct actor *self, struct duty duties[DUTIES_MAX]); /* how many rows */

/* asks.c */
void asks_lost(struct actor *self);                                  /* the broker died: all end GONE */
void asks_turn(struct actor *self);                                  /* ends what is late or failed */
void asks_answered(struct actor *self, const struct envelope *envelope, const void *body, size_t length);
int asks_wait_ms(struct actor *self, int most);                      /* until the next deadline */

/* alerts.c */
void alerts_begin(struct actor *self); /* what our last birth held is not ours */
void alerts_again(struct actor *self, void *context); /* says again what holds; looks at our own log */
enum { ALERTS_AGAIN_MS = 10000 };

/* calls.c */
void calls_received(struct actor *self, const struct envelope *envelope, const void *body, size_t length);
const struct handler *own_handlers(void); /* own.c: what every process answers */

#endif
