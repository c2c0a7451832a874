/* The half of the seal that is about system calls. Three answers: allow what a duty needs, kill for what only
 * a burglar asks, ENOSYS for all else, counted and logged by the beat. Runs as the process itself, before
 * HELLO: no byte from anybody else was read yet. */
#include "actors/base/seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

/* What libzmq, malloc and the loop need. No openat: whatever a process needs was opened before. libzmq's
 * threads may still be starting when the seal closes: the calls of their first moments are here, too. */
static const char allowed[] =
	"read write readv writev close fstat lseek poll ppoll epoll_wait epoll_pwait epoll_pwait2 "
	"epoll_ctl epoll_create1 eventfd2 recvfrom recvmsg sendto sendmsg connect getsockopt "
	"getsockname getpeername shutdown futex brk mremap munmap madvise clock_gettime clock_getres "
	"clock_nanosleep nanosleep gettimeofday getpid gettid getuid geteuid getgid getegid getrandom "
	"rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall exit exit_group "
	"sched_yield sched_getaffinity sched_getparam sched_getscheduler set_robust_list rseq membarrier";

/* What only a burglar asks: the process dies at once, loudly. */
static const char deadly[] =
	"execve execveat fork vfork ptrace process_vm_readv process_vm_writev pidfd_getfd pidfd_open "
	"io_uring_setup io_uring_enter io_uring_register bpf unshare setns mount umount2 pivot_root "
	"chroot move_mount fsopen open_tree keyctl add_key request_key userfaultfd perf_event_open "
	"init_module finit_module delete_module kexec_load kexec_file_load setuid setgid setreuid "
	"setregid setresuid setresgid setgroups setfsuid setfsgid capset personality name_to_handle_at "
	"open_by_handle_at acct swapon swapoff reboot settimeofday clock_settime";

/* An older libseccomp may not know a name; the answer to that call is then ENOSYS, as to any other. */
static bool add_named(scmp_filter_ctx filter, uint32_t action, const char *words)
{
	char name[32];
	for (int used = 0; sscanf(words, " %31s%n", name, &used) == 1; words += used) {
		int number = seccomp_syscall_resolve_name(name);
		if (number != __NR_SCMP_ERROR && seccomp_rule_add(filter, action, number, 0) != 0)
			return false;
	}
	return true;
}

/* Sockets of the internet are for who dials out; of them streams alone. */
static bool add_sockets(scmp_filter_ctx filter, bool tcp)
{
	const uint32_t kill = SCMP_ACT_KILL_PROCESS, allow = SCMP_ACT_ALLOW;
	const scmp_datum_t type = SOCK_STREAM, mask = 0xf; /* without SOCK_CLOEXEC, SOCK_NONBLOCK */
	if (!tcp)
		return seccomp_rule_add(filter, kill, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)) ==
		       0;
	return seccomp_rule_add(filter, allow, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_INET),
				SCMP_A1(SCMP_CMP_MASKED_EQ, mask, type)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_INET6),
				SCMP_A1(SCMP_CMP_MASKED_EQ, mask, type)) == 0 &&
	       seccomp_rule_add(filter, kill, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_INET6)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(setsockopt), 1, SCMP_A1(SCMP_CMP_EQ, IPPROTO_TCP)) ==
		       0;
}

/* Calls that are allowed, or deadly, by their arguments. */
static bool add_shaped(scmp_filter_ctx filter)
{
	const uint32_t kill = SCMP_ACT_KILL_PROCESS, allow = SCMP_ACT_ALLOW;
	scmp_datum_t self = (scmp_datum_t)getpid();
	return seccomp_rule_add(filter, allow, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
	       seccomp_rule_add(filter, kill, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0 &&
	       seccomp_rule_add(filter, kill, SCMP_SYS(mprotect), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_LE, F_SETLK)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(setsockopt), 1, SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET)) ==
		       0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, 0x5421)) ==
		       0 && /* FIONBIO */
	       seccomp_rule_add(filter, allow, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(sched_setscheduler), 1,
				SCMP_A1(SCMP_CMP_EQ, SCHED_OTHER)) == 0 &&
	       seccomp_rule_add(filter, allow, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self)) ==
		       0 && /* abort() */
	       seccomp_rule_add(filter, allow, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0)) == 0;
}

/* The count of calls answered ENOSYS. A signal handler has no other place to keep it. */
static struct {
	_Atomic uint64_t count;
	_Atomic int last;
} strange;

uint64_t seal_strange(int *last)
{
	if (last)
		*last = strange.last;
	return strange.count;
}

static void answer_enosys(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	ucontext_t *machine = context;
#if defined(__x86_64__)
	machine->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
	machine->uc_mcontext.regs[0] = (uint64_t)-ENOSYS;
#else
#error "where does this machine return the result of a system call?"
#endif
	strange.last = info->si_syscall;
	strange.count++;
}

/* One filter; `else_` is what all the calls get that it does not name. */
static bool close_for(bool all_threads, uint32_t else_, const char *more)
{
	scmp_filter_ctx filter = seccomp_init(else_);
	bool loaded =
		filter && seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, all_threads) == 0 &&
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0 &&
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && /* a tree: few rules a call */
		add_named(filter, SCMP_ACT_ALLOW, allowed) && add_named(filter, SCMP_ACT_ALLOW, more) &&
		add_named(filter, SCMP_ACT_ALLOW, all_threads ? "seccomp" : "") && /* for the second filter */
		add_named(filter, SCMP_ACT_KILL_PROCESS, deadly) && add_shaped(filter) &&
		add_sockets(filter, strstr(more, "tcp-client") != NULL) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return loaded;
}

/* Two filters. libzmq's threads block every signal, and a trap that cannot be delivered is a death: malloc that gives memory
 * back in one of them wants to read a file of /proc, which is nobody's crime. So all threads get ENOSYS in silence, and our
 * own gets the trap on top, which counts. */
enum sealed seal_syscalls(const char *more, bool pretend)
{
	if (pretend || prctl(PR_GET_SECCOMP) < 0)
		return SEAL_ABSENT;
	struct sigaction action = {.sa_sigaction = answer_enosys, .sa_flags = SA_SIGINFO | SA_NODEFER};
	if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return SEAL_FAILED;
	return close_for(true, SCMP_ACT_ERRNO(ENOSYS), more) && close_for(false, SCMP_ACT_TRAP, more)
		       ? SEALED
		       : SEAL_FAILED;
}
