/* Becoming somebody who may nothing: the one file in which privileges are dropped. Runs in the child, once,
 * as root or as the user who runs the supervisor. Every call is checked, then all of it is looked at again
 * (jail_dropped), because a drop that silently did not happen is the one fault that nothing behind it would
 * catch. */
#include "supervisor/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The highest capability is the kernel's to know: dropping one past it answers EINVAL. */
enum { CAPABILITIES_MOST = 63 };

static bool empty_bounding_set(void)
{
	for (int capability = 0; capability <= CAPABILITIES_MOST; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
			return errno == EINVAL && capability > 0;
	return true;
}

static bool bounding_set_is_empty(void)
{
	for (int capability = 0; capability <= CAPABILITIES_MOST; capability++)
		if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
			return false;
	return true;
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 &&
	    errno != EINVAL) /* EINVAL: before 4.3 */
		return false;
	return syscall(SYS_capset, &header, none) == 0;
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, caps) != 0)
		return true;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (caps[i].effective | caps[i].permitted | caps[i].inheritable)
			return true;
	return false;
}

static bool leave_groups(const struct jail *jail)
{
	gid_t group = jail->bus_group;
	return setgroups(group ? 1 : 0, &group) == 0;
}

/* Without root the uid stays; in a user namespace of its own the process has capabilities there, which go
 * like the rest. */
static enum jail_step drop_without_root(void)
{
	empty_bounding_set(); /* allowed in its own namespace only; without one there is nothing in it to lose
			       */
	if (!drop_capabilities())
		return JAIL_CAPABILITIES;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? JAIL_NONE : JAIL_NO_NEW_PRIVS;
}

enum jail_step jail_drop(const struct jail *jail)
{
	if (!jail->as_root)
		return drop_without_root();
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0 || prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) != 0)
		return JAIL_CAPABILITIES;
	if (!empty_bounding_set())
		return JAIL_BOUNDING;
	if (!leave_groups(jail))
		return JAIL_GROUPS;
	if (setresgid(jail->gid, jail->gid, jail->gid) != 0 ||
	    setresuid(jail->uid, jail->uid, jail->uid) != 0)
		return JAIL_UID;
	if (!drop_capabilities())
		return JAIL_CAPABILITIES;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? JAIL_NONE : JAIL_NO_NEW_PRIVS;
}

bool jail_possible(struct why *why)
{
	static const struct {
		int capability;
		const char *name;
	} needed[] = {
		{CAP_KILL, "CAP_KILL"},
		{CAP_SETUID, "CAP_SETUID"},
		{CAP_SETGID, "CAP_SETGID"},
		{CAP_SETPCAP, "CAP_SETPCAP"},
	};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {0};
	syscall(SYS_capget, &header, caps);
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!(caps[0].effective & CAP_TO_MASK(needed[i].capability)))
			return refuse(why, "root without %s cannot keep processes apart; give it that",
				      needed[i].name);
	return true;
}

/* -- looking again ----------------------------------------------------------------------------- */

static bool ids_are(uint32_t uid, uint32_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 && r == uid && e == uid &&
	       s == uid && rg == gid && eg == gid && sg == gid;
}

static bool groups_are(uint32_t only)
{
	gid_t groups[2];
	int count = getgroups(2, groups);
	return only ? count == 1 && groups[0] == only : count == 0;
}

bool jail_dropped(const struct jail *jail)
{
	errno = EPERM;
	if (has_capabilities() || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return false;
	if (!jail->as_root)
		return true;
	if (jail->uid == 0 || jail->gid == 0 || !ids_are(jail->uid, jail->gid) ||
	    !groups_are(jail->bus_group) || !bounding_set_is_empty())
		return false;
	/* The proof: none of these may succeed. */
	if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0 || setgroups(0, NULL) == 0)
		return false;
	return true;
}
