/* How processes work, from two looks at them: what `warren top` shows. */
#ifndef WARREN_CONSOLE_WORK_H
#define WARREN_CONSOLE_WORK_H

#include "actors/console/processes.h"
#include "proto/actor.h"

enum { WORK_BUCKETS = 24 };

/* One look at one process. What is not known is UINT64_MAX. */
struct look {
	uint64_t cpu_ticks, fds;
	uint64_t calls, asks; /* since its birth: answered, asked */
	uint64_t buckets[WORK_BUCKETS];
	uint64_t queue, queue_limit;
};

struct worker {
	char who[WHO_TEXT], state[20];
	uint32_t pid, uid, restarts;
	uint64_t pss_kib;
	bool silent; /* asked, and did not answer */
	struct look before, now;
	uint64_t before_ns, now_ns;
};

/* CPU time of a process in clock ticks from the text of /proc/PID/stat; UINT64_MAX when it is not one. */
uint64_t stat_ticks(const char *text);

/* In tenths of a percent of one core; calls and asks a second; UINT64_MAX: not known yet. */
uint64_t worker_cpu(const struct worker *worker, uint64_t ticks_a_second);
uint64_t rate(uint64_t before, uint64_t now, uint64_t ns);

/* The time, in µs, within which `percent` of what was answered between the looks was answered; UINT64_MAX: nothing was. Buckets
 * are powers of two of µs, so it is an upper bound within a factor of two. */
uint64_t worker_percentile(const struct worker *worker, unsigned percent);

#endif
