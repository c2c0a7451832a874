/* The rule of restarts. Pure: no I/O, no clock, no state but what is handed in. */
#include "supervisor/restart.h"

#include "proto/birth.h"

/* True when this is the last of `most` within PARK_WITHIN_MS. */
static bool too_often(struct deaths *node, uint32_t most, uint64_t now_ms)
{
	node->at_ms[node->count % PARK_DEATHS_MOST] = now_ms;
	node->count++;
	if (!most || most > PARK_DEATHS_MOST || node->count < most)
		return false;
	return now_ms - node->at_ms[(node->count - most) % PARK_DEATHS_MOST] <= PARK_WITHIN_MS;
}

/* The first one after a calm life is at once; one that never became ready waits from the first. */
static uint64_t delay(uint32_t deaths, bool was_ready)
{
	uint32_t step = deaths + !was_ready;
	if (step == 1)
		return 0;
	uint64_t ms = RESTART_FIRST_MS, most = was_ready ? RESTART_READY_MOST_MS : RESTART_MOST_MS;
	for (; step > 2 && ms < most; step--)
		ms *= 2;
	return ms < most ? ms : most;
}

struct verdict restart_after(struct streak *process, struct deaths *node, uint32_t park_deaths,
			     const struct death *death)
{
	if (death->exit_code == EXIT_CONFIG)
		return (struct verdict){.after = AFTER_CHANGE};
	if (death->was_ready && death->ready_ms >= RESTART_CALM_MS)
		process->deaths = 0;
	process->deaths++;
	if (node && too_often(node, park_deaths, death->now_ms))
		return (struct verdict){.after = AFTER_PARK};
	return (struct verdict){AFTER_RESTART, delay(process->deaths, death->was_ready)};
}

void restart_forget(struct streak *process)
{
	*process = (struct streak){0};
}

void deaths_forget(struct deaths *node)
{
	node->count = 0;
}
