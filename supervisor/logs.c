/* Log pipes on their way to scribe. The supervisor makes one for each declared process and keeps both ends,
 * so that a line written while scribe is dead waits in the pipe. As with the roster, a turn tells what scribe
 * does not know yet. */
#include "supervisor/supervisor.h"

#include "proto/logs.h"
#include "supervisor/channel.h"
#include "supervisor/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { LOG_PIPE_BYTES = 256 * 1024 };

static void on_logs(void *context, int fd, uint32_t events);

bool log_pipe(int pipe[2])
{
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	fcntl(pipe[1], F_SETPIPE_SZ, LOG_PIPE_BYTES); /* where allowed: pipe-user-pages-soft of proc(5) */
	return true;
}

int logs_reopen(struct supervisor *s)
{
	logs_close(s);
	int theirs = channel_open(&s->logs.fd);
	if (theirs < 0)
		return -1;
	s->logs.behind = true;
	if (loop_watch(s->loop, s->logs.fd, EPOLLIN, on_logs, s))
		return theirs;
	close(theirs);
	logs_close(s);
	return -1;
}

void logs_close(struct supervisor *s)
{
	if (s->logs.fd >= 0) {
		loop_unwatch(s->loop, s->logs.fd);
		close(s->logs.fd);
	}
	s->logs.fd = -1;
	s->logs.own_told = 0;
	for (unsigned i = 0; i < s->count; i++) {
		s->processes[i]->log_told = s->processes[i]->journal_told = false;
		s->processes[i]->log_pid = 0;
	}
}

static enum channel_end tell(struct supervisor *s, enum logs_verb verb, unsigned kind, uint16_t node,
			     pid_t pid, int pipe)
{
	struct logs_entry entry = {.verb = verb, .kind = (uint8_t)kind, .node = node, .pid = (uint32_t)pid};
	return channel_send(s->logs.fd, &entry, sizeof entry, pipe);
}

/* Under systemd. A journal that takes no stream now is not asked again before scribe is born again: the file has it all. */
static enum channel_end tell_journal(struct supervisor *s, struct process *process)
{
	char who[WHO_TEXT];
	int stream = journal_open(process_text(process, who));
	process->journal_told = true;
	if (stream < 0)
		return CHANNEL_SENT;
	enum channel_end end = tell(s, LOGS_JOURNAL, process->row->kind, process->node, process->pid, stream);
	process->journal_told = end == CHANNEL_SENT;
	close(stream);
	return end;
}

/* The pipe, then whose lines are in it, then that no more will come. */
static enum channel_end tell_about(struct supervisor *s, struct process *process)
{
	enum channel_end end = CHANNEL_SENT;
	unsigned kind = process->row->kind;
	if (!process->declared && !process->pid) {
		if (process->log_told &&
		    (end = tell(s, LOGS_END, kind, process->node, 0, -1)) == CHANNEL_SENT)
			process->log_told = false;
		return end;
	}
	if (!process->log_told) {
		end = tell(s, LOGS_PIPE, kind, process->node, process->pid, process->log_read);
		process->log_told = end == CHANNEL_SENT;
		process->journal_told = false;
	}
	if (end == CHANNEL_SENT && s->logs.journal && !process->journal_told)
		end = tell_journal(s, process);
	if (end == CHANNEL_SENT && process->pid && process->log_pid != process->pid) {
		end = tell(s, LOGS_BORN, kind, process->node, process->pid, -1);
		if (end == CHANNEL_SENT)
			process->log_pid = process->pid;
	}
	return end;
}

static enum channel_end tell_own(struct supervisor *s)
{
	static const enum logs_verb verbs[] = {LOGS_PIPE, LOGS_BORN};
	while (s->logs.own_read >= 0 && s->logs.own_told < 2) {
		enum logs_verb verb = verbs[s->logs.own_told];
		enum channel_end end =
			tell(s, verb, 0, 0, getpid(), verb == LOGS_PIPE ? s->logs.own_read : -1);
		if (end != CHANNEL_SENT)
			return end;
		s->logs.own_told++;
	}
	return CHANNEL_SENT;
}

void logs_turn(struct supervisor *s)
{
	if (s->logs.fd < 0 || !s->logs.behind)
		return;
	enum channel_end end = tell_own(s);
	for (unsigned i = 0; end == CHANNEL_SENT && i < s->count; i++)
		end = tell_about(s, s->processes[i]);
	if (end == CHANNEL_BROKEN) {
		logs_close(s);
		return;
	}
	s->logs.behind = end == CHANNEL_FULL;
	loop_events(s->loop, s->logs.fd, s->logs.behind ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* Scribe has nothing to say; what it says is read and thrown away, so that its end is seen. */
static void on_logs(void *context, int fd, uint32_t events)
{
	struct supervisor *s = context;
	char thrown[64];
	if (events & EPOLLOUT)
		s->logs.behind = s->dirty = true;
	if (channel_receive(fd, thrown, sizeof thrown) == 0)
		logs_close(s);
}
