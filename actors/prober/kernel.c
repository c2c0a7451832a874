/* Rows 19 and 20: programs of its own, and what the kernel has to offer to those who may ask. The calls go in by number, as a
 * burglar's would: some have no function in glibc. Part of the prober. */
#include "actors/prober/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <unistd.h>

enum { PAGE = 4096, RING_PARAMS = 120, USER_MODE_ONLY = 1 };

/* -- row 19 ---------------------------------------------------------------------------------------------------- */

/* The shell says what we would say had we got through. */
bool attack_run_program(const struct target *target)
{
	(void)target;
	execl("/bin/sh", "sh", "-c", "exit 127", NULL);
	return false;
}

/* An empty file is no program, which the kernel notices after it has asked whether we may. */
bool attack_run_memory_file(const struct target *target)
{
	char *const none[] = {NULL};
	syscall(SYS_execveat, target->memory_file, "", none, none, AT_EMPTY_PATH);
	return errno == ENOEXEC;
}

bool attack_executable_pages(const struct target *target)
{
	(void)target;
	return mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

bool attack_executable_later(const struct target *target)
{
	(void)target;
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page != MAP_FAILED && mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0;
}

/* -- row 20 ---------------------------------------------------------------------------------------------------- */

bool attack_become_root(const struct target *target)
{
	(void)target;
	return syscall(SYS_setresuid, 0, 0, 0) == 0;
}

bool attack_gain_capabilities(const struct target *target)
{
	(void)target;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct one[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = CAP_TO_MASK(CAP_KILL), .permitted = CAP_TO_MASK(CAP_KILL)}};
	return syscall(SYS_capset, &header, one) == 0;
}

bool attack_user_namespace(const struct target *target)
{
	(void)target;
	return syscall(SYS_unshare, CLONE_NEWUSER) == 0;
}

/* In the control this child has a mount namespace of its own (prober.c). */
bool attack_mount_something(const struct target *target)
{
	if (mount("prober", target->self, "tmpfs", 0, "size=64k") != 0)
		return false;
	umount2(target->self, MNT_DETACH);
	return true;
}

bool attack_change_root(const struct target *target)
{
	return syscall(SYS_chroot, target->self) == 0;
}

bool attack_make_device(const struct target *target)
{
	char path[512];
	snprintf(path, sizeof path, "%s/prober-%d", target->self, getpid());
	if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) != 0)
		return false;
	unlink(path);
	return true;
}

bool attack_load_bpf(const struct target *target)
{
	(void)target;
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	return syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map) >= 0;
}

bool attack_io_ring(const struct target *target)
{
	(void)target;
	char params[RING_PARAMS] = {0}; /* struct io_uring_params: all zero asks for the plainest ring */
	return syscall(SYS_io_uring_setup, 1, params) >= 0;
}

/* Into the ring of this process, which ends with it. */
bool attack_add_kernel_key(const struct target *target)
{
	(void)target;
	return syscall(SYS_add_key, "user", "prober", "x", 1, KEY_SPEC_PROCESS_KEYRING) >= 0;
}

bool attack_user_faults(const struct target *target)
{
	(void)target;
	return syscall(SYS_userfaultfd, O_CLOEXEC | USER_MODE_ONLY) >= 0;
}

bool attack_count_events(const struct target *target)
{
	(void)target;
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
					.size = sizeof event,
					.config = PERF_COUNT_SW_PAGE_FAULTS,
					.exclude_kernel = 1,
					.exclude_hv = 1};
	return syscall(SYS_perf_event_open, &event, 0, -1, -1, 0) >= 0;
}

bool attack_other_personality(const struct target *target)
{
	(void)target;
	return personality(ADDR_NO_RANDOMIZE) >= 0;
}

/* To the tick that it has: asking to set it takes the right to, and changes nothing. */
bool attack_set_clock(const struct target *target)
{
	(void)target;
	struct timex clock = {.modes = 0};
	if (adjtimex(&clock) < 0)
		return false;
	clock.modes = ADJ_TICK;
	return adjtimex(&clock) >= 0;
}

bool attack_hurry(const struct target *target)
{
	(void)target;
	return setpriority(PRIO_PROCESS, 0, -20) == 0;
}

bool attack_shared_segment(const struct target *target)
{
	(void)target;
	int segment = shmget(SELFTEST_SEGMENT, 0, 0);
	return segment >= 0 && shmat(segment, NULL, SHM_RDONLY) != (void *)-1;
}
