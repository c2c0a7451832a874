/* What `warren status` shows of the supervisor's knowledge. Reads /proc/PID/smaps_rollup. */
#include "supervisor/status.h"

#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A look at the memory of a process costs as much as a hundred of its beats: a sixteenth of them a second, new ones first. */
enum { MEASURED_AT_ONCE = 16, MEASURED_WITHIN = 16 };

static unsigned declared_nodes(const struct supervisor *s)
{
	unsigned count = 0;
	for (unsigned node = 1; node <= NODES_MAX; node++)
		count += s->nodes[node].declared;
	return count;
}

uint32_t status_missing(const struct supervisor *s)
{
	uint32_t missing = 0;
	for (unsigned i = 0; i < s->count; i++)
		missing |= s->processes[i]->pid ? s->processes[i]->missing : 0;
	return missing;
}

static void machine_row(const struct supervisor *s, struct control_row *row)
{
	row->type = CONTROL_MACHINE;
	row->machine = (struct control_machine){.nodes = declared_nodes(s),
						.processes = s->count,
						.missing = status_missing(s),
						.uptime_ms = elapsed_ms(now_ms(), s->started_ms),
						.pid = (uint32_t)getpid(),
						.uid_base = s->machine.as_root ? s->machine.uid_base
									       : s->machine.own_uid,
						.root = s->machine.as_root,
						.id_changed = s->id_changed};
	struct statvfs disk;
	if (fstatvfs(s->machine.fd, &disk) == 0) {
		row->machine.disk = (uint64_t)disk.f_blocks * disk.f_frsize;
		row->machine.disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
	}
	snprintf(row->machine.name, sizeof row->machine.name, "%s", s->config->values[SETTING_name].text);
}

static void broker_row(const struct supervisor *s, struct control_row *row)
{
	const struct roster_counts *counts = &s->roster.counts;
	row->type = CONTROL_BROKER;
	row->broker = (struct control_broker){.open = counts->open,
					      .open_high = counts->open_high,
					      .open_limit = counts->open_limit,
					      .peers = counts->peers,
					      .people = counts->people,
					      .routed = counts->routed,
					      .denied = counts->denied,
					      .busy = counts->busy,
					      .late = counts->late,
					      .gone = counts->gone,
					      .dropped = counts->dropped,
					      .accused = counts->accused};
}

static void node_row(const struct supervisor *s, const struct node_config *config, struct control_row *row)
{
	row->type = CONTROL_NODE;
	row->node = (struct control_node){.node = config->node,
					  .parked = s->nodes[config->node].parked,
					  .draining = s->nodes[config->node].draining,
					  .port = (uint16_t)config->values[SETTING_port].number,
					  .quota_mb = config->values[SETTING_quota_mb].number,
					  .refused = s->nodes[config->node].refused};
	snprintf(row->node.tier, sizeof row->node.tier, "%s", config->values[SETTING_tier].text);
}

static void process_row(const struct process *process, struct control_row *row)
{
	uint64_t now = now_ms();
	bool ready = process->state == PROCESS_READY;
	bool later = process->state == PROCESS_BACKOFF && process->next_ms > now;
	row->type = CONTROL_PROCESS;
	row->process = (struct control_process){.kind = (uint8_t)process->row->kind,
						.state = (uint8_t)process->state,
						.node = process->node,
						.pid = process->dead ? 0 : (uint32_t)process->pid,
						.uid = process->uid,
						.restarts = process->restarts,
						.last_end = process->last_end,
						.why = process->words,
						.missing = process->pid ? process->missing : 0,
						.pss_kib = process->pss_kib,
						.up_ms = ready ? elapsed_ms(now, process->ready_ms) : 0,
						.next_ms = later ? process->next_ms - now : 0};
}

bool status_row(const struct supervisor *s, unsigned index, struct control_row *row)
{
	*row = (struct control_row){0};
	if (index == 0) {
		machine_row(s, row);
	} else if (index == 1) {
		broker_row(s, row);
	} else if ((index -= 2) < s->config->count) {
		node_row(s, &s->config->nodes[index], row);
	} else if ((index -= s->config->count) < s->count) {
		process_row(s->processes[index], row);
	} else {
		row->type = CONTROL_DONE;
		return false;
	}
	return true;
}

bool drains_row(const struct supervisor *s, unsigned *next, struct control_row *row)
{
	uint64_t now = now_ms();
	*row = (struct control_row){.type = CONTROL_DONE};
	while (*next <= NODES_MAX && !s->nodes[*next].draining)
		++*next;
	if (*next > NODES_MAX)
		return false;
	const struct draining *drain = &s->nodes[*next].drain;
	row->type = CONTROL_DRAINING;
	row->draining = (struct control_draining){.node = (uint16_t)*next,
						  .over = drain->over,
						  .cut = drain->cut,
						  .since_ms = elapsed_ms(now, drain->since_ms),
						  .left_ms = elapsed_ms(drain->until_ms, now)};
	return true;
}

/* The foreign program is the one child of its keeper. */
static pid_t child_of(pid_t pid)
{
	char path[64];
	int child = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%d", &child) != 1)
		child = 0;
	if (file)
		fclose(file);
	return child;
}

/* 0 where the kernel would not say: another user's process, to one without CAP_SYS_PTRACE. */
static uint64_t pss_kib(pid_t pid)
{
	char path[48], line[128];
	unsigned long long kib = 0;
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file) && sscanf(line, "Pss: %llu kB", &kib) != 1)
		;
	if (file)
		fclose(file);
	return kib;
}

static uint64_t measured(const struct process *process)
{
	pid_t child = process->row->opens & FD_FOREIGN ? child_of(process->pid) : 0;
	return pss_kib(process->pid) + (child ? pss_kib(child) : 0);
}

void status_measure(struct supervisor *s)
{
	unsigned left = MEASURED_AT_ONCE, again = s->count / MEASURED_WITHIN + 1;
	for (unsigned i = 0; left && i < s->count; i++) {
		struct process *process = s->processes[i];
		if (process->state == PROCESS_READY && !process->pss_kib && !process->dead && left--)
			process->pss_kib = measured(process);
	}
	for (unsigned i = 0; left && i < again && i < s->count; i++, left--) {
		struct process *process = s->processes[s->pss_next++ % s->count];
		process->pss_kib = process->pid && !process->dead ? measured(process) : 0;
	}
}
