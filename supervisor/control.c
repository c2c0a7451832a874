/* What operators ask of the declared topology, over the steward's channel: checked again, logged, done,
 * answered. One STATUS is written at a time, row by row as the socket takes them; nothing is read while there
 * is something to write, so a steward that does not listen holds up nobody but itself. Part of the
 * supervisor. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "supervisor/reasons_told.h"
#include "supervisor/channel.h"
#include "supervisor/control_check.h"
#include "supervisor/status.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ENDS_WITHIN_MS = 14000 }; /* a stop or restart; the caller's deadline is 15 s (proto/steward.h) */

static void on_control(void *context, int fd, uint32_t events);

int control_reopen(struct supervisor *s)
{
	control_close(s);
	int theirs = channel_open(&s->control.fd);
	if (theirs < 0)
		return -1;
	if (loop_watch(s->loop, s->control.fd, EPOLLIN, on_control, s))
		return theirs;
	close(theirs);
	control_close(s);
	return -1;
}

void control_close(struct supervisor *s)
{
	if (s->control.fd >= 0) {
		loop_unwatch(s->loop, s->control.fd);
		close(s->control.fd);
	}
	measure_end(s);
	struct control closed = {.fd = -1};
	memcpy(closed.measuring, s->control.measuring, sizeof closed.measuring);
	s->control = closed;
}

/* -- answering --------------------------------------------------------------------------------- */

void control_done(struct supervisor *s, uint32_t serial, enum err err, const char *why)
{
	struct control *control = &s->control;
	bug_if(control->out_count == sizeof control->out / sizeof *control->out);
	struct control_row *row = &control->out[control->out_count++];
	*row = (struct control_row){.serial = serial, .type = CONTROL_DONE, .error = (uint16_t)err};
	snprintf(row->why, sizeof row->why, "%s", err == ERR_OK ? "" : why);
	s->dirty = true;
}

static bool answer_row(const struct supervisor *s, unsigned *next, struct control_row *row)
{
	if (s->control.ask.verb == CONTROL_DRAINS)
		return drains_row(s, next, row);
	if (s->control.ask.verb == CONTROL_REASONS)
		return reasons_row(s, *next, row);
	return s->control.ask.verb == CONTROL_LIMITS ? limits_row(s, *next, row) : status_row(s, *next, row);
}

static enum channel_end write_status(struct supervisor *s)
{
	struct control *control = &s->control;
	struct control_row row;
	while (control->answering) {
		bool more = answer_row(s, &control->next, &row);
		row.serial = control->ask.serial;
		enum channel_end end = channel_send(control->fd, &row, sizeof row, -1);
		if (end != CHANNEL_SENT)
			return end;
		control->next++;
		control->answering = more;
	}
	return CHANNEL_SENT;
}

static enum channel_end write_done(struct supervisor *s)
{
	struct control *control = &s->control;
	enum channel_end end = CHANNEL_SENT;
	unsigned sent = 0;
	while (sent < control->out_count && end == CHANNEL_SENT) {
		end = channel_send(control->fd, &control->out[sent], sizeof *control->out, -1);
		sent += end == CHANNEL_SENT;
	}
	control->out_count -= sent;
	memmove(control->out, control->out + sent, control->out_count * sizeof *control->out);
	return end;
}

/* -- waiting for an end ------------------------------------------------------------------------ */

static bool targets(const struct control_ask *ask, const struct process *process)
{
	return process->declared && process->node == ask->node &&
	       (!ask->kind || process->row->kind == ask->kind);
}

static bool has_ended(const struct supervisor *s, const struct control_ask *ask)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		if (!targets(ask, process))
			continue;
		if (process->ending || (process->pid && !process->wanted))
			return false;
		if (ask->verb == CONTROL_RESTART && process->wanted && process->state == PROCESS_WAITING)
			return false;
	}
	return true;
}

static void check_pending(struct supervisor *s, uint64_t now)
{
	for (int i = 0; i < CONTROL_PENDING; i++) {
		struct pending *pending = &s->control.pending[i];
		if (!pending->ask.verb)
			continue;
		bool ended = has_ended(s, &pending->ask);
		if (!ended && now < pending->until_ms)
			continue;
		if (ended)
			control_done(s, pending->ask.serial, ERR_OK, "");
		else
			control_done(s, pending->ask.serial, ERR_LATE,
				     "it has not ended yet; warren status shows what is left");
		pending->ask.verb = 0;
		s->control.pending_count--;
	}
}

static void wait_for_end(struct supervisor *s, const struct control_ask *ask)
{
	for (int i = 0; i < CONTROL_PENDING; i++)
		if (!s->control.pending[i].ask.verb) {
			s->control.pending[i] = (struct pending){*ask, now_ms() + ENDS_WITHIN_MS};
			if (++s->control.pending_count > s->control.pending_high)
				s->control.pending_high = s->control.pending_count;
			return;
		}
	s->control.pending_drops++;
	control_done(s, ask->serial, ERR_BUSY,
		     "too many are waiting for an end; it was asked for nevertheless");
}

/* -- doing ------------------------------------------------------------------------------------- */

static void reload(struct supervisor *s, const struct control_ask *ask)
{
	struct why why;
	bool fine = supervisor_reload(s, &why);
	control_done(s, ask->serial, fine ? ERR_OK : ERR_BAD_VALUE, why.text);
}

/* Told in `why`, as both begin and go on are fine. */
static void drain(struct supervisor *s, const struct control_ask *ask)
{
	bool begun = drain_begin(s, ask->node, ask->amount);
	control_done(s, ask->serial, ERR_OK, "");
	if (!begun)
		snprintf(s->control.out[s->control.out_count - 1].why, sizeof s->control.out->why, "already");
}

static void carry_out(struct supervisor *s, const struct control_ask *ask)
{
	enum kind kind = (enum kind)ask->kind;
	switch ((enum control_verb)ask->verb) {
	case CONTROL_VERBS:
		break;
	case CONTROL_REASONS:
	case CONTROL_LIMITS:
	case CONTROL_STATUS:
	case CONTROL_DRAINS:
		reasons_told_begin(s);
		s->control.answering = true;
		s->control.ask = *ask;
		s->control.next = 0;
		break;
	case CONTROL_START:
		family_start(s, kind, ask->node);
		control_done(s, ask->serial, ERR_OK, "");
		break;
	case CONTROL_DRAIN:
		drain(s, ask);
		break;
	case CONTROL_INFO:
	case CONTROL_VERIFY:
	case CONTROL_ALLOCATE:
		if (!measure_begin(s, ask))
			control_done(s, ask->serial, ERR_BUSY,
				     "the disks are being looked at; ask again shortly");
		break;
	case CONTROL_STOP:
		if (!kind)
			s->nodes[ask->node].draining = false;
		family_stop(s, kind, ask->node);
		wait_for_end(s, ask);
		break;
	case CONTROL_RESTART:
		family_restart(s, kind, ask->node);
		wait_for_end(s, ask);
		break;
	case CONTROL_RELOAD:
		reload(s, ask);
		break;
	}
}

/* What an operator did is a reason too; what was refused, with who asked. */
static void note_asked(const struct control_ask *ask, enum err err, const char *why)
{
	const char *verb = control_verb_name(ask->verb);
	struct about about = {ask->kind, ask->node, 0};
	char uid[16];
	snprintf(uid, sizeof uid, "uid %u", ask->uid);
	if (err != ERR_OK)
		reason_about(REASON_VERB_REFUSED, about, uid, "%s was refused to %s: %s", verb, uid, why);
	if (err == ERR_OK && ask->verb == CONTROL_START) {
		reasons_over_of(ask->kind, ask->node);
		reasons_over_of(KIND_NONE, ask->node);
	}
	if (err == ERR_OK && ask->verb == CONTROL_STOP)
		reason_about(REASON_OPERATOR_STOPPED, about, "", "%s asked for its end", uid);
	if (err == ERR_OK && ask->verb == CONTROL_DRAIN)
		reason_about(REASON_OPERATOR_DRAINED, about, "", "%s asked that it drains", uid);
	if (err == ERR_OK && ask->verb == CONTROL_RESTART) {
		reasons_over_of(KIND_NONE, ask->node);
		reason_about(REASON_OPERATOR_RESTARTED, about, "", "%s asked for its restart", uid);
	}
}

static void on_ask(struct supervisor *s, const struct control_ask *ask, size_t length)
{
	bool declared[NODES_MAX + 1];
	struct why why;
	for (unsigned node = 0; node <= NODES_MAX; node++)
		declared[node] = s->nodes[node].declared;
	enum err err = control_check(ask, length, declared, &why);
	if (err == ERR_MALFORMED) {
		log_warn("control.malformed", "bytes=%zu", length);
		return;
	}
	bool changes = control_changes(ask->verb);
	if (err == ERR_OK && (s->stopping || s->leaving) && changes) {
		err = ERR_UNAVAILABLE;
		refuse(&why, "the machine is stopping");
	}
	if (changes)
		log_line(err == ERR_OK ? LOG_INFO : LOG_WARN, "control.asked",
			 "verb=%s kind=%s node=%u uid=%u answer=%s", control_verb_name(ask->verb),
			 ask->kind ? kind_name(ask->kind) : "all", ask->node, ask->uid, err_name(err));
	if (changes)
		note_asked(ask, err, why.text);
	if (err != ERR_OK)
		control_done(s, ask->serial, err, why.text);
	else
		carry_out(s, ask);
}

static void on_control(void *context, int fd, uint32_t events)
{
	(void)events;
	struct supervisor *s = context;
	union {
		struct control_ask ask;
		struct control_alert alert;
		char more[sizeof(struct control_alert) + 1]; /* so that one that is too long is seen to be */
	} in;
	s->dirty = true;
	if (s->control.answering || s->control.out_count)
		return; /* first what is to be written */
	ssize_t got = channel_receive(fd, &in, sizeof in);
	if (got == 0)
		control_close(s);
	if (got == sizeof in.alert && in.ask.verb == CONTROL_ALERT)
		command_ask(s, &in.alert);
	else if (got > 0)
		on_ask(s, &in.ask, (size_t)got);
}

void control_turn(struct supervisor *s, uint64_t now)
{
	measure_turn(s, now);
	if (s->control.fd < 0)
		return;
	check_pending(s, now);
	enum channel_end end = write_done(s);
	if (end == CHANNEL_SENT)
		end = write_status(s);
	if (end == CHANNEL_BROKEN)
		control_close(s);
	else
		loop_events(s->loop, s->control.fd, end == CHANNEL_FULL ? EPOLLOUT : EPOLLIN);
}
