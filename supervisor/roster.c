/* The broker's roster: who is alive. What the broker was told about each process is kept beside what is true
 * of it, and a turn tells the difference; so nothing queues up, however long the broker does not listen, and
 * a reborn broker is told everything. Part of the supervisor. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "supervisor/reasons_told.h"
#include "supervisor/channel.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	ACK_PATIENCE_MS = 5000,    /* for the next acknowledgement: past it the broker is not a broker */
	DATAGRAMS_AT_ONCE = 256,   /* then the others have their turn */
	CLOSED_PATIENCE_MS = 1000, /* for its death, once its end of the channel is closed */
};

static void on_roster(void *context, int fd, uint32_t events);

int roster_reopen(struct supervisor *s)
{
	roster_close(s);
	int theirs = channel_open(&s->roster.fd);
	if (theirs < 0)
		return -1;
	s->roster.moved_ms = now_ms();
	s->roster.behind = true;
	if (loop_watch(s->loop, s->roster.fd, EPOLLIN, on_roster, s))
		return theirs;
	close(theirs);
	roster_close(s);
	return -1;
}

/* There is no broker: it knows of nobody, and who waits at the gate waits for the next one. */
void roster_close(struct supervisor *s)
{
	if (s->roster.fd >= 0) {
		loop_unwatch(s->loop, s->roster.fd);
		close(s->roster.fd);
	}
	s->roster = (struct roster){.fd = -1, .moved_ms = now_ms()};
	for (unsigned i = 0; i < s->count; i++) {
		s->processes[i]->told = (struct roster_entry){0};
		s->processes[i]->told_serial = 0;
	}
}

/* -- telling ----------------------------------------------------------------------------------- */

static enum channel_end tell(struct supervisor *s, struct process *process, struct roster_entry entry,
			     uint64_t now)
{
	entry.serial = s->roster.sent + 1;
	enum channel_end end = channel_send(s->roster.fd, &entry, sizeof entry, -1);
	if (end != CHANNEL_SENT)
		return end;
	if (s->roster.acked == s->roster.sent)
		s->roster.moved_ms = now;
	s->roster.sent = process->told_serial = entry.serial;
	process->told = entry.verb == ROSTER_BORN ? entry : (struct roster_entry){0};
	return end;
}

static struct roster_entry entry_of(const struct process *process)
{
	struct roster_entry entry = {.verb = ROSTER_BORN,
				     .kind = (uint8_t)process->row->kind,
				     .node = process->node,
				     .pid = (uint32_t)process->pid,
				     .uid = process->uid,
				     .birth = process->birth};
	memcpy(entry.routing, process->routing, sizeof entry.routing);
	return entry;
}

/* At most an end and a birth. The broker needs no telling of itself. */
static enum channel_end tell_about(struct supervisor *s, struct process *process, uint64_t now)
{
	uint64_t alive =
		process->pid && !process->dead && kind_on_bus(process->row->kind) ? process->birth : 0;
	enum channel_end end = CHANNEL_SENT;
	if (process->told.verb && process->told.birth != alive) {
		struct roster_entry gone = process->told;
		gone.verb = ROSTER_GONE;
		end = tell(s, process, gone, now);
	}
	if (end == CHANNEL_SENT && alive && !process->told.verb)
		end = tell(s, process, entry_of(process), now);
	return end;
}

static void tell_all(struct supervisor *s, uint64_t now)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->roster.sent - s->roster.acked > ROSTER_WINDOW - 2) { /* its next answer goes on here */
			loop_events(s->loop, s->roster.fd, EPOLLIN);
			return;
		}
		enum channel_end end = tell_about(s, s->processes[i], now);
		if (end == CHANNEL_BROKEN) { /* its end was closed: its death is on its way to us */
			roster_close(s);
			return;
		}
		if (end == CHANNEL_FULL) {
			loop_events(s->loop, s->roster.fd, EPOLLIN | EPOLLOUT);
			return;
		}
	}
	s->roster.behind = false;
	loop_events(s->loop, s->roster.fd, EPOLLIN);
}

/* -- being told -------------------------------------------------------------------------------- */

static void on_roster(void *context, int fd, uint32_t events)
{
	struct supervisor *s = context;
	union {
		uint32_t verb;
		struct roster_entry entry;
		struct roster_counts counts;
		struct roster_limit limit;
		struct roster_reason reason;
	} in;
	s->dirty = true;
	if (events & EPOLLOUT)
		s->roster.behind = true;
	for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
		ssize_t got = channel_receive(fd, &in, sizeof in);
		if (got == 0)
			roster_close(s); /* the broker ends, or will be ended: roster_turn() */
		if (got <= 0)
			return;
		if (got == sizeof in.counts && in.verb == ROSTER_COUNTS)
			s->roster.counts = in.counts;
		if (got == sizeof in.limit && in.verb == ROSTER_LIMIT)
			broker_limit(s, &in.limit);
		if (got == sizeof in.reason && in.verb == ROSTER_REASON)
			broker_reason(s, &in.reason);
		bool ack = got == sizeof in.entry && in.verb == ROSTER_ACK;
		/* In order, so one stands for all before it; one for what was never sent stands for nothing.
		 */
		if (ack && in.entry.serial > s->roster.acked && in.entry.serial <= s->roster.sent) {
			s->roster.acked = in.entry.serial;
			s->roster.moved_ms = now_ms();
		}
	}
}

static bool broker_knows(const struct supervisor *s, const struct process *process)
{
	return !kind_on_bus(process->row->kind) ||
	       (process->told.verb && process->told.birth == process->birth &&
		process->told_serial <= s->roster.acked);
}

/* Else the first lines would carry the pid of the birth before. It need not have read it: datagrams keep their order, and it
 * reads out the pipe before it takes the new pid. Without a scribe the lines wait for the next one. */
static bool scribe_is_told(const struct supervisor *s, const struct process *process)
{
	return s->logs.fd < 0 || process->log_pid == process->pid;
}

static void open_gates(struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		struct process *process = s->processes[i];
		if (process->gate >= 0 && broker_knows(s, process) && scribe_is_told(s, process))
			process_open_gate(s, process);
	}
}

void roster_turn(struct supervisor *s, uint64_t now)
{
	if (s->roster.fd >= 0 && s->roster.behind)
		tell_all(s, now);
	open_gates(s);
	struct process *broker = family_find(s, BROKER, 0);
	if (!broker || !broker->pid || broker->dead)
		return;
	uint64_t since = elapsed_ms(now, s->roster.moved_ms);
	if (s->roster.fd < 0 && since > CLOSED_PATIENCE_MS)
		process_kill(s, broker, "it closed its roster");
	else if (s->roster.fd >= 0 && s->roster.acked != s->roster.sent && since > ACK_PATIENCE_MS)
		process_kill(s, broker, "it does not acknowledge the roster");
}

/* May the pid of this zombie be given to somebody else? */
bool roster_has_buried(const struct supervisor *s, const struct process *process, uint64_t now)
{
	if (s->roster.fd < 0 || !kind_on_bus(process->row->kind) ||
	    elapsed_ms(now, process->died_ms) > BURY_WAIT_MS)
		return true;
	return !process->told.verb && process->told_serial <= s->roster.acked;
}
