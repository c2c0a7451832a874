/* The half of the seal that is about files, TCP and signals. By number, as Debian 12's headers know ABI 3 at
 * most. Runs as the process itself, before its first thread. */
#include "actors/base/seal/seal.h"

#include <fcntl.h>
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
};

/* Rights that an ABI knows: linux/landlock.h. Bit 0 is execute, which nobody keeps. */
static struct landlock_rules known_rights(long abi)
{
	struct landlock_rules rules = {.fs = (1U << 13) - 1};
	if (abi >= 2)
		rules.fs |= 1U << 13; /* refer */
	if (abi >= 3)
		rules.fs |= 1U << 14; /* truncate */
	if (abi >= 4)
		rules.net = 3; /* bind and connect over TCP: none is allowed */
	if (abi >= 5)
		rules.fs |= 1U << 15; /* ioctl on devices */
	if (abi >= 6)
		rules.scoped = 3; /* abstract Unix sockets, signals */
	return rules;
}

static size_t rules_size(long abi)
{
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
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

static bool landlock_dials(int ruleset, const uint16_t dials[SEAL_DIALS], uint64_t handled)
{
	for (int i = 0; dials && handled && i < SEAL_DIALS; i++) {
		struct landlock_port rule = {LANDLOCK_CONNECT, dials[i]};
		if (dials[i] && syscall(LANDLOCK_ADD, ruleset, LANDLOCK_PORT_RULE, &rule, 0) != 0)
			return false;
	}
	return true;
}

/* The run folder needs no right: connecting to a socket in it is the business of the socket's mode. */
enum sealed seal_files(const char *folder, const uint16_t dials[SEAL_DIALS], bool pretend)
{
	long abi = pretend ? -1 : syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_ASK_ABI);
	if (abi < 1)
		return SEAL_ABSENT;
	struct landlock_rules rules = known_rights(abi);
	int ruleset = (int)syscall(LANDLOCK_CREATE, &rules, rules_size(abi), 0);
	if (ruleset < 0)
		return SEAL_FAILED;
	bool sealed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		      (!folder || landlock_allow(ruleset, folder, rules.fs & ~UINT64_C(1))) &&
		      landlock_dials(ruleset, dials, rules.net) &&
		      syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0;
	close(ruleset);
	return sealed ? SEALED : SEAL_FAILED;
}
