/* The supervisor's life: open, turn, reload, stop. One thread, one loop; nothing in it waits for a process.
 * When it dies, the kernel kills every process (PR_SET_PDEATHSIG) and closes every listener; the next one
 * removes the names left behind. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "supervisor/host.h"
#include "supervisor/jail.h"
#include "supervisor/journal.h"
#include "supervisor/log_folder.h"
#include "supervisor/make.h"
#include "supervisor/notify.h"
#include "supervisor/occupied.h"
#include "supervisor/ready.h"
#include "supervisor/status.h"

#include "proto/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TURN_MS = 250, /* the table is walked at least this often … */
	BUSY_MS = 10,  /* … and this often while it keeps finding something to do */
	STEPS_AT_ONCE = 3,
	MEASURE_MS = 1000, /* between two looks at memory */
	ABSENT_MS = 1000,  /* we were not scheduled for so long: no silence of others counts */
	FILES_OF_PROCESS = 5,
	FILES_OF_OURS = 128, /* listeners, channels, and the births under way */
	DOOR_TRIES = 20,     /* for a socket of ROOT/run that somebody has */
	STOP_ALL_MS = 9500,  /* after this we go, whoever is still there (FEATURES A18: 10 s) */
};

/* -- opening ----------------------------------------------------------------------------------- */

static void harden_ourselves(void)
{
	struct rlimit files;
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int open_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void on_signal(void *context, int fd, uint32_t events)
{
	(void)events;
	struct supervisor *s = context;
	struct signalfd_siginfo info;
	while (read(fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGHUP)
			s->reload = true;
		else
			stop_asked(s, info.ssi_signo == SIGTERM);
		s->dirty = true;
	}
}

/* A program that anybody else can change, or that is not there, is no matter of one node: nothing starts. All
 * are named. */
static bool check_programs(const struct supervisor *s, struct why *why)
{
	bool fine = true, readable;
	for (unsigned kind = 1; kind < READER; kind++) {
		struct why one;
		int fd = actor_row(kind) ? program_open(&s->machine, (enum kind)kind, &readable, &one) : -1;
		if (fd >= 0)
			close(fd);
		if (!actor_row(kind) || fd >= 0)
			continue;
		fprintf(stderr, "%s\n", one.text);
		fine = refuse(why, "not all programs can be run; nothing was started");
	}
	return fine;
}

/* Folders of the machine's own processes that came after the machine was made, or come with a setting. */
static bool make_places(const struct supervisor *s, struct why *why)
{
	const struct machine *machine = &s->machine;
	return make_folder(machine, machine->own, "steward", 0700, machine_uid(machine, STEWARD, 0), why) &&
	       (!*s->config->chain.name ||
		make_folder(machine, machine->own, "chain", 0700, machine_uid(machine, CHAIN, 0), why)) &&
	       (!s->config->anvil_port ||
		make_folder(machine, machine->own, "anvil", 0700, machine_uid(machine, ANVIL, 0), why));
}

static bool load(struct supervisor *s, struct why *why)
{
	char etc[ROOT_TEXT + 8];
	struct mistakes mistakes = {0};
	snprintf(etc, sizeof etc, "%s/etc", s->machine.root);
	s->config = config_load(s->machine.etc, etc, &mistakes);
	if (!s->config) {
		mistakes_print(&mistakes, stderr);
		refuse(why, "%u mistakes in the configuration; nothing was started", mistakes.count);
		mistakes_end(&mistakes);
		return false;
	}
	if (s->machine.as_root && s->config->without & 1U << WALL_UID)
		return refuse(why, "without = \"uid\" makes no sense for root; be another user");
	if (s->machine.as_root && !jail_possible(why))
		return false;
	return check_programs(s, why) && make_places(s, why) &&
	       unlock_begin(&s->machine, s->config, &s->unlock, &s->locked, s->unlocking.check, why);
}

/* Of each process: its life, its pidfd, both ends of its log pipe, its listener. */
static bool enough_files(const struct supervisor *s, struct why *why)
{
	struct rlimit files;
	unsigned needs = FILES_OF_OURS;
	for (unsigned kind = 1; kind < READER; kind++)
		if (actor_row(kind))
			needs += FILES_OF_PROCESS *
				 (actor_row(kind)->scope == PER_NODE ? s->config->count : 1);
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || needs <= files.rlim_cur)
		return true;
	return refuse(why,
		      "%u nodes need %u open files, and %llu are allowed; raise LimitNOFILE (systemd) or "
		      "ulimit -n",
		      s->config->count, needs, (unsigned long long)files.rlim_cur);
}

static bool open_all(struct supervisor *s, struct why *why)
{
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	s->loop = loop_new();
	s->signals = open_signals();
	if (s->null < 0 || !s->loop || s->signals < 0 ||
	    !loop_watch(s->loop, s->signals, EPOLLIN, on_signal, s))
		return refuse(why, "cannot begin: %s", strerror(errno));
	for (int door = 0; door < DOORS; door++)
		if (!door_open(s, door, DOOR_TRIES, why))
			return false;
	if (!unlocking_open(s, why))
		return false;
	limits_open(&s->limits, s->config->without);
	log_folder_share(&s->machine, s->config->operators);
	s->occupied = occupied_open(&s->machine);
	if (s->occupied < 0)
		return refuse(why, "%s/machine/nodes: %s", s->machine.root, strerror(errno));
	if (!machine_write_pid(&s->machine))
		return refuse(why, "%s/run/warrend.pid: %s", s->machine.root, strerror(errno));
	if (!enough_files(s, why))
		return false;
	chain_publish(s);
	return family_declare(s) || refuse(why, "no pipes for logs: %s", strerror(errno));
}

/* A process gets what its row says, or our own limit where that is lower: it runs, with less room. */
static void say_short_limits(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	for (unsigned kind = 1; kind < READER; kind++) {
		const struct actor_row *row = actor_row(kind);
		if (!row || row->files <= files.rlim_max)
			continue;
		log_warn("limits.files", "actor=%s wants=%u has=%llu next=\"raise LimitNOFILE\"", row->name,
			 row->files, (unsigned long long)files.rlim_max);
		reason_about(REASON_FILES_SHORT, (struct about){0}, row->name, "it wants %u and has %llu",
			     row->files, (unsigned long long)files.rlim_max);
	}
}

static void say_notes(const struct config *config)
{
	struct why why;
	for (unsigned i = 0; i < config->notes.count && i < MISTAKES_MAX; i++) {
		refuse(&why, "%s", config->notes.lines[i]);
		log_info("config.older", "at=\"%s\" next=\"warrend migrate writes it\"", quotable(&why));
	}
}

/* From here on our own lines go the way of everybody's: into a pipe that scribe reads. */
static bool go_to_background(struct supervisor *s, struct why *why)
{
	int pipe[2];
	if (!log_pipe(pipe))
		return refuse(why, "no pipe for our own log: %s", strerror(errno));
	s->logs.own_read = pipe[0];
	s->logs.own_write = pipe[1];
	if (dup2(s->null, STDIN_FILENO) < 0 || dup2(s->null, STDOUT_FILENO) < 0 ||
	    dup2(pipe[1], STDERR_FILENO) < 0)
		return refuse(why, "cannot leave the terminal: %s", strerror(errno));
	return true;
}

/* -- reload ------------------------------------------------------------------------------------ */

static void say_what_changed(struct supervisor *s, const struct config *fresh)
{
	for (unsigned i = 0; i < fresh->count; i++) {
		const struct node_config *old = config_node(s->config, fresh->nodes[i].node);
		if (!old || config_same(old, &fresh->nodes[i]))
			continue;
		log_info("node.changed", "node=%u next=\"warren restart %u\"", old->node, old->node);
		reason_about(REASON_CHANGE_WAITS, (struct about){KIND_NONE, old->node, 0}, "",
			     "its configuration was changed and read");
	}
	if (!config_same_machine(s->config, fresh))
		log_info("config.machine", "next=\"warren down, then warren up\"");
}

/* An alert each time it is looked at; nodes go on serving what they hold, and nothing is added (FEATURES K18). */
static void look_at_host(struct supervisor *s)
{
	char live[HOST_ID_TEXT], kept[HOST_ID_TEXT];
	struct host_id id = host_look(&s->machine);
	s->id_changed = id.state == HOST_CHANGED;
	if (s->id_changed)
		log_error("machine.changed",
			  "kept=%s now=%s next=\"warren reregister, if this is on purpose\"",
			  host_id_text(&id.kept, kept), host_id_text(&id.live, live));
	if (s->id_changed)
		reason_about(REASON_MACHINE_CHANGED, (struct about){0}, "",
			     "its nodes were made on machine %.12s…, this one is %.12s…", kept, live);
	else
		reason_over_about(REASON_MACHINE_CHANGED, (struct about){0}, NULL);
	if (id.state == HOST_UNKNOWN)
		log_warn("machine.unknown", "why=\"" HOST_ID_FILE " holds no machine id\"");
}

static void retry_misconfigured(struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->processes[i]->state == PROCESS_MISCONFIGURED)
			s->processes[i]->state = PROCESS_WAITING;
}

/* A wallet is told its policy when it is born, and its books outlive it: so a changed policy is a new birth. */
static void apply_policies(struct supervisor *s, const struct config *old)
{
	for (unsigned i = 0; i < s->config->count; i++) {
		const struct node_config *now = &s->config->nodes[i], *was = config_node(old, now->node);
		const char *a = was && was->policy ? was->policy : "", *b = now->policy ? now->policy : "";
		if (!was || strcmp(a, b) == 0)
			continue;
		log_info("policy.changed", "node=%u next=\"wallet@%u starts anew with it\"", now->node,
			 now->node);
		struct process *wallet = family_find(s, WALLET, now->node);
		if (wallet && wallet->pid)
			family_restart(s, WALLET, now->node);
	}
}

bool supervisor_reload(struct supervisor *s, struct why *why)
{
	char etc[ROOT_TEXT + 8];
	struct mistakes mistakes = {0};
	snprintf(etc, sizeof etc, "%s/etc", s->machine.root);
	why->text[0] = '\0';
	struct config *fresh = config_load(s->machine.etc, etc, &mistakes);
	if (fresh && s->machine.as_root && fresh->without & 1U << WALL_UID) {
		mistake(&mistakes, etc, 0, "without = \"uid\" makes no sense as root");
		config_free(&fresh);
	}
	for (unsigned i = 0; i < mistakes.count && i < MISTAKES_MAX; i++) {
		refuse(why, "%s", mistakes.lines[i]);
		log_error("config.mistake", "at=\"%s\"", quotable(why));
		reason_about(REASON_CONFIG_MISTAKE, (struct about){0}, "", "%s", why->text);
	}
	if (!fresh) {
		refuse(why, "%s", mistakes.lines[0]);
		mistakes_end(&mistakes);
		return false;
	}
	say_what_changed(s, fresh);
	struct config *old = s->config;
	s->config = fresh;
	log_folder_share(&s->machine, fresh->operators);
	struct why place;
	if (!make_places(s, &place))
		log_error("config.place", "why=\"%s\"", quotable(&place));
	family_declare(s);
	apply_policies(s, old);
	chain_apply(s, old);
	chain_publish(s);
	config_free(&old);
	retry_misconfigured(s);
	look_at_host(s);
	say_notes(s->config);
	log_info("config.read", "nodes=%u", s->config->count);
	reason_over_about(REASON_CONFIG_MISTAKE, (struct about){0}, NULL);
	return true;
}

/* What commands beside us see of it (occupied.h). */
static void say_occupied(struct supervisor *s)
{
	bool occupied[NODES_MAX + 1] = {false};
	for (unsigned i = 0; i < s->count; i++)
		occupied[s->processes[i]->node] |= s->processes[i]->pid != 0;
	for (unsigned node = 1; node <= NODES_MAX; node++)
		if (occupied[node] != s->nodes[node].occupied &&
		    occupied_say(s->occupied, (uint16_t)node, occupied[node]))
			s->nodes[node].occupied = occupied[node];
}

/* -- turning ----------------------------------------------------------------------------------- */

static void everybody_ends(struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		s->processes[i]->wanted = false;
		s->processes[i]->ending = s->processes[i]->pid != 0;
	}
}

static unsigned alive(const struct supervisor *s)
{
	unsigned count = 0;
	for (unsigned i = 0; i < s->count; i++)
		count += s->processes[i]->pid != 0;
	return count;
}

/* We slept, or were stopped: their beats wait in the pipes. Nobody dies of our absence. */
static void forgive_silence(struct supervisor *s, uint64_t now)
{
	for (unsigned i = 0; i < s->count; i++)
		s->processes[i]->beat_ms = now;
}

static uint64_t next_due(const struct supervisor *s, uint64_t now)
{
	uint64_t due = now + TURN_MS;
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		uint64_t next = process->state == PROCESS_BACKOFF ? process->next_ms
				: process->state == PROCESS_READY ? process->beat_ms + LIFE_SILENCE_MS + 1
								  : due;
		due = next < due ? next : due;
	}
	return due > now + BUSY_MS ? due : now + BUSY_MS;
}

static void steps(struct supervisor *s, uint64_t now)
{
	if (s->turned_ms && elapsed_ms(now, s->turned_ms) > ABSENT_MS)
		forgive_silence(s, now);
	bool measure = now / MEASURE_MS != s->turned_ms / MEASURE_MS;
	s->turned_ms = now;
	s->dirty = false;
	if (s->stopping)
		everybody_ends(s);
	else if (s->reload && !s->leaving) {
		struct why why;
		s->reload = false;
		supervisor_reload(s, &why);
	}
	s->births = births_under_way(s);
	stop_look(s);
	for (unsigned i = 0; i < s->count; i++)
		process_step(s, s->processes[i], now);
	logs_turn(s); /* before the gates open: whose lines they are */
	drain_turn(s, now);
	stop_turn(s, now);
	roster_turn(s, now);
	control_turn(s, now);
	command_turn(s, now);
	family_free_gone(s);
	say_occupied(s);
	ready_turn(s, now);
	if (measure && !s->stopping)
		status_measure(s);
	s->due_ms = next_due(s, now);
}

static void feed_watchdog(struct supervisor *s, uint64_t now)
{
	if (!s->watchdog_ms || elapsed_ms(now, s->fed_ms) < s->watchdog_ms)
		return;
	s->fed_ms = now;
	notify("WATCHDOG=1");
}

static void live(struct supervisor *s)
{
	for (;;) {
		uint64_t now = now_ms();
		s->dirty = s->dirty || now >= s->due_ms;
		for (int i = 0; i < STEPS_AT_ONCE && s->dirty; i++)
			steps(s, now_ms());
		if (s->stopping && (!alive(s) || elapsed_ms(now, s->stop_ms) > STOP_ALL_MS))
			return;
		feed_watchdog(s, now);
		loop_turn(s->loop, s->dirty ? BUSY_MS : (int)(s->due_ms - now));
	}
}

/* -- the end ----------------------------------------------------------------------------------- */

/* Who is left now is stuck in the kernel; it dies when the kernel lets it. */
static unsigned kill_the_rest(struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++)
		process_kill(s, s->processes[i], "the machine ends");
	return alive(s);
}

static void close_all(struct supervisor *s)
{
	command_end(s);
	family_end(s);
	roster_close(s);
	logs_close(s);
	control_close(s);
	doors_close(s);
	unlocking_close(s);
	limits_close(&s->limits);
	if (s->loop)
		loop_free(&s->loop);
	config_free(&s->config);
	unlock_forget(&s->unlock);
	machine_remove_pid(&s->machine);
}

int supervisor_run(struct machine *machine, int background)
{
	struct supervisor *s = x_new(sizeof *s);
	struct why why;
	s->machine = *machine;
	s->background = background;
	s->null = s->signals = s->occupied = s->command.pidfd = -1;
	s->unlocking.listener = s->unlocking.peer = -1;
	s->doors[DOOR_BUS] = s->doors[DOOR_OPERATE] = s->doors[DOOR_READ] = -1;
	s->roster.fd = s->logs.fd = s->control.fd = s->logs.own_read = s->logs.own_write = -1;
	harden_ourselves();
	s->started_ms = now_ms();
	s->watchdog_ms = notify_watchdog_ms();
	s->logs.journal = background < 0 && journal_is_ours();
	bool loaded = load(s, &why);
	if (!loaded || !open_all(s, &why) || (background >= 0 && !go_to_background(s, &why))) {
		fprintf(stderr, "warrend: %s\n", why.text);
		close_all(s);
		x_free(&s);
		return loaded ? EXIT_WORLD : EXIT_CONFIG; /* what only a person can mend, or what may pass */
	}
	reasons_begin(KIND_NONE, 0, REASONS_MAX);
	log_info("warrend.start", "root=%s pid=%d as_root=%d nodes=%u", s->machine.root, getpid(),
		 s->machine.as_root, s->config->count);
	say_notes(s->config);
	say_short_limits();
	look_at_host(s);
	live(s);
	unsigned left = kill_the_rest(s);
	log_info("warrend.end", "left=%u up_ms=%llu", left,
		 (unsigned long long)(elapsed_ms(now_ms(), s->started_ms)));
	close_all(s);
	x_free(&s);
	return left ? EXIT_WORLD : 0;
}
