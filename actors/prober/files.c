/* Rows 1 and 2: another node's blobs, any wallet's key. Plain C; part of the prober. */
#include "actors/prober/attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

enum { NODES_TRIED = 3 };

/* The same path by the ways that lead around a mount namespace: the host's own, and other processes' roots.
 */
static bool reaches(const struct target *target, const char *below, int flags)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", target->root, below);
	if (opens(path, flags))
		return true;
	for (size_t i = 0; i < target->victim_count; i++) {
		snprintf(path, sizeof path, "/proc/%d/root%s/%s", target->victims[i], target->root, below);
		if (opens(path, flags))
			return true;
		snprintf(path, sizeof path, "/proc/%d/cwd/%s", target->victims[i], below);
		if (opens(path, flags))
			return true;
	}
	return false;
}

static bool any_of(const struct target *target, const char *const *names, bool own_allowed, int flags)
{
	char below[128];
	for (unsigned node = 1; node <= NODES_TRIED; node++) {
		if (own_allowed && node == target->node)
			continue;
		for (const char *const *name = names; *name; name++) {
			snprintf(below, sizeof below, "node%u/%s", node, *name);
			if (reaches(target, below, flags))
				return true;
		}
	}
	return false;
}

static const char *const blobs[] = {"storage/arena", "storage/index.db", "storage/index.db-wal",
				    "storage/marker", NULL};
static const char *const keys[] = {"keys/wallet.keys", NULL};
static const char *const folders[] = {"storage", "keys", "logs", NULL};
static const char *const unlike_scribe[] = {"storage", "keys", NULL};

bool attack_read_blobs(const struct target *target)
{
	return any_of(target, blobs, target->store, O_RDONLY);
}

bool attack_write_blobs(const struct target *target)
{
	return any_of(target, blobs, target->store, O_RDWR);
}

bool attack_read_keys(const struct target *target)
{
	return any_of(target, keys, target->wallet, O_RDONLY);
}

bool attack_list_folders(const struct target *target)
{
	return any_of(target, target->scribe ? unlike_scribe : folders, target->wallet || target->store,
		      O_RDONLY | O_DIRECTORY);
}

bool attack_read_machine_secret(const struct target *target)
{
	return reaches(target, "machine/unlock", O_RDONLY);
}

bool attack_make_file_outside(const struct target *target)
{
	char path[512];
	snprintf(path, sizeof path, "%s/probe-was-here", target->root);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	unlink(path);
	return true;
}
