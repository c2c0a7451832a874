/* The half of the seal that is about files, TCP and signals. By number, as Debian 12's headers know ABI 3 at
 * most. Runs as the process itself, before its first thread. */
#include "actors/base/seal/seal.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct landlock_rules {
	uint64_t fs, net, scoped;
};
struct landlock_port {
	uint64_t access, port;
};
struct landlock_path {
	uint64_t access;
	int32_t parent;
} __attribute__((packed));

enum {
	LANDLOCK_CREATE = 444, /* system calls */
	LANDLOCK_ADD = 445,
	LANDLOCK_RESTRICT = 446,
	LANDLOCK_ASK_ABI = 1,
	LANDLOCK_PATH_RULE = 1,
	LANDLOCK_PORT_RULE = 2,
	LANDLOCK_CONNECT = 2,
	LANDLOCK_REFER = 1 << 13,
	LANDLOCK_PORTS = 3,  /* to bind, to connect, over TCP */
	LANDLOCK_SCOPES = 3, /* abstract Unix sockets, signals */
};

/* Rights that an ABI knows: linux/landlock.h. Bit 0 is execute, which nobody keeps. */
static struct landlock_rules known_rights(long abi)
{
	struct landlock_rules rules = {.fs = (1U << 13) - 1};
	if (abi >= 2)
		rules.fs |= LANDLOCK_REFER;
	if (abi >= 3)
		rules.fs |= 1U << 14; /* truncate */
	if (abi >= 5)
		rules.fs |= 1U << 15; /* ioctl on devices */
	return rules;
}

static bool landlock_allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path rule = {access, open(path, O_PATH | O_CLOEXEC)};
	if (rule.parent < 0)
		return false;
	bool added = syscall(LANDLOCK_ADD, ruleset, LANDLOCK_PATH_RULE, &rule, 0) == 0;
	close(rule.parent);
	return added;
}

static bool landlock_dials(int ruleset, const uint16_t dials[SEAL_DIALS])
{
	for (int i = 0; dials && i < SEAL_DIALS; i++) {
		struct landlock_port rule = {LANDLOCK_CONNECT, dials[i]};
		if (dials[i] && syscall(LANDLOCK_ADD, ruleset, LANDLOCK_PORT_RULE, &rule, 0) != 0)
			return false;
	}
	return true;
}

static long kernel_abi(bool pretend)
{
	return pretend ? -1 : syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_ASK_ABI);
}

static bool restrict_self(int ruleset)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0;
}

/* The run folder needs no right: connecting to a socket in it is the business of the socket's mode. */
enum sealed seal_files(const char *folder, bool pretend)
{
	long abi = kernel_abi(pretend);
	if (abi < 1)
		return SEAL_ABSENT;
	struct landlock_rules rules = known_rights(abi);
	int ruleset = (int)syscall(LANDLOCK_CREATE, &rules, sizeof rules.fs, 0);
	if (ruleset < 0)
		return SEAL_FAILED;
	bool sealed = (!folder || landlock_allow(ruleset, folder, rules.fs & ~UINT64_C(1))) &&
		      restrict_self(ruleset);
	close(ruleset);
	return sealed ? SEALED : SEAL_FAILED;
}

/* Rulesets of their own, so that each wall can stand without the others. One that says nothing of moving files between folders would
 * forbid that everywhere: these allow it. */
enum sealed seal_ports(const uint16_t dials[SEAL_DIALS], bool pretend)
{
	const struct landlock_rules rules = {.fs = LANDLOCK_REFER, .net = LANDLOCK_PORTS};
	if (kernel_abi(pretend) < 4)
		return SEAL_ABSENT;
	int ruleset = (int)syscall(LANDLOCK_CREATE, &rules, offsetof(struct landlock_rules, scoped), 0);
	if (ruleset < 0)
		return SEAL_FAILED;
	bool sealed = landlock_allow(ruleset, "/", LANDLOCK_REFER) && landlock_dials(ruleset, dials) &&
		      restrict_self(ruleset);
	close(ruleset);
	return sealed ? SEALED : SEAL_FAILED;
}

enum sealed seal_scopes(bool pretend)
{
	const struct landlock_rules rules = {.fs = LANDLOCK_REFER, .scoped = LANDLOCK_SCOPES};
	if (kernel_abi(pretend) < 6)
		return SEAL_ABSENT;
	int ruleset = (int)syscall(LANDLOCK_CREATE, &rules, sizeof rules, 0);
	if (ruleset < 0)
		return SEAL_FAILED;
	bool sealed = landlock_allow(ruleset, "/", LANDLOCK_REFER) && restrict_self(ruleset);
	close(ruleset);
	return sealed ? SEALED : SEAL_FAILED;
}
