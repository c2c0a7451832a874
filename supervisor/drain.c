/* Draining a node: its processes are told to take nothing new on (SIGUSR1), say on their life pipes when all
 * that was under way has ended, and then the node stops like any other. A process that is not ready, or has
 * died, has nothing under way; one that is born meanwhile is told as well. When the time is up, what still
 * runs is cut. Part of the supervisor; whoever asked for it may go away. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

bool drain_begin(struct supervisor *s, uint16_t node, uint32_t within_ms)
{
	struct draining *drain = &s->nodes[node].drain;
	if (s->nodes[node].draining)
		return false;
	s->nodes[node].draining = true;
	*drain = (struct draining){.since_ms = now_ms(), .until_ms = now_ms() + within_ms};
	log_info("node.drains", "node=%u within_ms=%u", node, within_ms);
	s->dirty = true;
	return true;
}

static bool works(const struct process *process)
{
	return process->pid && !process->dead && !process->ending && process->state == PROCESS_READY;
}

static bool waits_for(const struct supervisor *s, const struct process *process)
{
	const struct node *node = &s->nodes[process->node];
	return process->node && node->draining && !node->drain.over && works(process) && !process->drained;
}

unsigned drain_waits_for(const struct supervisor *s, uint16_t node, char names[DRAIN_NAMES])
{
	static const char more[] = " and others";
	unsigned count = 0;
	size_t length = 0;
	char who[WHO_TEXT];
	names[0] = '\0';
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		if ((node && process->node != node) || !waits_for(s, process))
			continue;
		process_text(process, who);
		if (length + strlen(who) + sizeof ", " + sizeof more <= DRAIN_NAMES)
			length += (size_t)snprintf(names + length, DRAIN_NAMES - length, "%s%s",
						   count ? ", " : "", who);
		else
			snprintf(names + length, DRAIN_NAMES - length, "%s", more);
		count++;
	}
	return count;
}

/* Tells it, the first time. */
static void tell(struct process *process)
{
	if (works(process) && !process->closed && kill(process->pid, SIGUSR1) == 0)
		process->closed = true;
}

static void note_cut(const struct supervisor *s, uint16_t node, const char *names)
{
	reason_about(
		REASON_DRAIN_CUT, (struct about){KIND_NONE, node, 0}, "",
		"%s not done when the %llu ms of its drain were up", names,
		(unsigned long long)elapsed_ms(s->nodes[node].drain.until_ms, s->nodes[node].drain.since_ms));
}

static void end_drain(struct supervisor *s, uint16_t node, bool cut)
{
	struct draining *drain = &s->nodes[node].drain;
	char names[DRAIN_NAMES];
	unsigned long long ms = elapsed_ms(now_ms(), drain->since_ms);
	drain_waits_for(s, node, names);
	drain->over = true;
	drain->cut = cut;
	if (cut) {
		log_warn("node.drained",
			 "node=%u cut=1 ms=%llu why=\"the time was up; what %s had under way is cut\"", node,
			 ms, names);
		note_cut(s, node, names);
	} else {
		log_info("node.drained", "node=%u cut=0 ms=%llu", node, ms);
	}
	family_stop(s, KIND_NONE, node);
}

void drain_by(struct supervisor *s, uint16_t node, uint64_t at_ms)
{
	struct draining *drain = &s->nodes[node].drain;
	if (s->nodes[node].draining && drain->until_ms > at_ms)
		drain->until_ms = at_ms;
	s->dirty = true;
}

void drain_turn(struct supervisor *s, uint64_t now)
{
	bool waits[NODES_MAX + 1] = {false};
	if (s->stopping) /* everybody is asked to end, whatever they do */
		return;
	for (unsigned i = 0; i < s->count; i++) {
		struct process *process = s->processes[i];
		const struct node *node = &s->nodes[process->node];
		if (!process->node || !node->draining || node->drain.over)
			continue;
		tell(process);
		waits[process->node] |= waits_for(s, process);
	}
	for (unsigned node = 1; node <= NODES_MAX; node++) {
		const struct node *at = &s->nodes[node];
		if (!at->draining || at->drain.over)
			continue;
		if (!waits[node] || now >= at->drain.until_ms)
			end_drain(s, (uint16_t)node, waits[node]);
	}
}
