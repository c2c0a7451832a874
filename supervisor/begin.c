/* A birth, on the supervisor's side: what the process will inherit, the fork, its place in the control
 * groups. The gate stays shut until the broker knows the newborn and scribe was told (roster.c). Everything opened here for one
 * birth is closed by process_close_birth(). */
#include "supervisor/supervisor.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "supervisor/reasons_told.h"
#include "supervisor/birth.h"
#include "supervisor/listen.h"
#include "supervisor/room.h"
#include "proto/web.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_MIB = 64,
	LOG_ROOM_MIB = 16,
	FOREIGN_MIB = 1024,
	DYING_MS = 1000,
}; /* RLIMIT_FSIZE of kinds that keep no files; above the size of rotation */

struct opened { /* for the fork; closed here when it is over */
	int program, self;
	int foreign, quiet;     /* of a foreign row: its program, and what it sees in place of the sockets */
	int life, record;       /* the child's ends */
	int gives[BIRTH_GIVES]; /* as in struct birth_plan */
	int channel;            /* the one of them that is made anew for each birth; -1 */
	char self_path[PATH_TEXT + ROOT_TEXT], run_path[ROOT_TEXT + 16];
	bool readable;
	bool dying; /* what its last birth left behind may still be going */
};

unsigned births_under_way(const struct supervisor *s)
{
	unsigned count = 0;
	for (unsigned i = 0; i < s->count; i++)
		count += s->processes[i]->pid && s->processes[i]->report >= 0;
	return count;
}

/* -- what it inherits -------------------------------------------------------------------------- */

/* Who may connect to store@N's socket: gateway@N, and without root whoever runs all of this. */
static struct door stream_door(const struct supervisor *s, uint16_t node)
{
	return (struct door){s->machine.as_root, machine_uid(&s->machine, GATEWAY, node)};
}

static void close_dead(struct process *process)
{
	if (process->listener < 0 || listener_lives(process->listener))
		return;
	close(process->listener);
	process->listener = -1;
}

static bool open_stream(struct supervisor *s, struct process *process, struct why *why)
{
	char name[32];
	snprintf(name, sizeof name, SOCKET_STREAM, process->node);
	close_dead(process);
	if (process->listener < 0)
		process->listener = listen_unix(&s->machine, name, stream_door(s, process->node), why);
	return process->listener >= 0;
}

/* The port may have been changed since the last birth. */
static bool open_tcp(struct process *process, const char *host, uint16_t port, struct why *why)
{
	close_dead(process);
	if (process->listener >= 0 && process->port != port) {
		close(process->listener);
		process->listener = -1;
	}
	if (process->listener < 0)
		process->listener = listen_tcp(host, port, why);
	process->port = port;
	return process->listener >= 0;
}

static bool open_http(struct supervisor *s, struct process *process, struct why *why)
{
	const struct node_config *config = config_node(s->config, process->node);
	return open_tcp(process, s->config->values[SETTING_host].text,
			(uint16_t)config->values[SETTING_port].number, why);
}

/* Of the machine, so for the machine: whoever is to see it from elsewhere is let in by the operator's own proxy. */
static bool open_metrics(struct supervisor *s, struct process *process, struct why *why)
{
	return open_tcp(process, "127.0.0.1", (uint16_t)s->config->values[SETTING_metrics_port].number, why);
}

static int open_channel(struct supervisor *s, uint32_t what)
{
	if (what == FD_ROSTER)
		return roster_reopen(s);
	if (what == FD_CONTROL)
		return control_reopen(s);
	return logs_reopen(s);
}

static bool open_gives(struct supervisor *s, struct process *process, struct opened *opened, struct why *why)
{
	uint32_t opens = process->row->opens;
	for (int bit = 0; bit < BIRTH_GIVES; bit++) {
		uint32_t what = 1U << bit;
		if (!(opens & what))
			continue;
		if (what == FD_FOREIGN) {
			/* Of a keeper that was killed, anvil dies a moment later: the next one waits for that. */
			if (!opened->dying && !port_is_free("127.0.0.1", s->config->anvil_port, why))
				return false;
			opened->gives[bit] = opened->foreign;
		} else if (what & (FD_BUS | FD_OPERATE | FD_READ)) {
			if (!door_open(s, bit, 1, why))
				return false;
			opened->gives[bit] = s->doors[bit];
		} else if (what & (FD_ROSTER | FD_CONTROL | FD_LOGS)) {
			opened->gives[bit] = opened->channel = open_channel(s, what);
			if (opened->channel < 0)
				return refuse(why, "no channel to it: %s", strerror(errno));
		} else {
			bool open = what == FD_STREAM ? open_stream(s, process, why)
				    : what == FD_HTTP ? open_http(s, process, why)
						      : open_metrics(s, process, why);
			if (!open)
				return false;
			opened->gives[bit] = process->listener;
		}
	}
	return true;
}

static bool open_pipes(struct process *process, struct opened *opened, struct why *why)
{
	int life[2], record[2];
	if (pipe2(life, O_CLOEXEC) != 0)
		return refuse(why, "no life pipe: %s", strerror(errno));
	process->life = life[0];
	opened->life = life[1];
	if (pipe2(record, O_CLOEXEC) != 0)
		return refuse(why, "no birth pipe: %s", strerror(errno));
	opened->record = record[0];
	process->record = record[1];
	return fcntl(process->life, F_SETFL, O_NONBLOCK) == 0 &&
	       fcntl(process->record, F_SETFL, O_NONBLOCK) == 0;
}

/* A foreign row has nobody to ask: it sees no socket. Its port must be free, as nobody hands it a listener. */
static bool open_foreign(struct supervisor *s, const struct process *process, struct opened *opened,
			 struct why *why)
{
	opened->foreign = foreign_open(&s->machine, process->row->name, why);
	if (opened->foreign < 0)
		return false;
	opened->quiet = openat(s->machine.own, "empty", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	snprintf(opened->run_path, sizeof opened->run_path, "%s/machine/empty", s->machine.root);
	return opened->quiet >= 0 || refuse(why, "%s: %s", opened->run_path, strerror(errno));
}

/* Two kinds of refusal: what only a person can mend (false, *mend true), and what may be better next time. */
static bool open_all(struct supervisor *s, struct process *process, struct opened *opened, bool *mend,
		     struct why *why)
{
	char place[PATH_TEXT];
	*mend = true;
	opened->program = program_open(&s->machine, process->row->kind, &opened->readable, why);
	if (opened->program < 0)
		return false;
	opened->self = place_open(&s->machine, process->row->kind, process->node, why);
	if (opened->self < 0)
		return false;
	snprintf(opened->self_path, sizeof opened->self_path, "%s/%s", s->machine.root,
		 place_path(process->row->kind, process->node, place));
	snprintf(opened->run_path, sizeof opened->run_path, "%s/run", s->machine.root);
	if (process->row->opens & FD_FOREIGN && !open_foreign(s, process, opened, why))
		return false;
	*mend = false;
	return open_gives(s, process, opened, why) && open_pipes(process, opened, why);
}

static void close_opened(struct opened *opened)
{
	int fds[] = {opened->program, opened->self,   opened->foreign, opened->quiet,
		     opened->life,    opened->record, opened->channel};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* -- its plan ---------------------------------------------------------------------------------- */

static uint64_t file_bytes(const struct supervisor *s, const struct process *process)
{
	uint64_t room = (uint64_t)FILE_MIB << 20;
	if (process->row->kind == STORE)
		return room +
		       store_takes(config_node(s->config, process->node)->values[SETTING_quota_mb].number);
	if (process->row->opens & FD_FOREIGN)
		return (uint64_t)FOREIGN_MIB << 20;
	if (process->row->kind == SCRIBE)
		return ((uint64_t)s->config->values[SETTING_log_rotate_mb].number + LOG_ROOM_MIB) << 20;
	return room;
}

void dial_ports(const struct supervisor *s, const struct actor_row *row, uint16_t ports[DIALS_MOST])
{
	struct web_address address;
	memset(ports, 0, DIALS_MOST * sizeof *ports);
	if (!(row->opens & FD_DIALS))
		return;
	if (row_is_told(row, "alert_webhook") &&
	    web_address(s->config->values[SETTING_alert_webhook].text, &address))
		ports[0] = address.port;
	for (unsigned i = 0; row_is_told(row, "chain_profile") && i < s->config->chain.rpc_count; i++)
		if (web_address(s->config->chain.rpc[i], &address))
			ports[i] = address.port;
}

static struct birth_plan make_plan(const struct supervisor *s, const struct process *process,
				   const struct opened *opened)
{
	struct birth_plan plan = {
		.row = process->row,
		.in = s->null,
		.out = s->null,
		.log = process->log_write,
		.life = opened->life,
		.record = opened->record,
		.jail = {.as_root = s->machine.as_root,
			 .uid = process->uid,
			 .gid = s->machine.as_root ? process->uid : s->machine.own_gid,
			 .without = s->config->without,
			 .root = s->machine.root,
			 .self = opened->self_path,
			 .run = opened->run_path,
			 .self_fd = opened->self,
			 .run_fd = opened->quiet >= 0 ? opened->quiet : s->machine.run,
			 .program = opened->program,
			 .files = process->row->files,
			 .file_bytes = file_bytes(s, process),
			 .foreign = -1,
			 .network = process->row->opens & (FD_DIALS | FD_BINDS),
			 .binds = process->row->opens & FD_BINDS ? s->config->anvil_port : 0,
			 .supervisor = getpid()},
	};
	if (s->machine.as_root && kind_on_bus(process->row->kind))
		plan.jail.bus_group = machine_bus_group(&s->machine);
	dial_ports(s, process->row, plan.jail.ports);
	memcpy(plan.gives, opened->gives, sizeof plan.gives);
	return plan;
}

/* -- the birth --------------------------------------------------------------------------------- */

/* Set again at each birth, so a changed one holds after `warren restart N`. */
static void limit_together(struct supervisor *s, uint16_t node)
{
	uint32_t mib = config_node(s->config, node)->values[SETTING_memory_mb].number;
	if (!limits_node(&s->limits, node, mib))
		log_warn("limits.node",
			 "node=%u memory_mb=%u why=\"its control group cannot be limited here\"", node, mib);
}

static void begin_life(struct supervisor *s, struct process *process, const struct newborn *newborn,
		       bool readable)
{
	char who[WHO_TEXT], group[GROUP_TEXT];
	process->pid = newborn->pid;
	process->pidfd = newborn->pidfd;
	process->gate = newborn->gate;
	process->report = newborn->report;
	process->state = PROCESS_WAITING;
	if (++s->births > s->births_high)
		s->births_high = s->births;
	process->born_ms = process->beat_ms = now_ms();
	if (process->node)
		limit_together(s, process->node);
	limits_group(process->row->name, process->node, group);
	process->missing = limits_enter(&s->limits, group, newborn->pid, process->row->memory_mib);
	if (readable)
		process->missing |= 1U << WALL_DUMPABLE;
	random_bytes(&process->birth, sizeof process->birth);
	process->birth |= 1; /* never 0 */
	random_bytes(process->routing, sizeof process->routing);
	log_debug("process.born", "process=%s pid=%d", process_text(process, who), process->pid);
}

static bool birth(struct supervisor *s, struct process *process, struct opened *opened, bool *mend,
		  struct why *why)
{
	struct newborn newborn;
	if (!open_all(s, process, opened, mend, why))
		return false;
	process->uid = machine_uid(&s->machine, process->row->kind, process->node);
	struct birth_plan plan = make_plan(s, process, opened);
	if (!birth_fork(&plan, &newborn))
		return refuse(why, "no process: %s", strerror(errno));
	begin_life(s, process, &newborn, opened->readable);
	return true;
}

void process_begin(struct supervisor *s, struct process *process)
{
	struct opened opened = {.program = -1,
				.self = -1,
				.foreign = -1,
				.quiet = -1,
				.life = -1,
				.record = -1,
				.channel = -1,
				.dying = process->built && elapsed_ms(now_ms(), process->died_ms) < DYING_MS};
	struct why why = {"?"};
	bool mend = false, again = process->died_ms != 0;
	char who[WHO_TEXT];
	for (int bit = 0; bit < BIRTH_GIVES; bit++)
		opened.gives[bit] = -1;
	process->ready_ms = process->termed_ms = process->killed_ms = 0;
	process->built = process->termed = process->killed = process->dead = process->ending = false;
	process->closed = process->drained = false;
	errno = 0;
	bool born = birth(s, process, &opened, &mend, &why);
	bool busy = errno == EADDRINUSE;
	close_opened(&opened);
	process->restarts += again;
	if (!born) {
		log_error("birth.refused", "process=%s why=\"%s\"", process_text(process, who),
			  quotable(&why));
		reason_about(busy ? REASON_PORT_TAKEN : REASON_BIRTH_REFUSED, process_about(process), "",
			     "%s", why.text);
		process_close_birth(s, process);
		process_fell(s, process, false, mend ? EXIT_CONFIG : EXIT_WORLD);
		return;
	}
	if (!process_watch(s, process)) {
		process_kill(s, process, "it cannot be watched");
		return;
	}
	s->roster.behind = s->logs.behind = s->dirty = true;
}

void process_open_gate(struct supervisor *s, struct process *process)
{
	if (process->gate < 0)
		return;
	ssize_t wrote = write(process->gate, "", 1); /* to one who died meanwhile: his end is seen anyway */
	(void)wrote;
	close(process->gate);
	process->gate = -1;
	process->beat_ms = now_ms();
	if (process->state == PROCESS_WAITING)
		process->state = PROCESS_STARTING;
	s->dirty = true;
}
