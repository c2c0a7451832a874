/* Coming up. The service manager is told READY when the machine's own processes are ready and every node's
 * process (and a foreign one) is ready, has failed once, waits for another of its node that somebody must mend, or has had ten seconds:
 * one bad node must not keep the unit from starting, or have it killed.
 * `warrend start` is told only when all are ready, or after 30 s (and more where there are many) who is not. Part of the
 * supervisor. */
#include "supervisor/ready.h"

#include "actors/base/log/log.h"
#include "supervisor/notify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SETTLE_MS = 10000 }; /* a node's process that is alive and waits for something has had its time */

enum held { FREE, HELD, HELD_LOCKED }; /* by another of its node, which waits for a person */

static enum held holds(const struct process *process)
{
	if (process->state == PROCESS_LOCKED)
		return HELD_LOCKED;
	return process->state == PROCESS_PARKED || process->state == PROCESS_MISCONFIGURED ||
			       process->state == PROCESS_STOPPED
		       ? HELD
		       : FREE;
}

/* A node's, or a foreign program: the machine is there without it. */
static bool may_fail(const struct process *process)
{
	return process->node || process->row->opens & FD_FOREIGN;
}

static bool settled(const struct process *process, enum held held)
{
	if (process->state == PROCESS_READY)
		return true;
	bool starting = may_fail(process) && process->state == PROCESS_STARTING;
	if (starting && (held != FREE || elapsed_ms(now_ms(), process->born_ms) > SETTLE_MS))
		return true;
	return may_fail(process) &&
	       (process->state == PROCESS_BACKOFF || process->state == PROCESS_LOCKED ||
		process->state == PROCESS_PARKED || process->state == PROCESS_MISCONFIGURED ||
		process->state == PROCESS_STOPPED || process->restarts);
}

struct tally {
	unsigned ready, locked;
	bool all_settled, all_final; /* final: ready, or waiting for somebody to mend it */
};

static struct tally tally_of(const struct supervisor *s)
{
	struct tally tally = {.all_settled = true, .all_final = true};
	enum held held[NODES_MAX + 1] = {FREE};
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		enum held by = process->node ? holds(process) : FREE;
		held[process->node] = by > held[process->node] ? by : held[process->node];
	}
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		enum held by = process->state == PROCESS_STARTING ? held[process->node] : FREE;
		tally.ready += process->state == PROCESS_READY;
		tally.locked += process->state == PROCESS_LOCKED || by == HELD_LOCKED;
		tally.all_settled = tally.all_settled && settled(process, held[process->node]);
		tally.all_final = tally.all_final && !process->ending &&
				  (process->state == PROCESS_READY || process->state == PROCESS_PARKED ||
				   process->state == PROCESS_LOCKED ||
				   process->state == PROCESS_MISCONFIGURED || by != FREE);
	}
	return tally;
}

/* To the pipe, which holds it all: at most a page. */
static void say_who_is_not(struct supervisor *s)
{
	char text[4000], who[WHO_TEXT];
	size_t length = 0;
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		if (process->state == PROCESS_READY || length > sizeof text - 200)
			continue;
		length += (size_t)snprintf(text + length, sizeof text - length, "%s is %s",
					   process_text(process, who), process_state_name(process->state));
		if (process->last_end)
			length += (size_t)snprintf(text + length, sizeof text - length, "; it ended by %s %d",
						   process->last_end < 0 ? "signal" : "exit code",
						   process->last_end < 0 ? -process->last_end
									 : process->last_end);
		text[length++] = '\n';
	}
	ssize_t wrote = write(s->background, text, length);
	(void)wrote; /* nobody may be listening any more */
}

static void tell_background(struct supervisor *s, const struct tally *tally, uint64_t now)
{
	bool all = tally->ready + tally->locked == s->count,
	     wait = !s->stopping && !s->leaving && !tally->all_final;
	uint64_t patience = START_PATIENCE_MS + (uint64_t)s->count * START_PATIENCE_EACH_MS;
	if (s->background < 0 || (wait && elapsed_ms(now, s->started_ms) < patience))
		return;
	const char ready = tally->locked ? READY_LOCKED : READY_ALL;
	if (all) {
		ssize_t wrote = write(s->background, &ready, 1);
		(void)wrote;
	} else {
		say_who_is_not(s);
	}
	close(s->background);
	s->background = -1;
}

static void tell_manager(struct supervisor *s, unsigned ready, bool all_settled)
{
	char text[160];
	int state = (int)ready + (all_settled ? 0x10000 : 0);
	if (s->told_state == state)
		return;
	s->told_state = state;
	/* While it comes up, each process that is ready gives the others time: hundreds of nodes need more than the unit has. */
	snprintf(text, sizeof text, "%sSTATUS=%u of %u processes ready",
		 all_settled ? "READY=1\n" : "EXTEND_TIMEOUT_USEC=60000000\n", ready, s->count);
	notify(text);
	if (all_settled && !s->told_ready) {
		s->told_ready = true;
		log_info("warrend.ready", "ready=%u processes=%u ms=%llu", ready, s->count,
			 (unsigned long long)(elapsed_ms(now_ms(), s->started_ms)));
	}
}

void ready_turn(struct supervisor *s, uint64_t now)
{
	struct tally tally = tally_of(s);
	if (!s->stopping && !s->leaving)
		tell_manager(s, tally.ready, tally.all_settled || s->told_ready);
	tell_background(s, &tally, now);
}
