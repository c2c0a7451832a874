/* Children as the supervisor would start them, and the count of what passed. Part of the tests' harness. */
#include "tests/actor/harness.h"

#include "proto/call.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALL_SECONDS = 240, OUT_OF_THE_WAY = 100 };

static struct {
	unsigned passed, failed;
	const char *program, *scenario;
} tests; /* of the whole program, as its exit code is */

/* -- results ------------------------------------------------------------------------------------------ */

void ok(bool passed, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	unsigned number = passed ? ++tests.passed + tests.failed : ++tests.failed + tests.passed;
	printf("%sok %u - %s: ", passed ? "" : "not ", number, tests.scenario);
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
}

void note(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("# ", stdout);
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
}

const char *tested_program(void)
{
	return tests.program;
}

int scenarios_run(int argc, char **argv, const char *program, const struct scenario *scenarios,
		  unsigned count)
{
	tests.program = argc > 1 && *argv[1] ? argv[1] : program;
	setvbuf(stdout, NULL, _IOLBF, 0);
	zsys_handler_set(NULL); /* czmq leaves our signals alone */
	alarm(ALL_SECONDS);
	for (unsigned i = 0; i < count; i++) {
		unsigned failed = tests.failed;
		tests.scenario = scenarios[i].name;
		if (argc > 2 && !strstr(scenarios[i].name, argv[2]))
			continue;
		scenarios[i].run();
		if (tests.failed > failed)
			note("%s: %u failed", scenarios[i].name, tests.failed - failed);
	}
	zsys_shutdown();
	printf("%u passed, %u failed\n", tests.passed, tests.failed);
	return tests.failed || !tests.passed;
}

/* -- a child ------------------------------------------------------------------------------------------ */

struct birth birth_of(enum kind kind, unsigned node)
{
	struct birth birth = {
		.magic = BIRTH_MAGIC,
		.version = BIRTH_VERSION,
		.kind = (uint8_t)kind,
		.node = (uint16_t)node,
		.uid = getuid(),
		.birth = frames_random(),
	};
#if defined(__SANITIZE_ADDRESS__) || defined(WARREN_COVERAGE)
	birth.pretend = 1U << WALL_SECCOMP | 1U << WALL_LANDLOCK;
#endif
	for (unsigned i = 0; i < sizeof birth.routing; i += 8)
		memcpy(birth.routing + i, &(uint64_t){frames_random()}, 8);
	return birth;
}

/* In the child: every descriptor to its number, all others shut, and away. */
static _Noreturn void become(const char *program, char *const *environment, const int *fds, int count)
{
	int lifted[FD_FIRST + CHILD_FDS];
	int nowhere = open("/dev/null", O_WRONLY);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(nowhere, STDOUT_FILENO); /* what an --init has to tell would stand among our results */
	for (int i = 0; i < count;
	     i++) /* out of the way first, so that none is overwritten before its turn */
		lifted[i] = fcntl(fds[i], F_DUPFD, OUT_OF_THE_WAY);
	for (int i = 0; i < count; i++)
		if (dup2(lifted[i], FD_LOG + i) < 0)
			_exit(126);
	close_range((unsigned)(FD_LOG + count), UINT_MAX, 0);
	execve(program, (char *const[]){(char *)(uintptr_t)program, NULL}, environment);
	_exit(127);
}

static void write_record(int fd, const struct start *start)
{
	struct birth birth = start->birth;
	const char *settings = start->settings ? start->settings : "";
	birth.settings_bytes = (uint32_t)strlen(settings);
	size_t record = sizeof birth - (start->cut < sizeof birth ? start->cut : sizeof birth);
	if (write(fd, &birth, record) != (ssize_t)record ||
	    (!start->cut && write(fd, settings, birth.settings_bytes) != (ssize_t)birth.settings_bytes))
		abort();
	close(fd);
}

void child_start(struct child *child, const char *program, const struct start *start)
{
	int log[2], life[2], record[2], all[FD_FIRST + CHILD_FDS];
	char self[PATH_MAX], run[PATH_MAX];
	char quiet[] = "ASAN_OPTIONS=detect_leaks=0"; /* a killed child has no time for that */
	snprintf(self, sizeof self, "WARREN_SELF=%s", start->self);
	snprintf(run, sizeof run, "WARREN_RUN=%s", start->run);
	if (pipe2(log, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(life, O_CLOEXEC) != 0 ||
	    pipe2(record, O_CLOEXEC) != 0)
		abort();
	fcntl(life[0], F_SETFL, O_NONBLOCK);
	write_record(record[1], start);
	all[0] = log[1];
	all[1] = life[1];
	all[2] = record[0];
	for (unsigned i = 0; i < start->count; i++)
		all[FD_FIRST - FD_LOG + i] = start->fds[i];
	*child = (struct child){.life = life[0], .log = log[0]};
	child->pid = fork();
	if (child->pid == 0)
		become(program, (char *[]){self, run, quiet, NULL}, all,
		       (int)start->count + FD_FIRST - FD_LOG);
	if (child->pid < 0)
		abort();
	close(log[1]);
	close(life[1]);
	close(record[0]);
}

static void read_log(struct child *child)
{
	ssize_t got;
	do {
		if (child->logged_length > LOG_KEPT / 2) { /* keep the later half */
			memmove(child->logged, child->logged + LOG_KEPT / 4,
				child->logged_length - LOG_KEPT / 4);
			child->logged_length -= LOG_KEPT / 4;
		}
		got = read(child->log, child->logged + child->logged_length, LOG_KEPT / 4);
		if (got > 0)
			child->logged_length += (size_t)got;
		child->logged[child->logged_length] = '\0';
	} while (got > 0);
}

bool child_look(struct child *child)
{
	char bytes[64];
	ssize_t got;
	while ((got = read(child->life, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < got; i++) {
			child->beats += bytes[i] == LIFE_BEAT;
			child->ready |= bytes[i] == LIFE_READY;
			child->drained |= bytes[i] == LIFE_DRAINED;
		}
	read_log(child);
	if (child->pid && waitpid(child->pid, &child->status, WNOHANG) == child->pid)
		child->pid = 0;
	return child->pid != 0;
}

static bool wait_for(struct child *child, bool (*happened)(struct child *, const void *), const void *what)
{
	uint64_t until = frames_now_ns() + WAIT_MS * UINT64_C(1000000);
	for (;;) {
		bool lives = child_look(child);
		if (happened(child, what))
			return true;
		if (!lives || frames_now_ns() > until)
			return false;
		struct pollfd items[] = {{.fd = child->life, .events = POLLIN},
					 {.fd = child->log, .events = POLLIN}};
		poll(items, 2, 20);
	}
}

static bool has_ended(struct child *child, const void *unused)
{
	(void)unused;
	return child->pid == 0;
}

static bool has_said(struct child *child, const void *words)
{
	return strstr(child->logged, words) != NULL;
}

static bool has_beaten(struct child *child, const void *before)
{
	return child->beats > *(const unsigned *)before;
}

bool child_ends(struct child *child)
{
	return wait_for(child, has_ended, NULL);
}

bool child_says(struct child *child, const char *words)
{
	return wait_for(child, has_said, words);
}

bool child_beats(struct child *child)
{
	unsigned before = child->beats;
	return wait_for(child, has_beaten, &before);
}

void child_kill(struct child *child, int signal)
{
	if (child->pid)
		kill(child->pid, signal);
}

void child_end(struct child *child)
{
#if defined(WARREN_COVERAGE) /* what is killed does not write what it counted */
	child_kill(child, SIGTERM);
	child_ends(child);
#endif
	child_kill(child, SIGKILL);
	if (child->pid && waitpid(child->pid, &child->status, 0) == child->pid)
		child->pid = 0;
	if (child->life < 0)
		return;
	read_log(child);
	close(child->life);
	close(child->log);
	child->life = child->log = -1;
}

/* -- a folder ----------------------------------------------------------------------------------------- */

void folder_make(char folder[64])
{
	snprintf(folder, 64, "/tmp/warren-test-XXXXXX");
	if (!mkdtemp(folder))
		abort();
}

/* Only what a test put there: files, and no folder in it. */
void folder_remove(const char *folder)
{
	DIR *open = opendir(folder);
	for (struct dirent *entry; open && (entry = readdir(open));)
		unlinkat(dirfd(open), entry->d_name, 0);
	if (open)
		closedir(open);
	rmdir(folder);
}
