/* Landlock, first stage: what a program needs to start, its own folder, the sockets; nothing else of the file
 * system, no TCP, no signal and no abstract socket outward. The program itself gives up more once it is up
 * (actors/base/seal). Runs in the child under its own uid, so a rule is also a proof that the uid can reach
 * the path. */
#include "supervisor/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h as of ABI 6; Debian 12's headers know ABI 2. A kernel takes the parts it knows when the
 * rest is zero. */
struct ruleset {
	uint64_t handled_files, handled_network, scoped;
};
struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed, port;
};

enum { RULE_PATH_BENEATH = 1, RULE_PORT = 2, ASK_VERSION = 1, PORTS_SINCE = 4, SCOPES_SINCE = 6 };

#define EXECUTE     (UINT64_C(1) << 0)
#define WRITE_FILE  (UINT64_C(1) << 1)
#define READ_FILE   (UINT64_C(1) << 2)
#define READ_DIR    (UINT64_C(1) << 3)
#define REMOVE_DIR  (UINT64_C(1) << 4)
#define REMOVE_FILE (UINT64_C(1) << 5)
#define MAKE_DIR    (UINT64_C(1) << 7)
#define MAKE_REG    (UINT64_C(1) << 8)
#define MAKE_SOCK   (UINT64_C(1) << 9)
#define REFER       (UINT64_C(1) << 13) /* ABI 2 */
#define TRUNCATE    (UINT64_C(1) << 14) /* ABI 3 */
#define IOCTL_DEV   (UINT64_C(1) << 15) /* ABI 5 */
#define FIRST_ABI   (REFER - 1)         /* all thirteen */

#define LIBRARY (EXECUTE | READ_FILE | READ_DIR)
#define OWN \
	(READ_FILE | WRITE_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | \
	 TRUNCATE)
#define OF_FILES \
	(EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | \
	 IOCTL_DEV) /* the others make sense for folders only \
								   */

#define NETWORK_TCP UINT64_C(3) /* bind and connect, ABI 4 */
#define BIND_TCP    UINT64_C(1)
#define CONNECT_TCP UINT64_C(2)
#define SCOPE_ALL   UINT64_C(3) /* abstract sockets and signals */

static const struct {
	const char *path;
	uint64_t allowed;
} readable[] = {
	{"/usr", LIBRARY},
	{"/lib", LIBRARY},
	{"/lib32", LIBRARY},
	{"/lib64", LIBRARY},
	{"/libx32", LIBRARY},
	{"/etc/ld.so.cache", READ_FILE},
	{"/etc/ld.so.preload", READ_FILE},
	{"/etc/localtime", READ_FILE},
	{"/etc/timezone", READ_FILE},
	{"/etc/protocols", READ_FILE},
	{"/etc/services", READ_FILE},
	{"/etc/nsswitch.conf", READ_FILE},
	{"/etc/hosts", READ_FILE},
	{"/etc/host.conf", READ_FILE},
	{"/etc/gai.conf", READ_FILE},
	{"/etc/resolv.conf", READ_FILE},
	{"/etc/ssl", READ_FILE | READ_DIR},
	{"/sys/devices/system/cpu", READ_FILE | READ_DIR},
	{"/dev/null", READ_FILE | WRITE_FILE},
	{"/dev/zero", READ_FILE},
	{"/dev/random", READ_FILE},
	{"/dev/urandom", READ_FILE},
};

static bool allow_fd(int rules, int fd, uint64_t allowed)
{
	struct stat at;
	if (fstat(fd, &at) != 0)
		return false;
	struct path_rule rule = {S_ISDIR(at.st_mode) ? allowed : allowed & OF_FILES, fd};
	return syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) == 0;
}

/* A path that is not there needs no rule. */
static bool allow_path(int rules, const char *path, uint64_t allowed)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == EACCES;
	bool allowed_it = allow_fd(rules, fd, allowed);
	close(fd);
	return allowed_it;
}

static bool allow_all(int rules, const struct jail *jail, uint64_t handled)
{
	for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
		if (!allow_path(rules, readable[i].path, readable[i].allowed & handled))
			return false;
	/* A foreign program speaks with its keeper over a socket in their folder. */
	uint64_t own = OWN | (jail->foreign >= 0 ? MAKE_SOCK : 0);
	if (jail->foreign >= 0 && !allow_fd(rules, jail->foreign, EXECUTE | READ_FILE))
		return false;
	return allow_fd(rules, jail->program, EXECUTE | READ_FILE) &&
	       allow_fd(rules, jail->self_fd, own & handled) && allow_fd(rules, jail->run_fd, READ_DIR);
}

static bool allow_ports(int rules, const struct jail *jail)
{
	struct port_rule bind = {BIND_TCP, jail->binds};
	if (bind.port && syscall(SYS_landlock_add_rule, rules, RULE_PORT, &bind, 0) != 0)
		return false;
	for (int i = 0; i < DIALS_MOST; i++) {
		struct port_rule rule = {CONNECT_TCP, jail->ports[i]};
		if (rule.port && syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0) != 0)
			return false;
	}
	return true;
}

static long kernel_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
}

static bool build(const struct jail *jail)
{
	long abi = kernel_abi();
	if (abi < 1)
		return false;
	struct ruleset set = {.handled_files = FIRST_ABI | (abi >= 2 ? REFER : 0) |
					       (abi >= 3 ? TRUNCATE : 0) | (abi >= 5 ? IOCTL_DEV : 0)};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
	if (rules < 0)
		return false;
	bool built = allow_all(rules, jail, set.handled_files) &&
		     syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return built;
}

/* Rulesets of their own, so that each wall can stand without the others. One that says nothing of moving files between folders would
 * forbid that everywhere: these allow it. */
static bool build_ports(const struct jail *jail)
{
	const struct ruleset set = {.handled_files = REFER, .handled_network = NETWORK_TCP};
	int rules = kernel_abi() < PORTS_SINCE
			    ? -1
			    : (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
	if (rules < 0)
		return false;
	bool built = allow_path(rules, "/", REFER) && allow_ports(rules, jail) &&
		     syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return built;
}

static bool build_scopes(void)
{
	const struct ruleset set = {.handled_files = REFER, .scoped = SCOPE_ALL};
	int rules = kernel_abi() < SCOPES_SINCE
			    ? -1
			    : (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
	if (rules < 0)
		return false;
	bool built = allow_path(rules, "/", REFER) && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return built;
}

void jail_files(const struct jail *jail, struct jailed *jailed)
{
	if (!(jail->without & 1U << WALL_LANDLOCK) && !build(jail))
		jailed->missing |= 1U << WALL_LANDLOCK;
	if (!(jail->without & 1U << WALL_PORTS) && !build_ports(jail))
		jailed->missing |= 1U << WALL_PORTS;
	if (!(jail->without & 1U << WALL_SCOPES) && !build_scopes())
		jailed->missing |= 1U << WALL_SCOPES;
}
