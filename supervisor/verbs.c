/* Starting in the foreground or the background, stopping, checking. Runs as the person who typed it; what
 * stays behind of `start` is the supervisor. */
#include "supervisor/verbs.h"

#include "proto/birth.h"
#include "supervisor/ready.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STOP_PATIENCE_MS = 15000, LOOK_MS = 50 };

static int taken(const struct machine *machine, pid_t holder)
{
	if (holder)
		fprintf(stderr,
			"%s is run already, by warrend with pid %d; end that one with: warrend --root %s "
			"stop\n",
			machine->root, holder, machine->root);
	else
		fprintf(stderr, "%s is locked by somebody (or its machine/lock cannot be written): %s\n",
			machine->root, strerror(errno));
	return 1;
}

int verb_run(struct machine *machine)
{
	pid_t holder;
	if (!machine_lock(machine, &holder))
		return taken(machine, holder);
	return supervisor_run(machine, -1);
}

/* -- start ------------------------------------------------------------------------------------- */

/* The lock belongs to a process, so it is taken by the one that stays. */
static int stay(struct machine *machine, int tell)
{
	pid_t holder;
	if (!machine_lock(machine, &holder))
		return taken(machine, holder);
	return supervisor_run(machine, tell);
}

static int wait_for_news(const struct machine *machine, int news)
{
	char text[4096];
	size_t length = 0;
	ssize_t got;
	while (length < sizeof text - 1 && (got = read(news, text + length, sizeof text - 1 - length)) != 0)
		if (got > 0)
			length += (size_t)got;
		else if (errno != EINTR)
			break;
	text[length] = '\0';
	if (length == 1 && text[0] == READY_ALL) {
		printf("%s is up: every process is ready\n", machine->root);
		return 0;
	}
	if (length == 1 && text[0] == READY_LOCKED) {
		printf("%s is up, and its nodes are locked; unlock them with: warrend --root %s unlock\n",
		       machine->root, machine->root);
		return 0;
	}
	if (length)
		fprintf(stderr, "%s is not all up; what can be tried again is. Not ready:\n%s", machine->root,
			text);
	else
		fprintf(stderr, "%s did not start\n", machine->root);
	return 1;
}

int verb_start(struct machine *machine)
{
	int news[2];
	pid_t holder;
	if (machine_held(machine, &holder))
		return taken(machine, holder);
	if (pipe2(news, O_CLOEXEC) != 0) {
		fprintf(stderr, "cannot begin: %s\n", strerror(errno));
		return 1;
	}
	fflush(NULL);
	pid_t first = fork();
	if (first == 0) {
		setsid();
		pid_t second = fork(); /* so that nobody's terminal is ever ours */
		if (second != 0)
			_exit(second < 0);
		close(news[0]);
		_exit(chdir("/") == 0 ? stay(machine, news[1]) : 1);
	}
	close(news[1]);
	if (first > 0)
		waitpid(first, NULL, 0);
	int code = wait_for_news(machine, news[0]);
	close(news[0]);
	return code;
}

/* -- stop -------------------------------------------------------------------------------------- */

int verb_stop(struct machine *machine)
{
	pid_t holder, now;
	if (!machine_held(machine, &holder)) {
		printf("nothing runs %s\n", machine->root);
		return 0;
	}
	if (holder <= 1 || kill(holder, SIGINT) != 0) {
		fprintf(stderr, "the supervisor of %s (pid %d) cannot be told: %s\n", machine->root, holder,
			holder <= 1 ? "its pid is not to be seen from here" : strerror(errno));
		return 1;
	}
	for (int waited = 0; waited < STOP_PATIENCE_MS; waited += LOOK_MS) {
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
		if (!machine_held(machine, &now) || now != holder) {
			printf("%s has ended\n", machine->root);
			return 0;
		}
	}
	fprintf(stderr, "the supervisor of %s (pid %d) has not ended after %d s\n", machine->root, holder,
		STOP_PATIENCE_MS / 1000);
	return 1;
}

/* -- check ------------------------------------------------------------------------------------- */

int verb_check(struct machine *machine)
{
	char etc[ROOT_TEXT + 8];
	struct mistakes mistakes = {0};
	snprintf(etc, sizeof etc, "%s/etc", machine->root);
	struct config *config = config_load(machine->etc, etc, &mistakes);
	if (!config) {
		mistakes_print(&mistakes, stderr);
		mistakes_end(&mistakes);
		return EXIT_CONFIG;
	}
	mistakes_print(&config->notes, stdout);
	if (config->notes.count)
		printf("warrend --root %s migrate writes it so\n", machine->root);
	printf("%s: no mistakes, %u nodes\n", etc, config->count);
	config_free(&config);
	return 0;
}
