/* A way to a door for people: the broker takes nobody for a person whose pid is a process of the roster, and the tests play both. Each
 * connection to `from` gets a process of its own, which connects to `to` and hands bytes on, both ways. Part of the tests' harness.
 * Between fork and its end a child calls the kernel only: the parent has threads. */
#include "tests/actor/harness.h"
#include "tests/actor/raw.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* False when one of the ends is gone. */
static bool hand_on(int from, int to)
{
	char bytes[16384];
	ssize_t got = read(from, bytes, sizeof bytes);
	return got > 0 && raw_write(to, bytes, (size_t)got);
}

static _Noreturn void cross(int here, const char *door)
{
	int there = raw_connect(door);
	struct pollfd ends[] = {{.fd = here, .events = POLLIN}, {.fd = there, .events = POLLIN}};
	while (there >= 0 && poll(ends, 2, -1) > 0)
		for (unsigned i = 0; i < 2; i++)
			if (ends[i].revents && !hand_on(ends[i].fd, ends[1 - i].fd))
				_exit(0);
	_exit(1);
}

pid_t crossing_start(int listener, const char *to)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN); /* those who are done need no word from us */
	for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(listener);
		cross(fd, to);
	}
	_exit(1);
}
