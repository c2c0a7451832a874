/* Looks at disks on an operator's behalf. A look may hang with its disk, and the supervisor waits for nobody:
 * so a child takes it, writes the rows to the steward itself, and is killed when it takes too long. It keeps
 * the supervisor's rights, parses nothing, and runs no program. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "supervisor/disk.h"
#include "proto/err.h"
#include "supervisor/host.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEASURE_WITHIN_MS = 4000 /* the callers' deadline is 5 s (proto/steward.h) */ };

struct look {
	const struct supervisor *s;
	const struct control_ask *ask;
	enum err err;
	struct why why;
};

/* The socket is shared with the supervisor and does not wait; we may. */
static void send_row(const struct look *look, struct control_row *row)
{
	struct pollfd writable = {.fd = look->s->control.fd, .events = POLLOUT};
	row->serial = look->ask->serial;
	while (send(writable.fd, row, sizeof *row, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		if (poll(&writable, 1, MEASURE_WITHIN_MS) <= 0 || writable.revents & (POLLERR | POLLHUP))
			_exit(1);
}

static void look_at_capacity(struct look *look)
{
	struct capacity capacity;
	struct control_row row = {.type = CONTROL_CAPACITY};
	struct control_capacity *to = &row.capacity;
	if (!disk_capacity(&look->s->machine, look->s->config, &capacity, &look->why)) {
		look->err = ERR_DISK;
		return;
	}
	struct room_left left = room_left(&capacity.room);
	struct nodes_most nodes = capacity_nodes(&capacity);
	const struct tier *tier = capacity_recommends(&capacity);
	struct host_id id = host_look(&look->s->machine);
	enum capacity_rule disk = left.binds == ROOM_SHARE ? CAPACITY_SHARE : CAPACITY_KEEP;
	*to = (struct control_capacity){.total = capacity.room.total,
					.free = capacity.room.free,
					.reserved = capacity.room.reserved,
					.promised = capacity.room.allocated,
					.share = left.share,
					.keep = left.keep,
					.available = left.allocatable,
					.memory = capacity.memory,
					.cores = capacity.cores,
					.nodes = capacity.nodes,
					.nodes_most = nodes.most,
					.id_known = id.state != HOST_UNKNOWN,
					.id_changed = id.state == HOST_CHANGED};
	snprintf(to->disk_rule, sizeof to->disk_rule, "%s", capacity_rule_name(disk));
	snprintf(to->nodes_rule, sizeof to->nodes_rule, "%s", capacity_rule_name(nodes.binds));
	snprintf(to->recommended, sizeof to->recommended, "%s", tier ? tier->name : "");
	memcpy(to->id, id.live.bytes, sizeof to->id);
	if (look->ask->verb == CONTROL_ALLOCATE) {
		to->may = !(id.state == HOST_CHANGED && !host_refuse_changed(&id, &look->why)) &&
			  capacity_check(&capacity, look->ask->amount, look->s->machine.root, &look->why) ==
				  CAPACITY_NONE;
		quotable(&look->why);
	}
	send_row(look, &row);
}

static void look_at_stores(struct look *look)
{
	const struct config *config = look->s->config;
	for (unsigned i = 0; i < config->count; i++) {
		struct why why;
		if (look->ask->node && config->nodes[i].node != look->ask->node)
			continue;
		struct holding holding = disk_verify(&look->s->machine, &config->nodes[i], &why);
		struct control_row row = {.type = CONTROL_HOLDING,
					  .holding = {.node = config->nodes[i].node,
						      .valid = holding.valid,
						      .claimed = holding.claimed,
						      .actual = holding.actual}};
		send_row(look, &row);
	}
}

static void look(const struct supervisor *s, const struct control_ask *ask)
{
	struct look look = {.s = s, .ask = ask, .why = {""}};
	struct control_row row = {.type = CONTROL_DONE};
	if (ask->verb == CONTROL_VERIFY)
		look_at_stores(&look);
	else
		look_at_capacity(&look);
	row.error = (uint16_t)look.err;
	snprintf(row.why, sizeof row.why, "%.*s", (int)sizeof row.why - 1, look.why.text);
	send_row(&look, &row);
}

static void bury(struct measuring *measuring)
{
	if (measuring->pid && waitpid(measuring->pid, NULL, WNOHANG) == measuring->pid)
		measuring->pid = 0;
}

static struct measuring *free_place(struct supervisor *s)
{
	for (int i = 0; i < MEASURES; i++) {
		struct measuring *measuring = &s->control.measuring[i];
		bury(measuring);
		if (!measuring->pid)
			return measuring;
	}
	return NULL;
}

bool measure_begin(struct supervisor *s, const struct control_ask *ask)
{
	struct measuring *measuring = free_place(s);
	pid_t parent = getpid(), pid = measuring ? fork() : -1;
	if (pid < 0)
		return false;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			look(s, ask);
		_exit(0);
	}
	*measuring = (struct measuring){pid, now_ms() + MEASURE_WITHIN_MS};
	return true;
}

/* One that is stuck in the kernel keeps its place until the kernel lets go. */
void measure_turn(struct supervisor *s, uint64_t now)
{
	for (int i = 0; i < MEASURES; i++) {
		struct measuring *measuring = &s->control.measuring[i];
		bury(measuring);
		if (measuring->pid && now >= measuring->until_ms)
			kill(measuring->pid, SIGKILL);
	}
}

void measure_end(struct supervisor *s)
{
	for (int i = 0; i < MEASURES; i++)
		if (s->control.measuring[i].pid)
			kill(s->control.measuring[i].pid, SIGKILL);
}
