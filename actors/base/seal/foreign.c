/* The seal of a program that nobody here wrote: it cannot close it itself, so it is closed in the child just before the program
 * begins. We do not know all that it calls, so here a list says what is refused, not what is allowed; refused calls answer EPERM,
 * as a foreign program may try one and go on without. */
#include "actors/base/seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char refused[] =
	"connect kill tkill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo execve fork vfork ptrace "
	"process_vm_readv process_vm_writev pidfd_getfd io_uring_setup "
	"io_uring_enter io_uring_register bpf unshare setns mount umount2 pivot_root chroot move_mount "
	"fsopen "
	"open_tree keyctl add_key request_key userfaultfd perf_event_open init_module finit_module "
	"delete_module kexec_load kexec_file_load setuid setgid setreuid setregid setresuid setresgid "
	"setgroups setfsuid setfsgid capset personality name_to_handle_at open_by_handle_at acct swapon "
	"swapoff "
	"reboot settimeofday clock_settime msgget semget shmget mq_open memfd_secret";

static bool refuse_named(scmp_filter_ctx filter)
{
	char name[32];
	const char *words = refused;
	for (int used = 0; sscanf(words, " %31s%n", name, &used) == 1; words += used) {
		int number = seccomp_syscall_resolve_name(name);
		if (number != __NR_SCMP_ERROR &&
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) != 0)
			return false;
	}
	return true;
}

/* No signal but to itself (abort()); threads, but no processes (clone3 hides its flags in memory: the C library falls back to clone); streams, but no other sockets;
 * the one program, and no other. */
static bool refuse_shaped(scmp_filter_ctx filter, int program)
{
	const uint32_t no = SCMP_ACT_ERRNO(EPERM);
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
	       seccomp_rule_add(filter, no, SCMP_SYS(tgkill), 1,
				SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid())) == 0 &&
	       seccomp_rule_add(filter, no, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0 &&
	       seccomp_rule_add(filter, no, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_INET6)) == 0 &&
	       seccomp_rule_add(filter, no, SCMP_SYS(socket), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM)) == 0 &&
	       seccomp_rule_add(filter, no, SCMP_SYS(socket), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW)) == 0 &&
	       seccomp_rule_add(filter, no, SCMP_SYS(execveat), 1,
				SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)program)) == 0;
}

enum sealed seal_foreign(int program, bool pretend)
{
	if (pretend || prctl(PR_GET_SECCOMP) < 0)
		return SEAL_ABSENT;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool sealed = filter && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && refuse_named(filter) &&
		      refuse_shaped(filter, program) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return sealed ? SEALED : SEAL_FAILED;
}
