/* The runtime of every process on the bus: one start order, one loop, one way to ask and to answer.
 *
 *   int main(void)
 *   {
 *           static struct wallet self;
 *           return actor_main(&wallet_spec, &self);
 *   }
 *
 * Start order, written once in life.c: birth record → check who we are → `warm` → Landlock → `start` (descriptors, files) →
 * connect → seccomp → HELLO → `ready` → loop. Handlers never wait: they answer now, or return ERR_KEPT and answer later. */
#ifndef WARREN_ACTOR_H
#define WARREN_ACTOR_H

#include "actors/base/log/log.h"
#include "actors/base/clock/clock.h"
#include "actors/base/memory/memory.h"
#include "proto/alerts.h"
#include "proto/birth.h"
#include "proto/call.h"

#include <poll.h>

struct actor;
struct call;

enum { DUTIES_MAX = 16 };
struct duty {
	const char *what; /* of one: "upload" */
	uint32_t count;
};

struct actor_spec {
	enum kind kind;
	const struct handler *handlers; /* HANDLERS(…); ends with a NULL row */

	/* Reads once what libraries would read from files later (names, certificates). Before all else, and before any wall of
	 * our own; returns like `start`. May be NULL. */
	int (*warm)(struct actor *self);

	/* Opens what lasts: files, databases, listeners it inherited. After Landlock, before seccomp. Returns 0, or an exit code
	 * (EXIT_CONFIG, EXIT_WORLD) after logging why. May be NULL. */
	int (*start)(struct actor *self);

	/* After HELLO was answered: asks, timers. Once: a reborn broker does not repeat it. May be NULL. */
	void (*ready)(struct actor *self);

	/* SIGUSR1: from now on nothing new is taken on; what runs goes on. NULL: it takes nothing on by itself. */
	void (*close)(struct actor *self);

	/* What is under way and should end before SIGTERM: a row for each word whose count is not 0. NULL: nothing ever. */
	unsigned (*duties)(struct actor *self, struct duty duties[DUTIES_MAX]);

	/* SIGTERM: end what runs; call actor_drained() when it has ended. NULL: ended at once. */
	void (*drain)(struct actor *self);

	/* `warren-<kind> --init`: makes the lasting state in PATH_SELF and prints what the operator should know, then exits
	 * with what this returns. NULL for a kind that has none. */
	int (*init)(struct actor *self);
};

int actor_main(const struct actor_spec *spec, void *state);

/* -- what a process knows ------------------------------------------------------------------------------------------- */

void *actor_state(struct actor *self); /* what main() gave */
uint16_t actor_node(struct actor *self);
const char *actor_self_path(struct actor *self); /* its lasting folder, PATH_SELF in the jail */
const char *actor_run_path(struct actor *self);  /* the sockets, PATH_RUN in the jail */
const char *actor_setting(struct actor *self, const char *name); /* "" for one its row does not read */
uint64_t actor_setting_number(struct actor *self, const char *name);
const uint8_t *actor_secret(struct actor *self); /* 32 bytes; forget it with actor_forget_secret() once used */
void actor_forget_secret(struct actor *self);
int actor_inherited(struct actor *self, uint32_t what); /* FD_HTTP … */
uint8_t actor_init_flags(struct actor *self); /* BIRTH_ bits of proto/birth.h, for `init` */
bool actor_pretends(struct actor *self, enum wall wall); /* the configuration says: as if this wall were absent */
void actor_missing(struct actor *self, enum wall wall);  /* this wall could not be built: shown by doctor */
bool actor_lacks(struct actor *self, enum wall wall);    /* it was not built around us */

/* -- the loop ------------------------------------------------------------------------------------------------------- */

enum { ACTOR_WATCHES = 32, ACTOR_TIMERS = 64 };

/* Calls `ready` whenever the descriptor is. `events` are POLLIN, POLLOUT. Returns a slot for actor_watch_events(). */
typedef void watch_fn(struct actor *self, void *context, int fd, short events);
int actor_watch(struct actor *self, int fd, short events, watch_fn *ready, void *context);
void actor_watch_events(struct actor *self, int slot, short events);
void actor_unwatch(struct actor *self, int slot);

/* Once after `ms`, or every `ms` (on the node's tick, so the first time may be sooner: tick.h). Returns a slot for
 * actor_timer_cancel(). */
typedef void timer_fn(struct actor *self, void *context);
int actor_after(struct actor *self, uint64_t ms, timer_fn *fire, void *context);
int actor_every(struct actor *self, uint64_t ms, timer_fn *fire, void *context);
void actor_timer_cancel(struct actor *self, int slot);

/* Called before each time the loop waits, and after each round of events; for a library that must be turned (HTTP). May
 * lower *timeout_ms. */
typedef void turn_fn(struct actor *self, void *context, int *timeout_ms);
void actor_each_turn(struct actor *self, turn_fn *turn, void *context);

void actor_drained(struct actor *self);

/* Within `ready`: "not yet, something that I need is missing"; and later, once: "now". Until then the process is shown as
 * starting; it may serve what it can. Others are not held up: supervisor/ready.c has the limit. */
void actor_not_ready(struct actor *self);
void actor_is_ready(struct actor *self);

/* "Still at work": for a `start` that takes longer than a second, called now and then. */
void actor_alive(void);

/* "My policy refused something": one byte with the next beat, for an actor that may tell nobody more (wallet). */
void actor_refused(struct actor *self);

/* -- calls ---------------------------------------------------------------------------------------------------------- */

struct asker { /* as the kernel and the roster say, never as the asker does */
	enum kind kind;
	uint16_t node;
	uint32_t uid;
};
struct asker call_asker(const struct call *call);
struct arena *call_arena(struct call *call); /* lives until the call is answered */

/* A kept call must end: actor_reply() by reply_<name>(), or call_fail(). Past its deadline both are quiet no-ops that free
 * it; the asker was told LATE by its own clock. At most ACTOR_KEPT are kept; one more is answered BUSY by the base. */
enum { ACTOR_KEPT = 256, ACTOR_ASKS = 256 };
void call_fail(struct call *call, enum err err);
void call_fail_why(struct call *call, enum err err, const char *why); /* with a sentence for people */

/* actor_ask() for a call that every process answers (proto/actor.h): its row does not say who is asked. */
enum err actor_ask_of(struct actor *self, const struct call_row *row, enum kind kind, uint16_t node, const void *request,
		      ask_end *end, void (*done)(void), void *context);

/* Tells the steward what is wrong with us, a row of proto/alerts.def that is ours to raise; and again while it holds, so that it
 * is known to a steward that was born later. Raising what holds already tells it only when the detail (one line, at most 160
 * bytes, no secret) has changed. Of a moment (HAPPENS) each one is told. */
void actor_alert(struct actor *self, enum alert_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void actor_alert_over(struct actor *self, enum alert_code code);

/* A row of `warren limits`. The pointers stay valid for the life of the process. */
struct limit {
	const char *name;
	const uint64_t *depth, *high, *drops; /* NULL: none */
	uint64_t limit;
};
void actor_limit(struct actor *self, struct limit limit); /* at most 32 */

#endif
