/* The walls, in order. Runs in the child between fork and exec: first as root (or as whoever runs the
 * supervisor), at the end as the process's own uid. What fails here ends the child, and the supervisor logs
 * which step it was. */
#include "supervisor/jail.h"

#include "actors/base/log/log.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOCKED_BYTES = 256 * 1024, TASKS = 64 };

const char *jail_step_name(unsigned step)
{
	static const char *const names[] = {
#define S(SYMBOL, name) name,
		JAIL_STEPS(S)
#undef S
	};
	return step < JAIL_STEP_COUNT ? names[step] : "?";
}

/* Never more than there is already: raising the hard limit is not ours to do, and a lower one is still a
 * limit. */
static bool limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now;
	if (getrlimit(what, &now) != 0)
		return false;
	rlim_t value = most < now.rlim_max ? most : now.rlim_max;
	return setrlimit(what, &(struct rlimit){value, value}) == 0;
}

static bool limits(const struct jail *jail)
{
	if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, jail->files) ||
	    !limit(RLIMIT_FSIZE, jail->file_bytes))
		return false;
	limit(RLIMIT_MEMLOCK, LOCKED_BYTES);
	limit(RLIMIT_MSGQUEUE, 0);
	limit(RLIMIT_RTPRIO, 0);
	if (jail->as_root) /* counts by uid: without one of its own it would count the user's whole session */
		limit(RLIMIT_NPROC, TASKS);
	return true;
}

/* The kernel forgets it when the uid changes, so it comes after; and if the supervisor died before, nobody
 * will tell us. */
static bool die_with(pid_t supervisor)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return false;
	errno = ESRCH;
	return getppid() == supervisor;
}

enum jail_step jail_build(const struct jail *jail, struct jailed *jailed)
{
	*jailed = (struct jailed){0};
	jail_namespaces(jail, jailed);
	if (!limits(jail))
		return JAIL_LIMITS;
	enum jail_step failed = jail_drop(jail);
	if (failed)
		return failed;
	jail_files(jail, jailed);
	if (!die_with(jail->supervisor))
		return JAIL_DEATH;
	if (!jail_dropped(jail))
		return JAIL_LOOK;
	if (!jail->as_root)
		jailed->missing |= 1U << WALL_UID;
	jailed->missing |= jail->without;
	return JAIL_NONE;
}
