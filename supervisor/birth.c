/* From fork to exec. The supervisor's side ends with the fork; the rest runs in the child, in this order:
 * death with the supervisor, signals, descriptors, the gate, the jail, the report, the program. Until the
 * exec the child is a copy of the supervisor, less the unlock secret (unlock.c), so everything it does not
 * need goes first. */
#include "supervisor/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	GIVEN_MOST = FD_FIRST + BIRTH_GIVES,
	TOOLS_FROM = 64, /* above every descriptor that a program is given */
	TOOLS = 5,
	ENVIRONMENT_TEXT = 256,
};

/* What the child needs until the exec, and no longer: all close-on-exec. */
struct tools {
	int gate, report, program, self, run;
};

static _Noreturn void give_up(int report, enum jail_step step)
{
	struct birth_report failed = {.step = step, .error = errno};
	ssize_t wrote = write(report, &failed, sizeof failed);
	(void)wrote; /* the supervisor sees the end in any case */
	_exit(EXIT_WORLD);
}

/* -- signals ----------------------------------------------------------------------------------- */

void birth_signals(void)
{
	sigset_t none;
	for (int signal = 1; signal < NSIG; signal++)
		sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL},
			  NULL); /* KILL and STOP refuse: fine */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* -- descriptors ------------------------------------------------------------------------------- */

static void close_between(unsigned first, unsigned last)
{
	if (first > last || close_range(first, last, 0) == 0)
		return;
	struct rlimit open; /* before Linux 5.9 */
	unsigned end = getrlimit(RLIMIT_NOFILE, &open) == 0 && open.rlim_cur <= last ? (unsigned)open.rlim_cur
										     : last;
	for (unsigned fd = first; fd <= end; fd++)
		close((int)fd);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Closes everything from `first` on but the tools. */
static void close_others(unsigned first, const struct tools *tools)
{
	int keep[TOOLS] = {tools->gate, tools->report, tools->program, tools->self, tools->run};
	qsort(keep, TOOLS, sizeof *keep, by_number);
	for (int i = 0; i < TOOLS; i++) {
		close_between(first, (unsigned)keep[i] - 1);
		first = (unsigned)keep[i] + 1;
	}
	close_between(first, ~0U);
}

static bool lift(int *fd)
{
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, TOOLS_FROM);
	return *fd >= 0;
}

/* First everything above the numbers that matter, then down to its place: no descriptor is overwritten before
 * it is used. */
static bool arrange(const struct birth_plan *plan, struct tools *tools)
{
	int given[GIVEN_MOST] = {plan->in, plan->out, plan->log, plan->life, plan->record};
	int count = FD_FIRST;
	for (int bit = 0; bit < BIRTH_GIVES && !plan->init; bit++)
		if (plan->row->opens & 1U << bit)
			given[count++] = plan->gives[bit];
	if (plan->init && plan->extra >= 0)
		given[count++] = plan->extra;
	for (int i = 0; i < count; i++)
		if (!lift(&given[i]))
			return false;
	if (!lift(&tools->gate) || !lift(&tools->report) || !lift(&tools->program) || !lift(&tools->self) ||
	    !lift(&tools->run))
		return false;
	for (int i = 0; i < count; i++)
		if (dup2(given[i], i) < 0)
			return false;
	close_others((unsigned)count, tools);
	return true;
}

/* -- the program ------------------------------------------------------------------------------- */

/* The time zone's name, when it looks like one. */
static bool time_zone(char text[ENVIRONMENT_TEXT])
{
	const char *zone = getenv("TZ");
	size_t length = zone ? strlen(zone) : 0;
	const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/:,.<>";
	if (!length || length > 64 || strspn(zone, letters) != length)
		return false;
	return snprintf(text, ENVIRONMENT_TEXT, "TZ=%s", zone) < ENVIRONMENT_TEXT;
}

static void begin(const struct birth_plan *plan, int program, const struct jailed *jailed)
{
	char name[32], flag[] = "--init", language[] = "LANG=C.UTF-8";
	char zone[ENVIRONMENT_TEXT], self[ENVIRONMENT_TEXT], run[ENVIRONMENT_TEXT];
	snprintf(name, sizeof name, "warren-%s", plan->row->name);
	char *arguments[] = {name, plan->init ? flag : NULL, NULL};
	char *environment[5] = {language};
	int count = 1;
	if (time_zone(zone))
		environment[count++] = zone;
	if (!jailed->moved) {
		snprintf(self, sizeof self, "WARREN_SELF=%s", plan->jail.self);
		snprintf(run, sizeof run, "WARREN_RUN=%s", plan->jail.run);
		environment[count++] = self;
		environment[count++] = run;
	}
	execveat(program, "", arguments, environment, AT_EMPTY_PATH);
}

static bool gate_opens(int gate)
{
	char byte;
	ssize_t got;
	do
		got = read(gate, &byte, 1);
	while (got < 0 && errno == EINTR);
	close(gate);
	return got == 1;
}

static _Noreturn void child(const struct birth_plan *plan, int gate, int report)
{
	struct tools tools = {gate, report, plan->jail.program, plan->jail.self_fd, plan->jail.run_fd};
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != plan->jail.supervisor)
		_exit(EXIT_WORLD);
	if (setsid() < 0) /* SIGCONT crosses uids within a session */
		give_up(report, JAIL_SESSION);
	birth_signals();
	if (!arrange(plan, &tools))
		give_up(report, JAIL_DESCRIPTORS);
	if (!gate_opens(tools.gate))
		_exit(EXIT_WORLD);
	struct jail jail = plan->jail;
	jail.self_fd = tools.self;
	jail.run_fd = tools.run;
	jail.program = tools.program;
	jail.foreign = plan->row->opens & FD_FOREIGN ? birth_fd(plan->row, FD_FOREIGN) : -1;
	struct jailed jailed;
	enum jail_step failed = jail_build(&jail, &jailed);
	if (failed)
		give_up(tools.report, failed);
	struct birth_report built = {.step = JAIL_NONE, .missing = jailed.missing};
	if (write(tools.report, &built, sizeof built) != sizeof built)
		_exit(EXIT_WORLD);
	begin(plan, tools.program, &jailed);
	give_up(tools.report, JAIL_EXEC);
}

/* -- the supervisor's side --------------------------------------------------------------------- */

static void close_pair(const int pair[2])
{
	int error = errno;
	close(pair[0]);
	close(pair[1]);
	errno = error;
}

bool birth_fork(const struct birth_plan *plan, struct newborn *newborn)
{
	int gate[2], report[2];
	if (pipe2(gate, O_CLOEXEC) != 0)
		return false;
	if (pipe2(report, O_CLOEXEC) != 0) {
		close_pair(gate);
		return false;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(gate[1]); /* so that the end of the supervisor is the end of the gate */
		child(plan, gate[0], report[1]);
	}
	if (pid < 0) {
		close_pair(gate);
		close_pair(report);
		return false;
	}
	close(gate[0]);
	close(report[1]);
	*newborn = (struct newborn){pid, pidfd_open(pid, 0), gate[1], report[0]};
	if (newborn->pidfd >= 0 && fcntl(newborn->report, F_SETFL, O_NONBLOCK) == 0)
		return true;
	int error = errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(newborn->gate);
	close(newborn->report);
	if (newborn->pidfd >= 0)
		close(newborn->pidfd);
	errno = error;
	return false;
}
