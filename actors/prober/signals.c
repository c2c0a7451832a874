/* Rows 6 and 7: other processes' lives and limits. SIGCONT is what is sent: it harms nobody where it gets
 * through. */
#include "actors/prober/attack.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool any_victim(const struct target *target, bool (*attack)(pid_t victim))
{
	for (size_t i = 0; i < target->victim_count; i++)
		if (attack(target->victims[i]))
			return true;
	return false;
}

static bool signals(pid_t victim)
{
	return kill(victim, SIGCONT) == 0;
}

static bool signals_thread(pid_t victim)
{
	return syscall(SYS_tgkill, victim, victim, SIGCONT) == 0;
}

static bool queues(pid_t victim)
{
	return sigqueue(victim, SIGCONT, (union sigval){0}) == 0;
}

static bool limits(pid_t victim)
{
	struct rlimit now;
	return prlimit(victim, RLIMIT_CORE, NULL, &now) == 0 && prlimit(victim, RLIMIT_CORE, &now, NULL) == 0;
}

static bool moves(pid_t victim)
{
	cpu_set_t all;
	return sched_getaffinity(victim, sizeof all, &all) == 0 &&
	       sched_setaffinity(victim, sizeof all, &all) == 0;
}

static bool slows(pid_t victim)
{
	return setpriority(PRIO_PROCESS, (id_t)victim, 0) == 0;
}

bool attack_kill_others(const struct target *target)
{
	return any_victim(target, signals);
}

bool attack_kill_threads(const struct target *target)
{
	return any_victim(target, signals_thread);
}

bool attack_queue_signals(const struct target *target)
{
	return any_victim(target, queues);
}

bool attack_limit_others(const struct target *target)
{
	return any_victim(target, limits);
}

bool attack_move_others(const struct target *target)
{
	return any_victim(target, moves);
}

bool attack_slow_others(const struct target *target)
{
	return any_victim(target, slows);
}
