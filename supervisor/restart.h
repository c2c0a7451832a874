/* What follows a death: at once, later, or not before somebody changes something. Pure: time is handed in. */
#ifndef WARREN_SUPERVISOR_RESTART_H
#define WARREN_SUPERVISOR_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RESTART_FIRST_MS = 100,   /* the second in a row waits this long, then twice as long, and so on … */
	RESTART_MOST_MS = 10000,  /* … up to this; */
	RESTART_READY_MOST_MS = 100, /* or this, when it had become ready: it serves between its deaths, and parking is for
					those that die often */
	RESTART_CALM_MS = 60000,  /* ready for so long, and its earlier deaths are forgotten */
	PARK_WITHIN_MS = 60000,   /* so many deaths of one node within this time park it … */
	PARK_DEATHS_MOST = 1000,  /* … as park_deaths of proto/settings.def says, up to this */
};

struct streak { /* of one process */
	uint32_t deaths; /* in a row; 0 when it was calm */
};

struct deaths { /* of one node, the last ones */
	uint64_t at_ms[PARK_DEATHS_MOST];
	uint32_t count; /* since it was last unparked */
};

enum after_death {
	AFTER_RESTART, /* in delay_ms */
	AFTER_PARK,    /* the node has died too often: not before somebody starts it */
	AFTER_CHANGE,  /* exit 78: not before the configuration is read again */
};

struct death {
	uint64_t now_ms;
	bool was_ready;
	uint64_t ready_ms; /* for how long */
	int exit_code;     /* minus the signal when it was killed by one */
};

struct verdict {
	enum after_death after;
	uint64_t delay_ms;
};

/* `node` is NULL for a process of which a machine has one: it backs off and is never parked. `park_deaths` 0: no node is. */
struct verdict restart_after(struct streak *process, struct deaths *node, uint32_t park_deaths, const struct death *death);

/* Somebody started it: what was is forgotten. */
void restart_forget(struct streak *process);
void deaths_forget(struct deaths *node);

#endif
