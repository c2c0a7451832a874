/* The seal, closed for real in a child of each test: what is allowed, what is answered ENOSYS and counted, what is death. The
 * children speak to the kernel directly, as a sanitizer does not live behind a seal. */
#include "actors/base/seal/seal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEAL_DID_NOT_CLOSE = 99 };

/* What became of a child that ran this: its exit code, or minus the signal. */
static int in_child(int (*run)(void))
{
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(run());
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void close_or_leave(const char *more)
{
	if (seal_syscalls(more, false) != SEALED)
		_exit(SEAL_DID_NOT_CLOSE);
}

static int open_is_strange(void)
{
	close_or_leave("");
	int last = 0;
	long rc = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0);
	if (rc != -1 || errno != ENOSYS)
		return 1;
	if (seal_strange(&last) != 1 || last != SYS_openat)
		return 2;
	syscall(SYS_uname, NULL);
	return seal_strange(&last) == 2 && last == SYS_uname ? 0 : 3;
}

Test(syscalls, what_is_not_named_is_answered_and_counted)
{
	cr_assert_eq(in_child(open_is_strange), 0);
}

/* As libzmq's: every signal is blocked in it. */
static void *deaf_thread(void *result)
{
	long rc = syscall(SYS_openat, AT_FDCWD, "/proc/sys/vm/overcommit_memory", O_RDONLY, 0);
	*(int *)result = rc == -1 && errno == ENOSYS ? 0 : 1;
	return NULL;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *deaf_thread_at_gate(void *result)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return deaf_thread(result);
}

static int deaf_thread_lives(void)
{
	pthread_t thread;
	sigset_t all, before;
	int result = 9;
	sigfillset(&all);
	pthread_mutex_lock(&gate);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_create(&thread, NULL, deaf_thread_at_gate, &result);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close_or_leave("");
	pthread_mutex_unlock(&gate);
	pthread_join(thread, NULL);
	return result;
}

Test(syscalls, a_thread_that_blocks_signals_is_answered_too)
{
	cr_assert_eq(in_child(deaf_thread_lives), 0);
}

static int named_is_allowed(void)
{
	close_or_leave("openat uname");
	long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0);
	return fd >= 0 && seal_strange(NULL) == 0 ? 0 : 1;
}

Test(syscalls, what_a_duty_names_is_allowed)
{
	cr_assert_eq(in_child(named_is_allowed), 0);
}

static int executes(void)
{
	close_or_leave("");
	syscall(SYS_execve, "/bin/true", NULL, NULL);
	return 0;
}

static int traces(void)
{
	close_or_leave("");
	syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
	return 0;
}

static int dials(void)
{
	close_or_leave("");
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	return 0;
}

static int runs_what_it_wrote(void)
{
	close_or_leave("");
	syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return 0;
}

static int makes_code_of_what_it_wrote(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	close_or_leave("");
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	return 0;
}

static int seals_again(void)
{
	close_or_leave("");
	return syscall(SYS_seccomp, 1, 0, NULL) == -1 && errno == ENOSYS ? 0 : 1;
}

Test(syscalls, what_only_a_burglar_asks_is_death)
{
	cr_assert_eq(in_child(executes), -SIGSYS);
	cr_assert_eq(in_child(traces), -SIGSYS);
	cr_assert_eq(in_child(dials), -SIGSYS);
	cr_assert_eq(in_child(runs_what_it_wrote), -SIGSYS);
	cr_assert_eq(in_child(makes_code_of_what_it_wrote), -SIGSYS);
	cr_assert_eq(in_child(seals_again), 0, "and the seal is not touched again");
}

static int pretends(void)
{
	if (seal_syscalls("", true) != SEAL_ABSENT || seal_files(NULL, true) != SEAL_ABSENT)
		return 1;
	return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0) >= 0 ? 0 : 2;
}

Test(syscalls, pretended_absent_is_absent)
{
	cr_assert_eq(in_child(pretends), 0);
}

/* -- files -------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/warren-seal-XXXXXX";

static int opens(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static int only_its_folder(void)
{
	char own[64];
	snprintf(own, sizeof own, "%s/own", folder);
	enum sealed sealed = seal_files(folder, false);
	if (sealed == SEAL_ABSENT)
		return 77;
	if (sealed != SEALED || opens(own, O_CREAT | O_RDWR) < 0)
		return 1;
	if (opens("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return 2;
	return opens("/tmp/warren-seal-outside", O_CREAT | O_RDWR) < 0 && errno == EACCES ? 0 : 3;
}

static int no_folder_at_all(void)
{
	enum sealed sealed = seal_files(NULL, false);
	if (sealed == SEAL_ABSENT)
		return 77;
	return sealed == SEALED && opens(folder, O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES ? 0 : 1;
}

Test(files, only_what_is_its_own)
{
	char own[64];
	cr_assert_not_null(mkdtemp(folder));
	int first = in_child(only_its_folder), second = in_child(no_folder_at_all);
	snprintf(own, sizeof own, "%s/own", folder);
	unlink(own);
	rmdir(folder);
	if (first == 77)
		cr_skip_test("this kernel has no Landlock");
	cr_assert_eq(first, 0, "%d", first);
	cr_assert_eq(second, 0, "%d", second);
}

/* -- who dials out ------------------------------------------------------------------------------------ */

static uint16_t ports[2];

static int listen_here(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool listens = bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 4) == 0 &&
		       getsockname(fd, (struct sockaddr *)&address, &length) == 0;
	*port = ntohs(address.sin_port);
	return listens ? fd : -1;
}

/* 0, or errno. */
static int dial(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	return syscall(SYS_connect, fd, &address, sizeof address) == 0 ? 0 : errno;
}

static int one_port_and_no_other(void)
{
	if (syscall(444, NULL, 0, 1) < 4) /* landlock_create_ruleset: which ABI; ports came with the fourth */
		return 77;
	uint16_t dials[SEAL_DIALS] = {0, ports[0]};
	if (seal_ports(dials, false) != SEALED)
		return 1;
	close_or_leave("tcp-client");
	int udp = (int)syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
	if (udp >= 0 || errno != ENOSYS)
		return 2;
	if (dial(ports[0]) != 0)
		return 3;
	return dial(ports[1]) == EACCES ? 0 : 4;
}

static int nobody_without_the_word(void)
{
	close_or_leave("");
	return dial(ports[0]);
}

Test(dial, one_port_by_who_may_and_death_to_who_may_not)
{
	int one = listen_here(&ports[0]), two = listen_here(&ports[1]);
	cr_assert(one >= 0 && two >= 0);
	cr_assert_eq(in_child(nobody_without_the_word), -SIGSYS);
	int end = in_child(one_port_and_no_other);
	close(one);
	close(two);
	if (end == 77)
		cr_skip_test("this kernel's Landlock knows no ports");
	cr_assert_eq(end, 0, "%d", end);
}

/* -- scopes -------------------------------------------------------------------------------------------- */

static const struct sockaddr_un hidden_name = {.sun_family = AF_UNIX, .sun_path = "\0warren test of scopes"};

static bool moves_between_folders(void)
{
	char top[] = "/tmp/scopes-XXXXXX", from[64], folder[64], to[96];
	if (!mkdtemp(top))
		return false;
	snprintf(from, sizeof from, "%s/file", top);
	snprintf(folder, sizeof folder, "%s/folder", top);
	snprintf(to, sizeof to, "%s/file", folder);
	int fd = open(from, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	bool moved = fd >= 0 && mkdir(folder, 0700) == 0 && rename(from, to) == 0;
	unlink(moved ? to : from);
	rmdir(folder);
	rmdir(top);
	return moved;
}

static int neither_signal_nor_abstract_socket(void)
{
	enum sealed sealed = seal_scopes(false);
	if (sealed != SEALED)
		return sealed == SEAL_ABSENT ? 77 : 1;
	int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&hidden_name, sizeof hidden_name) == 0 ||
	    errno != EPERM)
		return 2;
	if (kill(getppid(), 0) == 0 || errno != EPERM)
		return 3;
	return kill(getpid(), 0) == 0 && moves_between_folders() ? 0 : 4; /* and nothing else */
}

static int both_without_it(void)
{
	int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (seal_scopes(true) != SEAL_ABSENT || kill(getppid(), 0) != 0)
		return 1;
	return connect(fd, (const struct sockaddr *)&hidden_name, sizeof hidden_name) == 0 ? 0 : 2;
}

Test(scopes, no_signal_and_no_abstract_socket_out)
{
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (const struct sockaddr *)&hidden_name, sizeof hidden_name), 0);
	cr_assert_eq(listen(listener, 4), 0);
	cr_assert_eq(in_child(both_without_it), 0);
	int end = in_child(neither_signal_nor_abstract_socket);
	close(listener);
	if (end == 77)
		cr_skip_test("this kernel's Landlock has no scopes");
	cr_assert_eq(end, 0, "%d", end);
}

/* -- of a foreign program ----------------------------------------------------------------------------- */

static int denied(long result, int wanted)
{
	return result < 0 && errno == wanted ? 0 : 1;
}

static void *nothing_at_all(void *context)
{
	return context;
}

/* One digit for each thing that was answered otherwise. */
static int foreign(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(ports[0]), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int stream = socket(AF_INET, SOCK_STREAM, 0), one = open("/bin/true", O_PATH),
	    other = open("/bin/true", O_PATH);
	pthread_t thread;
	char *none[] = {NULL};
	if (seal_foreign(one, false) != SEALED)
		return 1;
	if (denied(connect(stream, (struct sockaddr *)&address, sizeof address), EPERM))
		return 2;
	if (denied(fork(), EPERM) || denied(syscall(SYS_fork), EPERM))
		return 3;
	if (denied(socket(AF_INET, SOCK_DGRAM, 0), EPERM) || denied(socket(AF_NETLINK, SOCK_RAW, 0), EPERM))
		return 4;
	if (denied(syscall(SYS_execveat, other, "", none, none, AT_EMPTY_PATH), EPERM) ||
	    denied(execve("/bin/true", none, none), EPERM))
		return 5;
	if (denied(kill(getppid(), 0), EPERM) || denied(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM))
		return 10;
	if (denied(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM) ||
	    denied(syscall(SYS_io_uring_setup, 1, NULL), EPERM))
		return 6;
	if (socket(AF_INET, SOCK_STREAM, 0) < 0 || socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 7;
	if (pthread_create(&thread, NULL, nothing_at_all, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return 8;
	syscall(SYS_execveat, one, "", none, none, AT_EMPTY_PATH);
	return 9;
}

Test(foreign, it_serves_and_computes_and_nothing_else)
{
	cr_assert_eq(in_child(foreign), 0, "it becomes the one program it may");
}
