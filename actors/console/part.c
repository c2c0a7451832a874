/* One part of a bundle, from a program or a file. Part of the console. Whoever makes a part hang costs that part its time and
 * no other. */
#include "actors/console/part.h"

#include "actors/base/memory/memory.h"
#include "actors/console/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct part *part_new(struct parts *parts, const char *format, ...)
{
	if (parts->count == parts->room) {
		parts->room = parts->room ? 2 * parts->room : 64;
		parts->all = x_grow(parts->all, parts->room * sizeof *parts->all);
	}
	struct part *part = &parts->all[parts->count++];
	*part = (struct part){0};
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(part->name, sizeof part->name, format, arguments);
	va_end(arguments);
	return part;
}

void part_missing(struct part *part, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(part->why, sizeof part->why, format, arguments);
	va_end(arguments);
	part->state = PART_MISSING;
}

void parts_end(struct parts *parts)
{
	for (unsigned i = 0; i < parts->count; i++)
		x_free(&parts->all[i].bytes);
	x_free(&parts->all);
}

/* -- a program ------------------------------------------------------------------------------------------- */

static _Noreturn void child(const struct program *program, int out, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(program->errors ? out : null, STDERR_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    getppid() != parent)
		_exit(127);
	const char *path = program->argv[0] ? program->argv[0] : "/proc/self/exe";
	const char *argv[16] = {"warren"};
	for (unsigned i = 1; i < 15 && program->argv[i]; i++)
		argv[i] = program->argv[i];
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Reads until its end; false when the time is up or a person wants no more. What is over `most` is counted, not kept. */
static bool take_output(struct parts *parts, struct part *part, const struct program *program, int from)
{
	const uint64_t until = clock_ns() + program->limit_ms * UINT64_C(1000000);
	char bytes[16384];
	part->bytes = x_new(program->most + 1);
	for (;;) {
		struct pollfd fds[] = {{.fd = from, .events = POLLIN},
				       {.fd = parts->interrupted, .events = POLLIN}};
		uint64_t now = clock_ns();
		int ready = now < until ? poll(fds, 2, (int)((until - now) / 1000000) + 1) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		parts->stopped = parts->stopped || (ready > 0 && fds[1].revents);
		if (ready <= 0 || parts->stopped)
			return false;
		ssize_t got = read(from, bytes, sizeof bytes);
		if (got <= 0)
			return true;
		size_t room = program->most - part->length;
		size_t fits = (size_t)got < room ? (size_t)got : room;
		memcpy(part->bytes + part->length, bytes, fits);
		part->length += fits;
		part->of += (uint64_t)got;
	}
}

int part_of_program(struct parts *parts, struct part *part, const struct program *program)
{
	int pipes[2], status = 0;
	pid_t parent = getpid();
	if (pipe2(pipes, O_CLOEXEC) != 0) {
		part_missing(part, "no pipe to be had: %s", strerror(errno));
		return -1;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child(program, pipes[1], parent);
	close(pipes[1]);
	bool whole = pid > 0 && take_output(parts, part, program, pipes[0]);
	close(pipes[0]);
	if (pid > 0 && !whole)
		kill(pid, SIGKILL); /* not reaped yet, so it is still that one */
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (part->of > part->length) {
		part->state = PART_CUT;
		snprintf(part->why, sizeof part->why, "the rest is over its share");
	}
	if (!whole)
		part_missing(part, pid > 0 ? "no answer within %u s" : "it could not be started",
			     program->limit_ms / 1000);
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 127)
		return WEXITSTATUS(status);
	else
		part_missing(part, "it could not be run, or it broke off");
	return -1;
}

/* -- a file ---------------------------------------------------------------------------------------------- */

/* A file may grow, shrink or be rotated away while it is read: what is read is what counts. */
static void read_tail(struct part *part, int fd, uint64_t size, uint64_t most)
{
	uint64_t from = size > most ? size - most : 0;
	size_t want = (size_t)(size - from), at = 0;
	part->of = size;
	part->bytes = x_new(want + 1);
	for (ssize_t got;
	     at < want && (got = pread(fd, part->bytes + at, want - at, (off_t)(from + at))) > 0;)
		at += (size_t)got;
	part->length = at;
	char *line = from ? memchr(part->bytes, '\n', at) : NULL;
	if (line) {
		part->length = at - (size_t)(line + 1 - part->bytes);
		memmove(part->bytes, line + 1, part->length);
	}
	if (from) {
		part->state = PART_CUT;
		snprintf(part->why, sizeof part->why, "the older %llu bytes were left out",
			 (unsigned long long)(size - part->length));
	}
}

void part_of_file(struct part *part, int folder, const char *path, uint64_t most)
{
	struct stat at;
	int fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &at) != 0)
		part_missing(part, errno == EACCES || errno == EPERM ? "you may not read it" : "%s",
			     strerror(errno));
	else if (!S_ISREG(at.st_mode))
		part_missing(part, "it is not a file");
	else
		read_tail(part, fd, (uint64_t)at.st_size, most);
	if (fd >= 0)
		close(fd);
}
