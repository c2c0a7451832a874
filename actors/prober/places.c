/* Rows 14 and 15: other processes' logs, the folder of the sockets, the folders that all of a host share. What was moved is
 * moved back, what was made is unlinked. Part of the prober. */
#include "actors/prober/attack.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const logs[] = {"steward", "broker", "scribe"};

static bool opens_to_write(const char *path, int flags, bool made)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return false;
	close(fd);
	if (made)
		unlink(path);
	return true;
}

bool attack_write_log(const struct target *target)
{
	char path[512];
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
		snprintf(path, sizeof path, "%s/logs/machine/%s.log", target->root, logs[i]);
		if (opens_to_write(path, O_APPEND, false))
			return true;
	}
	return false;
}

bool attack_move_log(const struct target *target)
{
	char path[512];
	snprintf(path, sizeof path, "%s/logs/machine/steward.log", target->root);
	return target_moves(path);
}

bool attack_link_in_run(const struct target *target)
{
	char path[512];
	snprintf(path, sizeof path, "%s/prober-%d", target->run, getpid());
	if (symlink("/etc/passwd", path) != 0)
		return false;
	unlink(path);
	return true;
}

bool attack_fifo_in_run(const struct target *target)
{
	char path[512];
	snprintf(path, sizeof path, "%s/prober-%d", target->run, getpid());
	if (mkfifo(path, 0600) != 0)
		return false;
	unlink(path);
	return true;
}

bool attack_second_name(const struct target *target)
{
	char from[512], to[512];
	snprintf(from, sizeof from, "%s/machine/unlock", target->root);
	snprintf(to, sizeof to, "%s/prober-%d", target->self, getpid());
	if (link(from, to) != 0)
		return false;
	unlink(to);
	return true;
}

bool attack_leave_in_shared(const struct target *target)
{
	(void)target;
	static const char *const shared[] = {"/tmp", "/dev/shm", "/var/tmp"};
	char path[64];
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
		snprintf(path, sizeof path, "%s/warren-prober-%d", shared[i], getpid());
		if (opens_to_write(path, O_CREAT | O_EXCL, true))
			return true;
	}
	return false;
}

/* Not by opening it: one that runs is busy, which the kernel says before it asks Landlock. */
bool attack_change_program(const struct target *target)
{
	char path[512];
	snprintf(path, sizeof path, "%s/bin/warren-store", target->root);
	return target_moves(path);
}
