/* The table of declared processes: what the configuration asks for, against what there is. Part of the
 * supervisor. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "proto/birth.h"
#include "supervisor/listen.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *process_state_name(unsigned state)
{
	static const char *const names[] = {
#define S(SYMBOL, name) name,
		PROCESS_STATES(S)
#undef S
	};
	return state < PROCESS_STATE_COUNT ? names[state] : "?";
}

const char *process_text(const struct process *process, char text[WHO_TEXT])
{
	return who_text(process->row->kind, process->node, text);
}

struct process *family_find(struct supervisor *s, enum kind kind, uint16_t node)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->processes[i]->row->kind == kind && s->processes[i]->node == node)
			return s->processes[i];
	return NULL;
}

/* -- declaring --------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct process *one = *(struct process *const *)a, *two = *(struct process *const *)b;
	return one->node != two->node ? one->node - two->node : (int)one->row->kind - (int)two->row->kind;
}

/* One that was undeclared and is not gone yet comes back. */
static void declare_again(struct supervisor *s, struct process *process)
{
	if (process->declared)
		return;
	process->declared = true;
	process->wanted = !s->nodes[process->node].parked;
	if (!process->pid)
		process->state = PROCESS_WAITING;
}

static bool declare(struct supervisor *s, const struct actor_row *row, uint16_t node)
{
	struct process *process = family_find(s, row->kind, node);
	if (process) {
		declare_again(s, process);
		return true;
	}
	int pipe[2];
	if (!log_pipe(pipe)) {
		char who[WHO_TEXT];
		log_error("log.pipe", "process=%s errno=%m", who_text(row->kind, node, who));
		return false;
	}
	if (s->count == s->room) {
		s->room = s->room * 2 + 16;
		s->processes = x_grow(s->processes, s->room * sizeof(struct process *));
	}
	process = x_new(sizeof *process);
	*process =
		(struct process){.supervisor = s, .row = row, .node = node, .declared = true, .wanted = true};
	process->pidfd = process->gate = process->report = process->record = process->life =
		process->listener = -1;
	process->log_read = pipe[0];
	process->log_write = pipe[1];
	s->processes[s->count++] = process;
	return true;
}

/* Some kinds are there for what an operator asked for, and not before. */
static bool asked_for(const struct config *config, enum kind kind)
{
	if (kind == HERALD)
		return *config->values[SETTING_alert_webhook].text;
	if (kind == METER)
		return config->values[SETTING_metrics_port].number;
	if (kind == ANVIL)
		return config->anvil_port;
	if (row_is_told(actor_row(kind), "chain_profile"))
		return *config->chain.name;
	return true;
}

static bool still_declared(const struct supervisor *s, const struct process *process)
{
	return process->node ? s->nodes[process->node].declared : asked_for(s->config, process->row->kind);
}

bool family_declare(struct supervisor *s)
{
	bool whole = true;
	for (unsigned node = 0; node <= NODES_MAX; node++)
		s->nodes[node].declared = node && config_node(s->config, (uint16_t)node);
	for (unsigned kind = 1; kind < READER; kind++) {
		const struct actor_row *row = actor_row(kind);
		if (row && row->scope == PER_MACHINE && asked_for(s->config, (enum kind)kind))
			whole = declare(s, row, 0) && whole;
		for (unsigned i = 0; row && row->scope == PER_NODE && i < s->config->count; i++)
			whole = declare(s, row, s->config->nodes[i].node) && whole;
	}
	for (unsigned i = 0; i < s->count; i++) {
		struct process *process = s->processes[i];
		if (still_declared(s, process) || !process->declared)
			continue;
		process->declared = process->wanted = false;
		process->ending = true;
	}
	qsort(s->processes, s->count, sizeof *s->processes, by_place);
	s->logs.behind = s->dirty = true;
	return whole;
}

/* -- going ------------------------------------------------------------------------------------- */

static void close_listener(struct supervisor *s, struct process *process)
{
	if (process->listener < 0)
		return;
	close(process->listener);
	process->listener = -1;
	if (process->row->opens & FD_STREAM) {
		char name[32];
		snprintf(name, sizeof name, SOCKET_STREAM, process->node);
		listen_unix_end(&s->machine, name);
	}
}

static void free_process(struct supervisor *s, struct process *process)
{
	char name[GROUP_TEXT];
	process_close_birth(s, process);
	close_listener(s, process);
	close(process->log_read);
	close(process->log_write);
	limits_leave(&s->limits, limits_group(process->row->name, process->node, name));
	x_free(&process);
}

/* Out of the table first: closing what belongs to one walks over all that are in it. */
static void remove_process(struct supervisor *s, unsigned index)
{
	struct process *process = s->processes[index];
	s->count--;
	memmove(s->processes + index, s->processes + index + 1,
		(s->count - index) * sizeof(struct process *));
	free_process(s, process);
}

void family_free_gone(struct supervisor *s)
{
	for (unsigned i = s->count; i-- > 0;) {
		const struct process *process = s->processes[i];
		if (!process->declared && !process->pid && !process->log_told)
			remove_process(s, i);
	}
}

void family_end(struct supervisor *s)
{
	while (s->count)
		remove_process(s, s->count - 1);
	x_free(&s->processes);
}

/* -- what an operator may ask ------------------------------------------------------------------ */

static bool matches(const struct process *process, enum kind kind, uint16_t node)
{
	return process->declared && process->node == node &&
	       (kind == KIND_NONE || process->row->kind == kind);
}

/* Somebody wants it: what it did before is forgotten. One that is ending, or takes nothing on any more, comes again after its
 * end. */
static void start(struct process *process)
{
	process->wanted = true;
	process->ending = process->ending || (process->pid && process->closed);
	restart_forget(&process->streak);
	if (!process->pid)
		process->state = PROCESS_WAITING;
}

void family_start(struct supervisor *s, enum kind kind, uint16_t node)
{
	s->nodes[node].parked = s->nodes[node].draining = false;
	s->nodes[node].drain = (struct draining){0};
	deaths_forget(&s->nodes[node].deaths);
	for (unsigned i = 0; i < s->count; i++)
		if (matches(s->processes[i], kind, node))
			start(s->processes[i]);
	s->dirty = true;
}

static void stop(struct supervisor *s, struct process *process)
{
	process->wanted = false;
	process->ending = process->pid != 0;
	s->dirty = true;
}

void family_stop(struct supervisor *s, enum kind kind, uint16_t node)
{
	for (unsigned i = 0; i < s->count; i++)
		if (matches(s->processes[i], kind, node))
			stop(s, s->processes[i]);
	stop_look(s); /* it may be in the middle of a turn that they are told */
}

void family_restart(struct supervisor *s, enum kind kind, uint16_t node)
{
	family_start(s, kind, node);
	for (unsigned i = 0; i < s->count; i++)
		if (matches(s->processes[i], kind, node) && s->processes[i]->pid)
			s->processes[i]->ending = true;
	stop_look(s);
}

void node_park(struct supervisor *s, uint16_t node)
{
	s->nodes[node].parked = true;
	reason_about(REASON_NODE_PARKED, (struct about){KIND_NONE, node, 0}, "", "%u deaths within %d s",
		     s->config->values[SETTING_park_deaths].number, PARK_WITHIN_MS / 1000);
	log_error("node.parked",
		  "node=%u why=\"%u deaths within %d s\" next=\"warren logs, mend it, warren start %u\"",
		  node, s->config->values[SETTING_park_deaths].number, PARK_WITHIN_MS / 1000, node);
	family_stop(s, KIND_NONE, node);
}
