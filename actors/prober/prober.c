/* The prober: takes the place of any kind of process, in that process's own jail and under its seal, and
 * tries to get out. `warren selftest isolation` puts it there in a scratch machine, never in yours, and reads
 * its log. It waits for the selftest's sign, which names the processes to attack: no other is touched. Run by hand as root with
 * --control it makes the same attempts from outside, where they must succeed: a probe that cannot get through
 * anywhere proves nothing. Runs as the uid whose place it takes; touches nothing that it gets hold of. */
#include "actors/base/born/born.h"
#include "actors/base/bus.h"
#include "actors/base/clock/clock.h"
#include "actors/base/log/log.h"
#include "actors/base/seal/seal.h"
#include "actors/base/secret/secret.h"
#include "actors/prober/attack.h"
#include "actors/prober/bus_attacks.h"
#include "actors/prober/pump.h"
#include "actors/prober/selftest.h"
#include "proto/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ATTEMPT_MS = 10000, /* one attempt at most */
	POLL_MS = 2,
	THROUGH = 127, /* exit status of an attempt that got through; else the errno that stopped it */
	PAGE = 4096,
	DESCRIPTORS = 256, /* looked at for those that no row gives */
	OUTSIDE_FILES = 64,
	OUTSIDE_MIB = 64,
};

/* What a child does before it tries: its half of the seal, or in the control nothing. */
struct shell {
	const char *syscalls;
	bool sealed, pretend;
};

/* -- one attempt
 * ----------------------------------------------------------------------------------------------------- */

static _Noreturn void attempt_in_child(const struct attempt *attempt, struct target *target,
				       const struct shell *shell)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pipe2(target->pipe, O_CLOEXEC) != 0 ||
	    (shell->sealed && seal_syscalls(shell->syscalls, shell->pretend) == SEAL_FAILED))
		_exit(THROUGH); /* no seal, no proof */
	errno = 0;
	bool through = attempt->try(target);
	_exit(through ? THROUGH : errno > 0 && errno < THROUGH ? errno : 1);
}

/* While it waits, the life of the process goes on: the supervisor gets its beats, and the roster its
 * acknowledgements. */
static int wait_for(pid_t child, void (*meanwhile)(void *), void *context)
{
	int status = 0;
	for (int waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += POLL_MS) {
		if (waited == ATTEMPT_MS)
			kill(child, SIGKILL);
		meanwhile(context);
		nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
	}
	return status;
}

/* "through", "killed" (by seccomp), "ended" (by another signal), or the name of the error that stopped it. */
static const char *outcome(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? "killed" : "ended";
	return WEXITSTATUS(status) == THROUGH ? "through" : strerrorname_np(WEXITSTATUS(status));
}

static const char *try_in_child(const struct attempt *attempt, struct target *target,
				const struct shell *shell, void (*meanwhile)(void *), void *context)
{
	pid_t child = fork();
	if (child == 0)
		attempt_in_child(attempt, target, shell);
	return child < 0 ? "not-tried" : outcome(wait_for(child, meanwhile, context));
}

/* Open descriptors from `first` on. To be asked before we open any. */
static unsigned descriptors_from(int first)
{
	unsigned count = 0;
	for (int fd = first; fd < DESCRIPTORS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* -- in a process's place
 * -------------------------------------------------------------------------------------------- */

struct prober {
	struct born born;
	struct bus bus;
	struct target target;
	struct pump pump;
	bool pumps;
	uint64_t beaten_ms;
	unsigned attempts, through;
};

static bool pretends(const struct prober *self, enum wall wall)
{
	return self->born.birth.pretend & 1U << wall;
}

/* Beats; and where we took the broker's place, lets the others be born; where we took scribe's, lets the broker be heard. */
static void live(void *context)
{
	struct prober *self = context;
	if (now_ms() - self->beaten_ms >= LIFE_BEAT_MS) {
		self->beaten_ms = now_ms();
		born_pulse(LIFE_BEAT);
	}
	if (self->pumps)
		pump_turn(&self->pump);
	struct roster_entry entry;
	if (!(self->born.row->opens & FD_ROSTER))
		return;
	int roster = birth_fd(self->born.row, FD_ROSTER);
	while (recv(roster, &entry, sizeof entry, MSG_DONTWAIT) == sizeof entry) {
		entry.verb = ROSTER_ACK;
		send(roster, &entry, sizeof entry, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

static void live_for(struct prober *self, uint64_t ms)
{
	for (uint64_t end = now_ms() + ms; now_ms() < end;) {
		live(self);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

static void report(struct prober *self, unsigned row, const char *symbol, const char *what, const char *name)
{
	self->attempts++;
	self->through += strcmp(what, "through") == 0 || strcmp(what, "not-tried") == 0;
	log_info("probe.attempt", "row=%u symbol=%s outcome=%s name=\"%s\"", row, symbol, what, name);
}

static void attack_from_children(struct prober *self, const struct attempt *first, const struct attempt *end)
{
	struct shell shell = {self->born.row->syscalls, true, pretends(self, WALL_SECCOMP)};
	for (const struct attempt *attempt = first; attempt != end; attempt++)
		if (!(attempt->except & OF(self->born.row->kind)))
			report(self, attempt->row, attempt->symbol,
			       try_in_child(attempt, &self->target, &shell, live, self), attempt->name);
}

/* Rows 8 to 10 as the process that the roster knows. The broker asks nobody, so it has no such rights to
 * overstep; and where scribe was replaced, so was the broker. */
static void attack_over_bus(struct prober *self)
{
	if (self->born.row->kind == BROKER || self->born.row->kind == SCRIBE)
		return;
	char path[200];
	snprintf(path, sizeof path, "%s/" SOCKET_BUS, self->born.run_path);
	struct bus_attack attack = {.path = path, .born = &self->born, .live = live, .context = self};
	for (const struct bus_attempt *attempt = bus_attempts; attempt->name; attempt++)
		report(self, attempt->row, attempt->symbol, attempt->try(&attack) ? "through" : "denied",
		       attempt->name);
	log_info("probe.control", "forbidden=%u allowed=%u welcomed=%d", attack.forbidden, attack.allowed,
		 attack.welcomed);
}
static int new_log(const struct prober *self, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", self->born.self_path, name);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Scribe's own lines are read by nobody when we took its place, nor are the broker's: they go to its folder instead. */
static void read_by_ourselves(struct prober *self)
{
	int fd = new_log(self, SELFTEST_LOG);
	if (fd >= 0)
		dup2(fd, FD_LOG);
	self->pump.from = birth_fd(self->born.row, FD_LOGS);
	self->pump.broker = new_log(self, SELFTEST_BROKER_LOG);
	self->pumps = true;
}

static bool seal(struct prober *self, enum secret_wall *wall)
{
	struct target *target = &self->target;
	*target = (struct target){.root = SELFTEST_ROOT,
				  .run = self->born.run_path,
				  .self = self->born.self_path,
				  .node = self->born.birth.node,
				  .wallet = self->born.row->kind == WALLET,
				  .store = self->born.row->kind == STORE,
				  .scribe = self->born.row->kind == SCRIBE,
				  .files = self->born.row->files,
				  .memory_mib = self->born.row->memory_mib,
				  .surplus = target->surplus,
				  .memory_file = memfd_create("prober", 0),
				  .parent = getpid()};
	target->page = secret_new(PAGE, pretends(self, WALL_SECRETS) ? SECRET_LOCKED : SECRET_HIDDEN, wall);
	if (pretends(self, WALL_DUMPABLE))
		prctl(PR_SET_DUMPABLE, 1);
	return seal_files(self->born.self_path, pretends(self, WALL_LANDLOCK)) != SEAL_FAILED &&
	       seal_ports(self->born.birth.dials, pretends(self, WALL_PORTS)) != SEAL_FAILED &&
	       seal_scopes(pretends(self, WALL_SCOPES)) != SEAL_FAILED;
}

/* Until the selftest has seen that everybody is there. False, too, when we are not one of those: reborn after an attempt that ended
 * its own prober, and not to try again. */
static bool told_to_begin(struct prober *self, int signals)
{
	while (!target_read(&self->target, getpid())) {
		if (born_told_to_end(signals))
			return false;
		live_for(self, 10);
	}
	if (!self->target.meant)
		log_info("probe.reborn", "actor=%s", self->born.row->name);
	return self->target.meant;
}

/* Those of a second node are there to be attacked. */
static int attack(struct prober *self)
{
	enum secret_wall wall;
	int signals = born_signals();
	if (!seal(self, &wall))
		return EXIT_WORLD;
	if (self->born.row->kind == SCRIBE)
		read_by_ourselves(self);
	born_pulse(LIFE_READY);
	if (self->born.birth.node <= 1 && told_to_begin(self, signals)) {
		attack_from_children(self, attempts, &attempts[ATTEMPTS - 1]);
		attack_over_bus(self);
		log_info("probe.done",
			 "actor=%s node=%u attempts=%u through=%u victims=%zu missing=%x page=%s",
			 self->born.row->name, self->born.birth.node, self->attempts, self->through,
			 self->target.victim_count, self->born.birth.missing, secret_wall_name(wall));
		attack_from_children(self, &attempts[ATTEMPTS - 1], &attempts[ATTEMPTS]);
	}
	while (!born_told_to_end(signals))
		live_for(self, 20);
	return 0;
}

/* -- from outside
 * ---------------------------------------------------------------------------------------------------- */

static void nothing(void *context)
{
	(void)context;
}

/* prober --control ROOT: every attempt, as whoever runs this. Prints a line for each; the caller expects
 * "through". Mounts are tried in a namespace of our own, so that nobody sees one. */
static int control(const char *root)
{
	char run[300], self[300];
	struct shell none = {"", false, false};
	struct rlimit files;
	snprintf(run, sizeof run, "%s/run", root);
	snprintf(self, sizeof self, "%s/" SELFTEST_OUTSIDE, root);
	struct target target = {.root = root,
				.run = run,
				.self = self,
				.files = OUTSIDE_FILES,
				.memory_mib = OUTSIDE_MIB,
				.outside = true,
				.parent = getpid()};
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){files.rlim_max, files.rlim_max});
	target.memory_file = memfd_create("prober", 0);
	target.surplus = descriptors_from(target.memory_file);
	target.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset((void *)target.page, 'x', PAGE);
	if (!target_read(&target, getpid()))
		return 1;
	for (const struct attempt *attempt = attempts; attempt->name; attempt++) {
		printf("%u\t%s\t%s\t%s\n", attempt->row, attempt->symbol,
		       try_in_child(attempt, &target, &none, nothing, NULL), attempt->name);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct prober self;
	if (argc == 3 && strcmp(argv[1], "--control") == 0)
		return control(argv[2]);
	const char *name = argc ? strrchr(argv[0], '-') : NULL; /* "warren-store": whose place we take */
	enum kind kind = name ? kind_by_name(name + 1, (unsigned)strlen(name + 1)) : KIND_NONE;
	if (kind == KIND_NONE)
		return EXIT_CONFIG;
	uint32_t gives = actor_row(kind)->opens & ~(uint32_t)FD_DIALS;
	self.target.surplus = descriptors_from(FD_FIRST + __builtin_popcount(gives));
	return born_read(&self.born, kind) ? attack(&self) : EXIT_CONFIG;
}
