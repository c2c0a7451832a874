/* Runs the operator's own program for an alert. Who wants one is the steward, by a fixed struct; which program is in the root-owned
 * configuration, and it must be one that only root (or who runs us) can change, up to the root of the file system. It runs as a
 * uid of its own that owns nothing, without a capability, cannot gain rights, has the alert as JSON on its standard input and
 * nothing else open, ten seconds, and one process group that ends with it. One at a time, one a second: so whoever makes alerts
 * cannot make this machine run more than that.
 *
 * When it hangs, it is killed and nobody waited. It dies with the supervisor. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "supervisor/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	COMMAND_MS = 10000,
	SPACE_MS = 1000, /* between two begins */
	COMMAND_FILES = 64,
	COMMAND_TASKS = 64,
	COMMAND_MIB = 256,
	FILE_BYTES = 64 << 20,
	PROGRAM_FD = 3,
};
#define COMMAND_GROUP "alert-command"

/* -- the program ------------------------------------------------------------------------------- */

/* Every folder above it and the file itself: whoever could put another there would choose what runs. O_NOFOLLOW at each step. */
static int program_of(const char *path, struct why *why)
{
	char shown[ROOT_TEXT * 3], part[NAME_MAX + 1];
	int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (const char *from = path; at >= 0 && *from == '/';) {
		from += strspn(from, "/");
		size_t length = strcspn(from, "/");
		bool last = from[length] == '\0';
		if (!length || length > NAME_MAX)
			break;
		memcpy(part, from, length);
		part[length] = '\0';
		snprintf(shown, sizeof shown, "%.*s", (int)(from + length - path), path);
		int next = openat(at, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
		if (at < 0) {
			refuse(why, "%s: %s", shown, strerror(errno));
			return -1;
		}
		if (!only_ours(at, shown, last ? S_IFREG : S_IFDIR, why)) {
			close(at);
			return -1;
		}
		if (last)
			return at;
		from += length;
	}
	if (at >= 0)
		close(at);
	refuse(why, "alert_command: %s is no program", path);
	return -1;
}

/* -- the child --------------------------------------------------------------------------------- */

static bool limit(int what, rlim_t most)
{
	return setrlimit((__rlimit_resource_t)what, &(struct rlimit){most, most}) == 0;
}

static _Noreturn void child(const struct jail *jail, int program, int input, int null)
{
	char name[] = "alert-command", language[] = "LANG=C.UTF-8",
	     path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *arguments[] = {name, NULL}, *environment[] = {language, path, NULL};
	int fds[] = {input, null, null, program};
	bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == jail->supervisor && setsid() >= 0;
	birth_signals();
	for (int i = 0; i < 4; i++)
		ready = ready && (fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64)) >= 0;
	/* The program stays open without close-on-exec: for a script, its interpreter reads it by that number. */
	for (int i = 0; i < 4; i++)
		ready = ready && dup2(fds[i], i) >= 0;
	ready = ready && close_range(PROGRAM_FD + 1, ~0U, 0) == 0 && chdir("/") == 0 &&
		limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, COMMAND_FILES) &&
		limit(RLIMIT_FSIZE, FILE_BYTES) && (!jail->as_root || limit(RLIMIT_NPROC, COMMAND_TASKS));
	umask(077);
	if (!ready || jail_drop(jail) != JAIL_NONE || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    !jail_dropped(jail))
		_exit(126);
	execveat(PROGRAM_FD, "", arguments, environment, AT_EMPTY_PATH);
	_exit(127);
}

static pid_t begin(const struct supervisor *s, int program, int input)
{
	uint32_t uid = s->machine.as_root ? s->machine.uid_base + COMMAND_USER : s->machine.own_uid;
	struct jail jail = {.as_root = s->machine.as_root,
			    .uid = uid,
			    .gid = s->machine.as_root ? uid : s->machine.own_gid,
			    .supervisor = getpid()};
	pid_t pid = fork();
	if (pid == 0)
		child(&jail, program, input, s->null);
	return pid;
}

/* -- its end ----------------------------------------------------------------------------------- */

static void note_failure(const struct supervisor *s, const char *why)
{
	reason_about(REASON_COMMAND_FAILED, (struct about){0}, "", "%s: %s",
		     s->config->values[SETTING_alert_command].text, why);
}

static void on_end(void *context, int fd, uint32_t events)
{
	(void)fd, (void)events;
	struct supervisor *s = context;
	struct command *command = &s->command;
	siginfo_t end = {0};
	char why[80];
	if (waitid(P_PID, (id_t)command->pid, &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid == 0)
		return;
	kill(-command->pid,
	     SIGKILL); /* what it left behind; not reaped yet, so the number is still its own */
	waitid(P_PID, (id_t)command->pid, &end, WEXITED | WNOHANG);
	limits_kill(&s->limits, COMMAND_GROUP);
	loop_unwatch(s->loop, command->pidfd);
	close(command->pidfd);
	bool fine = end.si_code == CLD_EXITED && end.si_status == 0;
	snprintf(why, sizeof why,
		 command->killed             ? "it was killed after %d s"
		 : end.si_code == CLD_EXITED ? "it ended with code %d"
					     : "signal %d ended it",
		 command->killed ? COMMAND_MS / 1000 : end.si_status);
	if (fine)
		reason_over_about(REASON_COMMAND_FAILED, (struct about){0}, NULL);
	else
		note_failure(s, why);
	log_line(fine ? LOG_INFO : LOG_WARN, "command.ended", "pid=%d how=\"%s\"", command->pid, why);
	control_done(s, command->serial, fine ? ERR_OK : ERR_UNAVAILABLE, why);
	command->pid = 0;
	command->pidfd = -1;
}

void command_turn(struct supervisor *s, uint64_t now)
{
	struct command *command = &s->command;
	bool late = s->stopping || elapsed_ms(now, command->began_ms) > COMMAND_MS;
	if (!command->pid || command->killed || !late)
		return;
	command->killed = true;
	kill(-command->pid, SIGKILL);
	kill(command->pid, SIGKILL); /* should it be killed before it leads its group */
}

void command_end(struct supervisor *s)
{
	if (!s->command.pid)
		return;
	kill(-s->command.pid, SIGKILL);
	kill(s->command.pid, SIGKILL);
	waitpid(s->command.pid, NULL, 0);
	limits_leave(&s->limits, COMMAND_GROUP);
	close(s->command.pidfd);
}

/* -- its begin --------------------------------------------------------------------------------- */

/* The struct came from another process: text ends, kinds and codes are some that there are. */
static bool well_formed(const struct alert_news *news)
{
	return memchr(news->detail, '\0', sizeof news->detail) && (!news->kind || actor_row(news->kind)) &&
	       news->node <= NODES_MAX && alert_row(news->code);
}

static void run(struct supervisor *s, int program, const char *body, size_t length, struct why *why)
{
	struct command *command = &s->command;
	int input[2];
	command->killed = false;
	if (pipe2(input, O_CLOEXEC | O_NONBLOCK) != 0) {
		refuse(why, "no pipe: %s", strerror(errno));
		return;
	}
	fcntl(input[0], F_SETFL, 0);
	bool wrote = write(input[1], body, length) == (ssize_t)length; /* less than a pipe holds */
	close(input[1]);
	command->pid = wrote ? begin(s, program, input[0]) : -1;
	close(input[0]);
	command->pidfd = command->pid > 0 ? pidfd_open(command->pid, 0) : -1;
	if (command->pidfd >= 0 && loop_watch(s->loop, command->pidfd, EPOLLIN, on_end, s)) {
		limits_enter(&s->limits, COMMAND_GROUP, command->pid, COMMAND_MIB);
		return;
	}
	refuse(why, "no process: %s", strerror(errno));
	if (command->pid > 0) {
		kill(command->pid, SIGKILL);
		waitpid(command->pid, NULL, 0);
	}
	if (command->pidfd >= 0)
		close(command->pidfd);
	command->pid = 0;
	command->pidfd = -1;
}

void command_ask(struct supervisor *s, const struct control_alert *alert)
{
	struct command *command = &s->command;
	const char *path = s->config->values[SETTING_alert_command].text;
	char body[ALERT_JSON];
	struct why why = {""};
	uint32_t serial = alert->ask.serial;
	size_t length = well_formed(&alert->news)
				? alert_json(&alert->news, s->config->values[SETTING_name].text, body)
				: 0;
	if (!length) {
		log_warn("control.malformed", "verb=alert");
		return;
	}
	if (command->pid || (command->began_ms && elapsed_ms(now_ms(), command->began_ms) < SPACE_MS)) {
		control_done(s, serial, ERR_BUSY, "one runs, or ran a moment ago");
		return;
	}
	if (!*path || s->stopping) {
		control_done(s, serial, ERR_REFUSED, "there is no alert_command");
		return;
	}
	command->began_ms = now_ms();
	command->serial = serial;
	int program = program_of(path, &why);
	if (program >= 0) {
		run(s, program, body, length, &why);
		close(program);
	}
	if (command->pid) {
		log_info("command.begun", "pid=%d seq=%llu", command->pid,
			 (unsigned long long)alert->news.seq);
		return;
	}
	note_failure(s, why.text);
	control_done(s, serial, ERR_REFUSED, why.text);
}
