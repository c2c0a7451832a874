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

/* Not while one that should end before it, of the same node or of a machine that stops, is still there. */
bool stop_turn_has_come(const struct supervisor *s, const struct process *process)
{
	unsigned rank = stop_rank(process->row->kind);
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *other = s->processes[i];
		if (other->pid && other->ending && other->state != PROCESS_STUCK &&
		    stop_rank(other->row->kind) < rank && (s->stopping || other->node == process->node))
			return false;
	}
	return true;
}
