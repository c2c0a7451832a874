/* Rows 16, 17, 22 and 23: more than its share of tasks, memory and descriptors; its own limits. All of it ends with the child
 * that tries. Part of the prober. */
#include "actors/prober/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS_TRIED = 96, STACK = 64 * 1024, PAGE = 4096, CLOSED_MS = 2000, NEVER_MS = 100 };

bool attack_forks(const struct target *target)
{
	(void)target;
	pid_t children[TASKS_TRIED];
	int count = 0, error = 0;
	for (; count < TASKS_TRIED; count++) {
		children[count] = fork();
		if (children[count] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		error = errno;
		if (children[count] < 0)
			break;
	}
	for (int i = 0; i < count; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	errno = error;
	return count == TASKS_TRIED;
}

static void *idle(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

bool attack_threads(const struct target *target)
{
	(void)target;
	pthread_attr_t small;
	pthread_t thread;
	int count = 0;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	while (count < TASKS_TRIED && (errno = pthread_create(&thread, &small, idle, NULL)) == 0)
		count++;
	return count == TASKS_TRIED; /* they end with us */
}

bool attack_eat_memory(const struct target *target)
{
	size_t size = (size_t)(target->memory_mib + 16) << 20;
	volatile char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	for (size_t at = 0; at < size; at += PAGE)
		memory[at] = 1;
	return true;
}

bool attack_eat_descriptors(const struct target *target)
{
	for (unsigned i = 0; i <= target->files; i++)
		if (fcntl(target->pipe[0], F_DUPFD, 0) < 0)
			return false;
	return true;
}

static bool raises(__rlimit_resource_t what)
{
	struct rlimit now;
	if (getrlimit(what, &now) != 0 || now.rlim_max == RLIM_INFINITY)
		return now.rlim_max == RLIM_INFINITY;
	struct rlimit more = {now.rlim_max + 1, now.rlim_max + 1};
	return setrlimit(what, &more) == 0;
}

bool attack_raise_limits(const struct target *target)
{
	(void)target;
	return raises(RLIMIT_NOFILE) || raises(RLIMIT_FSIZE) || raises(RLIMIT_NPROC);
}

bool attack_allow_core(const struct target *target)
{
	(void)target;
	return raises(RLIMIT_CORE);
}

bool attack_become_dumpable(const struct target *target)
{
	(void)target;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

bool attack_leave_groups(const struct target *target)
{
	(void)target;
	static const char *const groups[] = {"/sys/fs/cgroup/cgroup.procs",
					     "/sys/fs/cgroup/memory/cgroup.procs",
					     "/sys/fs/cgroup/pids/cgroup.procs"};
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		int fd = open(groups[i], O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		close(fd);
		return true;
	}
	return false;
}

bool attack_keep_descriptors(const struct target *target)
{
	errno = EBADF;
	return target->surplus > 0;
}

/* -- a descriptor to the broker -------------------------------------------------------------------------------- */

static bool sends(int to, int fd)
{
	char byte = (char)0xff, room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

/* A pipe's writing end goes to whoever listens at bus.sock, and ours is closed: when the other side drops what it did not ask
 * for, the reading end hangs up. Outside (no bus) it goes to a listener that never reads, so that it stays on its way. */
bool attack_pass_descriptor(const struct target *target)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.90s/bus.sock", target->run);
	if (target->outside)
		snprintf(address.sun_path, sizeof address.sun_path, SELFTEST_SOCKET);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    !sends(fd, target->pipe[1]))
		return false;
	close(target->pipe[1]);
	struct pollfd end = {.fd = target->pipe[0]};
	errno = EPIPE;
	return poll(&end, 1, target->outside ? NEVER_MS : CLOSED_MS) == 0;
}
