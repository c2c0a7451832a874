/* The rule of trying again. Pure: no clock, no socket. */
#include "actors/herald/pace.h"

/* Too Early, Request Timeout and Too Many Requests say "later"; the other 4xx say "never". */
static bool refused(long status)
{
	return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

enum pace_next pace_after(struct pace *pace, long status, uint64_t *wait_ms)
{
	*wait_ms = 0;
	if (status >= 200 && status < 300) {
		*pace = (struct pace){0};
		return PACE_DONE;
	}
	pace->failures++;
	*wait_ms = PACE_FIRST_MS;
	for (uint32_t i = 1; i < pace->failures && *wait_ms < PACE_MOST_MS; i++)
		*wait_ms *= 2;
	if (*wait_ms > PACE_MOST_MS)
		*wait_ms = PACE_MOST_MS;
	pace->refusals = refused(status) ? pace->refusals + 1 : 0;
	if (pace->refusals < PACE_REFUSALS)
		return PACE_AGAIN;
	pace->refusals = 0;
	return PACE_GIVE_UP;
}
