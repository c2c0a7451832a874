/* The arithmetic of `warren top`. Part of the console; pure. */
#include "actors/console/work.h"

#include <stdlib.h>
#include <string.h>

uint64_t stat_ticks(const char *text)
{
	const char *at = strrchr(text, ')'); /* the name of a program may hold anything */
	unsigned long long user, system;
	/* proc(5): the 14th and 15th field; behind the name comes the third */
	if (!at ||
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
		return UINT64_MAX;
	return user + system;
}

uint64_t rate(uint64_t before, uint64_t now, uint64_t ns)
{
	if (before == UINT64_MAX || now == UINT64_MAX || now < before || !ns)
		return UINT64_MAX;
	return (now - before) * UINT64_C(1000000000) / ns;
}

uint64_t worker_cpu(const struct worker *worker, uint64_t ticks_a_second)
{
	uint64_t ns = worker->now_ns - worker->before_ns;
	if (rate(worker->before.cpu_ticks, worker->now.cpu_ticks, ns) == UINT64_MAX || !ticks_a_second)
		return UINT64_MAX;
	return (worker->now.cpu_ticks - worker->before.cpu_ticks) * UINT64_C(1000000000) / ticks_a_second *
	       1000 / ns;
}

uint64_t worker_percentile(const struct worker *worker, unsigned percent)
{
	uint64_t counts[WORK_BUCKETS], all = 0, seen = 0;
	for (unsigned i = 0; i < WORK_BUCKETS; i++) {
		uint64_t before = worker->before.buckets[i], now = worker->now.buckets[i];
		counts[i] = now == UINT64_MAX || before == UINT64_MAX ? 0
			    : now >= before                           ? now - before
								      : now;
		all += counts[i];
	}
	for (unsigned i = 0; all && i < WORK_BUCKETS; i++) {
		seen += counts[i];
		if (seen * 100 >= all * percent)
			return UINT64_C(1) << i;
	}
	return UINT64_MAX;
}
