/* How the machine stops. SIGTERM, a service manager's word: the nodes drain first, for stop_drain_s at most,
 * and the manager is told what is waited for. A second one, SIGINT (Ctrl-C, `warrend stop`) or SIGQUIT: at
 * once. Then the order of ends: who faces strangers first, who others need last. Part of the supervisor. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "supervisor/notify.h"

#include <stdio.h>
#include <string.h>

/* In rising order; a kind that is not named ends with the first. `ms` is what each has when the whole machine
 * stops: together they leave a second of the ten for the kernel (FEATURES A18). */
static const struct {
	enum kind kind;
	uint32_t ms;
} order[] = {
	{GATEWAY, 3000}, {STORE, 2500}, {WALLET, 1000}, {ANVIL, 500},
	{STEWARD, 500},  {BROKER, 500}, {SCRIBE, 1000},
};
enum { ORDERED = sizeof order / sizeof *order };

enum { SAY_MS = 1000 }; /* between two words to the service manager */

/* -- draining first ---------------------------------------------------------------------------- */

static void begin_draining(struct supervisor *s)
{
	uint32_t within_ms = s->config->values[SETTING_stop_drain_s].number * 1000;
	s->leaving = true;
	s->leave_ms = now_ms() + within_ms;
	notify("STOPPING=1");
	log_info("stop.drains", "within_ms=%u next=\"a second SIGTERM ends it at once\"", within_ms);
	for (unsigned node = 1; node <= NODES_MAX; node++)
		if (s->nodes[node].declared) {
			drain_begin(s, (uint16_t)node, within_ms);
			drain_by(s, (uint16_t)node,
				 s->leave_ms); /* one that an operator began may have more time */
		}
}

static void begin_stopping(struct supervisor *s)
{
	if (!s->leaving)
		notify("STOPPING=1");
	notify("STATUS=Every process is ending");
	s->stopping = true;
	s->stop_ms = now_ms();
	s->dirty = true;
}

void stop_asked(struct supervisor *s, bool drains)
{
	char names[DRAIN_NAMES];
	if (s->stopping) /* told again is told once */
		return;
	if (drains && !s->leaving && s->config->values[SETTING_stop_drain_s].number) {
		begin_draining(s);
		return;
	}
	if (s->leaving && drain_waits_for(s, 0, names))
		log_warn("stop.hurried", "why=\"somebody hurries; what %s had under way is cut\"", names);
	begin_stopping(s);
}

void stop_turn(struct supervisor *s, uint64_t now)
{
	char names[DRAIN_NAMES], text[DRAIN_NAMES + 128];
	if (!s->leaving || s->stopping)
		return;
	unsigned count = drain_waits_for(s, 0, names);
	if (count && now < s->leave_ms) {
		if (s->said_ms && elapsed_ms(now, s->said_ms) < SAY_MS)
			return;
		s->said_ms = now;
		snprintf(text, sizeof text,
			 "STATUS=Draining: waits for the work of %s; %llu s more at most, none after another "
			 "SIGTERM",
			 names, (unsigned long long)(s->leave_ms - now + 999) / 1000);
		notify(text);
		return;
	}
	begin_stopping(s);
}

/* -- the order of ends ------------------------------------------------------------------------- */

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
