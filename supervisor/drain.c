/* Draining a node: its processes are told to take nothing new on (SIGUSR1), say on their life pipes when all
 * that was under way has ended, and then the node stops like any other. A process that is not ready, or has
 * died, has nothing under way; one that is born meanwhile is told as well. When the time is up, what still
 * runs is cut. Part of the supervisor; whoever asked for it may go away. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"

#include <signal.h>

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

/* Whether it waits for this one; tells it, the first time. */
static bool waits_for(struct process *process)
{
	if (!process->pid || process->dead || process->ending || process->state != PROCESS_READY)
		return false;
	if (!process->closed && kill(process->pid, SIGUSR1) == 0)
		process->closed = true;
	return !process->drained;
}

/* With one of those that were not done. */
static void note_cut(const struct supervisor *s, uint16_t node)
{
	char who[WHO_TEXT] = "something";
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		if (process->node == node && process->closed && !process->drained)
			process_text(process, who);
	}
	reason_about(
		REASON_DRAIN_CUT, (struct about){KIND_NONE, node, 0}, "",
		"%s was not done when the %llu ms of its drain were up", who,
		(unsigned long long)elapsed_ms(s->nodes[node].drain.until_ms, s->nodes[node].drain.since_ms));
}

static void end_drain(struct supervisor *s, uint16_t node, bool cut)
{
	struct draining *drain = &s->nodes[node].drain;
	drain->over = true;
	drain->cut = cut;
	log_line(cut ? LOG_WARN : LOG_INFO, "node.drained", "node=%u cut=%d ms=%llu", node, cut,
		 (unsigned long long)elapsed_ms(now_ms(), drain->since_ms));
	if (cut)
		note_cut(s, node);
	family_stop(s, KIND_NONE, node);
}

void drain_turn(struct supervisor *s, uint64_t now)
{
	bool waits[NODES_MAX + 1] = {false};
	for (unsigned i = 0; i < s->count; i++) {
		struct process *process = s->processes[i];
		const struct node *node = &s->nodes[process->node];
		if (process->node && node->draining && !node->drain.over)
			waits[process->node] |= waits_for(process);
	}
	for (unsigned node = 1; node <= NODES_MAX; node++) {
		const struct node *at = &s->nodes[node];
		if (!at->draining || at->drain.over)
			continue;
		if (!waits[node] || now >= at->drain.until_ms)
			end_drain(s, (uint16_t)node, waits[node]);
	}
}
