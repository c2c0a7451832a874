/* The prober: takes the place of any kind of process, in that process's own jail and under its seal, and
 * tries to get out. `warren selftest isolation` puts it there in a scratch machine, never in yours, and reads
 * its log. Run by hand as root with
 * --control it makes the same attempts from outside, where they must succeed: a probe that cannot get through
 * anywhere proves nothing. Runs as the uid whose place it takes; touches nothing that it gets hold of. */
#include "actors/base/born/born.h"
#include "actors/base/bus.h"
#include "actors/base/log/log.h"
#include "actors/base/seal/seal.h"
#include "actors/base/secret/secret.h"
#include "actors/prober/attack.h"
#include "actors/prober/bus_attacks.h"
#include "proto/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	OTHERS_MS = 1500,  /* until the others are there to be attacked */
	ATTEMPT_MS = 5000, /* one attempt at most */
	NEIGHBOURS = 400,  /* pids tried on either side of our own */
	THROUGH = 127,     /* exit status of an attempt that got through; else the errno that stopped it */
	PAGE = 4096,
};

static const struct attempt *const all[] = {file_attempts, memory_attempts, signal_attempts, socket_attempts};

/* -- one attempt
 * ----------------------------------------------------------------------------------------------------- */

static _Noreturn void attempt_in_child(const struct attempt *attempt, const struct target *target,
				       const char *syscalls, bool sealed)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sealed && seal_syscalls(syscalls, false) == SEAL_FAILED)
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
	for (int waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += 5) {
		if (waited >= ATTEMPT_MS)
			kill(child, SIGKILL);
		meanwhile(context);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return status;
}

/* "through", "killed", or the name of the error that stopped it. */
static const char *outcome(int status)
{
	if (WIFSIGNALED(status))
		return "killed";
	return WEXITSTATUS(status) == THROUGH ? "through" : strerrorname_np(WEXITSTATUS(status));
}

static const char *try_in_child(const struct attempt *attempt, const struct target *target,
				const char *syscalls, bool sealed, void (*meanwhile)(void *), void *context)
{
	pid_t child = fork();
	if (child == 0)
		attempt_in_child(attempt, target, syscalls, sealed);
	return child < 0 ? "not-tried" : outcome(wait_for(child, meanwhile, context));
}

/* -- in a process's place
 * -------------------------------------------------------------------------------------------- */

struct prober {
	struct born born;
	struct bus bus;
	struct target target;
	uint64_t beaten_ms;
	unsigned attempts, through;
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Beats; and where we took the broker's place, lets the others be born. */
static void live(void *context)
{
	struct prober *self = context;
	if (now_ms() - self->beaten_ms >= LIFE_BEAT_MS) {
		self->beaten_ms = now_ms();
		born_pulse(LIFE_BEAT);
	}
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

/* Every process near us that is there at all: kill(pid, 0) tells so even where it is forbidden. */
static void find_victims(struct target *target)
{
	for (pid_t pid = getpid() - NEIGHBOURS;
	     pid < getpid() + NEIGHBOURS && target->victim_count < VICTIMS_MAX; pid++)
		if (pid > 1 && pid != getpid() && (kill(pid, 0) == 0 || errno == EPERM))
			target->victims[target->victim_count++] = pid;
}

static void report(struct prober *self, unsigned row, const char *name, const char *what)
{
	self->attempts++;
	self->through += strcmp(what, "through") == 0 || strcmp(what, "not-tried") == 0;
	log_info("probe.attempt", "row=%u outcome=%s name=\"%s\"", row, what, name);
}

static void attack_from_children(struct prober *self)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (const struct attempt *attempt = all[i]; attempt->name; attempt++)
			report(self, attempt->row, attempt->name,
			       try_in_child(attempt, &self->target, self->born.row->syscalls, true, live,
					    self));
}

/* Rows 8 to 10 as the process that the roster knows. The broker asks nobody, so it has no such rights to
 * overstep. */
static void attack_over_bus(struct prober *self)
{
	if (self->born.row->kind == BROKER)
		return;
	char path[200];
	snprintf(path, sizeof path, "%s/" SOCKET_BUS, self->born.run_path);
	struct bus_attack attack = {.path = path, .born = &self->born, .live = live, .context = self};
	for (const struct bus_attempt *attempt = bus_attempts; attempt->name; attempt++)
		report(self, attempt->row, attempt->name, attempt->try(&attack) ? "through" : "denied");
	log_info("probe.control", "forbidden=%u allowed=%u welcomed=%d", attack.forbidden, attack.allowed,
		 attack.welcomed);
}

/* Scribe's own lines are read by nobody when we took its place: they go to its folder instead. */
static void log_to_own_folder(const struct prober *self)
{
	char path[256];
	snprintf(path, sizeof path, "%s/" SELFTEST_LOG, self->born.self_path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		dup2(fd, FD_LOG);
}

static int attack(struct prober *self)
{
	enum secret_wall wall;
	int signals = born_signals();
	if (seal_files(self->born.self_path, self->born.birth.dial, false) == SEAL_FAILED)
		return EXIT_WORLD;
	if (self->born.row->kind == SCRIBE)
		log_to_own_folder(self);
	self->target = (struct target){.root = SELFTEST_ROOT,
				       .run = self->born.run_path,
				       .node = self->born.birth.node,
				       .wallet = self->born.row->kind == WALLET,
				       .store = self->born.row->kind == STORE,
				       .page = secret_new(PAGE, SECRET_HIDDEN, &wall),
				       .parent = getpid()};
	born_pulse(LIFE_READY);
	live_for(self, OTHERS_MS);
	find_victims(&self->target);
	attack_from_children(self);
	attack_over_bus(self);
	log_info("probe.done", "actor=%s node=%u attempts=%u through=%u victims=%zu page=%s",
		 self->born.row->name, self->born.birth.node, self->attempts, self->through,
		 self->target.victim_count, secret_wall_name(wall));
	while (!born_told_to_end(signals))
		live_for(self, 50);
	return 0;
}

/* -- from outside
 * ---------------------------------------------------------------------------------------------------- */

static void nothing(void *context)
{
	(void)context;
}

/* prober --control ROOT PID…: every attempt, as whoever runs this. Prints a line for each; the caller expects
 * "through". */
static int control(int argc, char **argv)
{
	char run[300];
	snprintf(run, sizeof run, "%s/run", argv[0]);
	struct target target = {.root = argv[0], .run = run, .parent = getpid()};
	target.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 1; i < argc && target.victim_count < VICTIMS_MAX; i++)
		target.victims[target.victim_count++] = (pid_t)strtol(argv[i], NULL, 10);
	memset((void *)target.page, 'x', PAGE);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (const struct attempt *attempt = all[i]; attempt->name; attempt++)
			printf("%u\t%s\t%s\n", attempt->row,
			       try_in_child(attempt, &target, "", false, nothing, NULL), attempt->name);
	return 0;
}

int main(int argc, char **argv)
{
	static struct prober self;
	if (argc > 2 && strcmp(argv[1], "--control") == 0)
		return control(argc - 2, argv + 2);
	const char *name = argc ? strrchr(argv[0], '-') : NULL; /* "warren-store": whose place we take */
	enum kind kind = name ? kind_by_name(name + 1, (unsigned)strlen(name + 1)) : KIND_NONE;
	if (kind == KIND_NONE || !born_read(&self.born, kind))
		return EXIT_CONFIG;
	return attack(&self);
}
