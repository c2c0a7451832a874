/* The drop of privileges, and the look afterwards: each thing that could be left behind is left behind once, and must be
 * found. Every case in a child of its own. As root; without root there is less to lose, and one case. */
#include "supervisor/jail.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UID = 4242421, GROUP = 4242400 };
static const struct jail jail = {.as_root = true, .uid = UID, .gid = UID, .bus_group = GROUP};

static void only_as_root(void)
{
	if (geteuid() != 0)
		cr_skip_test("only root has privileges to drop");
}

/* What jail_dropped() says after this, in a child. */
static bool found_clean(void (*left)(void))
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		left();
		_exit(jail_dropped(&jail) ? 1 : 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status), "the child was killed by %d", WTERMSIG(status));
	cr_assert(WEXITSTATUS(status) <= 1, "the case could not be made");
	return WEXITSTATUS(status) == 1;
}

static void must(bool done)
{
	if (!done)
		_exit(2);
}

static void drop_all(void)
{
	must(jail_drop(&jail) == JAIL_NONE);
}

static void empty_bounding(void)
{
	for (int i = 0; i < 64; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

static void set_caps(uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {
		{.effective = permitted, .permitted = permitted, .inheritable = inheritable}};
	must(syscall(SYS_capset, &header, caps) == 0);
}

static void become(uid_t real, uid_t effective, uid_t saved)
{
	gid_t group = GROUP;
	must(setgroups(1, &group) == 0 && setresgid(UID, UID, UID) == 0 &&
	     setresuid(real, effective, saved) == 0);
}

static void no_new_privs(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

static void keep_nothing_dropped(void)
{
}

static void keep_saved_uid(void)
{
	empty_bounding();
	become(UID, UID, 0);
	set_caps(0, 0);
	no_new_privs();
}

static void keep_real_uid(void)
{
	empty_bounding();
	become(0, UID, UID);
	set_caps(0, 0);
	no_new_privs();
}

static void keep_gid(void)
{
	gid_t group = GROUP;
	empty_bounding();
	must(setgroups(1, &group) == 0 && setresgid(UID, UID, 0) == 0 && setresuid(UID, UID, UID) == 0);
	no_new_privs();
}

static void keep_a_group(void)
{
	const gid_t groups[] = {GROUP, 0};
	empty_bounding();
	must(setgroups(2, groups) == 0 && setresgid(UID, UID, UID) == 0 && setresuid(UID, UID, UID) == 0);
	no_new_privs();
}

static void keep_another_group(void)
{
	const gid_t groups[] = {GROUP + 1};
	empty_bounding();
	must(setgroups(1, groups) == 0 && setresgid(UID, UID, UID) == 0 && setresuid(UID, UID, UID) == 0);
	no_new_privs();
}

static void keep_capabilities(void)
{
	empty_bounding();
	must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	become(UID, UID, UID);
	set_caps(1U << CAP_KILL, 0);
	no_new_privs();
}

static void keep_inheritable(void)
{
	set_caps(1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_SETPCAP | 1U << CAP_NET_ADMIN,
		 1U << CAP_NET_ADMIN);
	empty_bounding();
	become(UID, UID, UID);
	set_caps(0, 1U << CAP_NET_ADMIN);
	no_new_privs();
}

static void keep_bounding_set(void)
{
	become(UID, UID, UID);
	no_new_privs();
}

static void keep_new_privs(void)
{
	empty_bounding();
	become(UID, UID, UID);
}

Test(identity, a_whole_drop_leaves_nothing)
{
	only_as_root();
	cr_assert(found_clean(drop_all));
}

Test(identity, whatever_is_left_is_found)
{
	only_as_root();
	static const struct {
		const char *what;
		void (*left)(void);
	} cases[] = {
		{"everything", keep_nothing_dropped},    {"the saved uid", keep_saved_uid},
		{"the real uid", keep_real_uid},         {"the saved gid", keep_gid},
		{"a group more", keep_a_group},          {"another group", keep_another_group},
		{"a capability", keep_capabilities},     {"an inheritable capability", keep_inheritable},
		{"the bounding set", keep_bounding_set}, {"new privileges", keep_new_privs},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_not(found_clean(cases[i].left), "left behind and not found: %s", cases[i].what);
}

Test(identity, root_itself_is_never_what_one_drops_to)
{
	only_as_root();
	struct jail to_root = {.as_root = true};
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(jail_drop(&to_root) == JAIL_NONE && jail_dropped(&to_root) ? 1 : 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

Test(identity, without_root_no_capability_is_left_and_none_can_come)
{
	struct jail as_we_are = {.uid = getuid(), .gid = getgid()};
	int status;
	pid_t child = fork();
	if (child == 0) {
		if (jail_dropped(&as_we_are))
			_exit(2); /* new privileges are possible before */
		_exit(jail_drop(&as_we_are) == JAIL_NONE && jail_dropped(&as_we_are) ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

Test(identity, every_step_has_a_name)
{
	for (unsigned step = 0; step < JAIL_STEP_COUNT; step++)
		cr_assert_str_neq(jail_step_name(step), "?");
	cr_assert_str_eq(jail_step_name(JAIL_STEP_COUNT), "?");
}
