/* The order of ends: who faces strangers first, who others need last. Part of the supervisor. */
#include "supervisor/supervisor.h"

/* In rising order; a kind that is not named ends with the first. `ms` is what each has when the whole machine
 * stops: together they leave a second of the ten for the kernel (FEATURES A18). */
static const struct {
	enum kind kind;
	uint32_t ms;
} order[] = {
	{GATEWAY, 3000}, {STORE, 2500}, {WALLET, 1000}, {STEWARD, 500}, {BROKER, 500}, {SCRIBE, 1000},
};
enum { ORDERED = sizeof order / sizeof *order };

unsigned stop_rank(enum kind kind)
{
	for (unsigned i = 0; i < ORDERED; i++)
		if (order[i].kind == kind)
			return i;
	return 0;
}

uint64_t stop_grace_ms(const struct supervisor *s, const struct process *process)
{
	if (s->stopping)
		return order[stop_rank(process->row->kind)].ms;
	return s->nodes[process->node].drain.cut ? DRAIN_CUT_MS : STOP_GRACE_MS;
}

static bool ends(const struct process *process)
{
	return process->pid && process->ending && process->state != PROCESS_STUCK;
}

static void lower(unsigned *lowest, unsigned rank)
{
	*lowest = rank < *lowest ? rank : *lowest;
}

/* Who asks walks over nobody: hundreds of nodes that stop together would each look at all the others. */
void stop_look(struct supervisor *s)
{
	for (unsigned node = 0; node <= NODES_MAX; node++)
		s->nodes[node].ending = ORDERED;
	s->ending = ORDERED;
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		if (!ends(process))
			continue;
		lower(&s->nodes[process->node].ending, stop_rank(process->row->kind));
		lower(&s->ending, stop_rank(process->row->kind));
	}
}

/* Not while one that should end before it, of the same node or of a machine that stops, is still there. */
bool stop_turn_has_come(const struct supervisor *s, const struct process *process)
{
	unsigned lowest = s->stopping ? s->ending : s->nodes[process->node].ending;
	return stop_rank(process->row->kind) <= lowest;
}
