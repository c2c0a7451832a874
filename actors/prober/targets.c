/* The list of attempts, and who is attacked. Part of the prober. */
#include "actors/prober/attack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

const struct attempt attempts[] = {
#define ATTACK(row, symbol, except, walls, name) {row, #symbol, walls, name, except, attack_##symbol},
#define BUS(row, symbol, walls, name)
#define OPEN(row, what, why)
#include "actors/prober/attacks.def"
#undef ATTACK
#undef BUS
#undef OPEN
	{0, NULL, NULL, NULL, 0, NULL},
};

/* A symlink's text can be read where no file can: neither the mode of the folder nor Landlock stops it. */
bool target_read(struct target *target, pid_t ourselves)
{
	char path[300], text[4096], *at = text;
	snprintf(path, sizeof path, "%s/" SELFTEST_SIGN, target->run);
	ssize_t length = readlink(path, text, sizeof text - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	target->port = (int)strtol(at, &at, 10);
	target->victim_count = 0;
	target->meant = !*at;
	while (*at == ' ' && target->victim_count < VICTIMS_MAX) {
		pid_t pid = (pid_t)strtol(at, &at, 10);
		if (pid == ourselves)
			target->meant = true;
		else if (pid > 1)
			target->victims[target->victim_count++] = pid;
	}
	return true;
}

enum { MOVES = 20, REST_NS = 1000000 };

/* Away and back. More than once when it is not there: another prober may just be doing the same. */
bool target_moves(const char *path)
{
	char aside[600];
	snprintf(aside, sizeof aside, "%s.%d", path, getpid());
	for (int i = 0; i < MOVES; i++) {
		if (rename(path, aside) == 0) {
			(void)!rename(aside, path);
			return true;
		}
		if (errno != ENOENT)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
	}
	errno = ENOENT;
	return false;
}
