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

static bool kill_others(const struct target *target)
{
	return any_victim(target, signals);
}

static bool kill_threads(const struct target *target)
{
	return any_victim(target, signals_thread);
}

static bool queue_signals(const struct target *target)
{
	return any_victim(target, queues);
}

static bool limit_others(const struct target *target)
{
	return any_victim(target, limits);
}

static bool move_others(const struct target *target)
{
	return any_victim(target, moves);
}

static bool slow_others(const struct target *target)
{
	return any_victim(target, slows);
}

const struct attempt signal_attempts[] = {
	{6, "signal another process", kill_others},
	{6, "signal another's thread", kill_threads},
	{6, "queue a signal to another", queue_signals},
	{7, "set another's limits", limit_others},
	{7, "move another to other processors", move_others},
	{7, "set another's priority", slow_others},
	{0, NULL, NULL},
};
