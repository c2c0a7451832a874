/* The first minute of a process: reads its birth record from the supervisor's pipe. Runs as the process itself, inside the
 * jail, before anything else; touches FD_BIRTH and FD_LIFE. */
#include "actors/base/born/born.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/reasons/reasons.h"
#include "actors/base/seal/seal.h"
#include "actors/base/whole/whole.h"
#include "proto/version.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { TRIM_EVERY_S = 60 };

/* `warren-store --version`, by hand; warrend gives no such argument. Before main(), as the one line of an actor's main() has no
 * arguments to hand on; glibc gives them to constructors. */
__attribute__((constructor)) static void say_version(int count, char **arguments)
{
	if (count != 2 || strcmp(arguments[1], "--version") != 0)
		return;
	const char *slash = strrchr(arguments[0], '/');
	printf("%s %s\n", slash ? slash + 1 : arguments[0], WARREN_VERSION);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static bool was_read(void *into, size_t length)
{
	size_t got;
	return read_whole(FD_BIRTH, into, length, &got) == 0 && got == length;
}

static bool read_record(struct born *born, enum kind kind)
{
	struct birth *birth = &born->birth;
	if (!was_read(birth, sizeof *birth) || birth->magic != BIRTH_MAGIC ||
	    birth->version != BIRTH_VERSION || birth->kind != kind || birth->settings_bytes > SETTINGS_MAX)
		return false;
	born->settings = x_new(birth->settings_bytes + 2);
	if (!was_read(born->settings, birth->settings_bytes))
		return false;
	for (char *at = born->settings; *at; at++)
		if (*at == '\n')
			*at = '\0';
	return true;
}

/* "store@1" in ps, top and /proc/PID/comm: executed from a descriptor, we would be called by its number (before Linux 6.14).
 * Threads born later begin with it; libzmq names its own. */
static void show_name(const struct birth *birth)
{
	char who[WHO_TEXT];
	prctl(PR_SET_NAME,
	      who_text(birth->kind, birth->node, who)); /* the kernel keeps 15 letters: gateway@512 fits */
}

bool born_read(struct born *born, enum kind kind)
{
	prctl(PR_SET_DUMPABLE, 0); /* the kernel did this already when our program is unreadable to us */
	const char *folder = getenv("WARREN_SELF"), *run = getenv("WARREN_RUN");
	*born = (struct born){.row = actor_row(kind),
			      .self_path = folder ? folder : PATH_SELF,
			      .run_path = run ? run : PATH_RUN};
	bool read = read_record(born, kind);
	close(FD_BIRTH);
	if (!read) {
		log_error("life.birth", "why=\"%s is started by warrend, not by hand\"", born->row->name);
		return false;
	}
	if (getuid() != born->birth.uid || geteuid() != born->birth.uid) {
		log_error("life.wrong_uid", "uid=%u expected=%u", getuid(), born->birth.uid);
		return false;
	}
	show_name(&born->birth);
	return true;
}

static bool closed(struct born *born, enum wall wall, enum sealed sealed)
{
	if (sealed == SEAL_ABSENT)
		born->birth.missing |= 1U << wall;
	if (sealed == SEAL_FAILED)
		log_error("seal.failed", "wall=%s errno=%d", wall_row(wall)->name, errno);
	return sealed != SEAL_FAILED;
}

bool born_close_files(struct born *born, const char *folder)
{
	uint16_t pretend = born->birth.pretend;
	return closed(born, WALL_LANDLOCK, seal_files(folder, pretend & 1U << WALL_LANDLOCK)) &&
	       closed(born, WALL_PORTS, seal_ports(born->birth.dials, pretend & 1U << WALL_PORTS)) &&
	       closed(born, WALL_SCOPES, seal_scopes(pretend & 1U << WALL_SCOPES));
}

bool born_close_syscalls(struct born *born)
{
	bool pretend = born->birth.pretend & 1U << WALL_SECCOMP;
	return closed(born, WALL_SECCOMP, seal_syscalls(born->row->syscalls, pretend));
}

const char *born_setting(const struct born *born, const char *name)
{
	size_t length = strlen(name);
	for (const char *line = born->settings; *line; line += strlen(line) + 1)
		if (strncmp(line, name, length) == 0 && line[length] == '=')
			return line + length + 1;
	return "";
}

/* glibc keeps what was freed, so that a process never holds less than it once had to at one moment. With a beat a second, one of them in
 * TRIM_EVERY_S gives it back: a flood is paid for while it lasts, and what a process holds says what it needs. */
static void give_back(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec % TRIM_EVERY_S == 0)
		malloc_trim(0);
}

void born_pulse(char byte)
{
	if (write(FD_LIFE, &byte, 1) < 0 && errno == EPIPE)
		exit(EXIT_WORLD);
	if (byte == LIFE_BEAT)
		give_back();
}

/* In one piece, or not at all: it is far below PIPE_BUF. */
void born_last_words(void)
{
	struct {
		char byte;
		char reason[sizeof(struct reason)];
	} words = {.byte = LIFE_WORDS};
	struct reason reason;
	if (!reasons_newest(&reason))
		return;
	memcpy(words.reason, &reason, sizeof reason);
	_Static_assert(sizeof words == 1 + sizeof reason, "no gap behind the byte");
	if (write(FD_LIFE, &words, sizeof words) < 0)
		log_debug("life.words", "errno=%d", errno);
}

int born_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int born_signal(int signals)
{
	struct signalfd_siginfo info;
	return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

bool born_told_to_end(int signals)
{
	return born_signal(signals) == SIGTERM;
}
