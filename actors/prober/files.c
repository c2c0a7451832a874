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

static bool read_blobs(const struct target *target)
{
	return any_of(target, blobs, target->store, O_RDONLY);
}

static bool write_blobs(const struct target *target)
{
	return any_of(target, blobs, target->store, O_RDWR);
}

static bool read_keys(const struct target *target)
{
	return any_of(target, keys, target->wallet, O_RDONLY);
}

static bool list_folders(const struct target *target)
{
	return any_of(target, folders, target->wallet || target->store, O_RDONLY | O_DIRECTORY);
}

static bool read_machine_secret(const struct target *target)
{
	return reaches(target, "machine/unlock", O_RDONLY);
}

static bool make_file_outside(const struct target *target)
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

const struct attempt file_attempts[] = {
	{1, "read another node's blobs", read_blobs},
	{1, "write another node's blobs", write_blobs},
	{1, "list another node's folders", list_folders},
	{2, "read a wallet's key", read_keys},
	{2, "read the machine's unlock secret", read_machine_secret},
	{2, "make a file in the machine's folder", make_file_outside},
	{0, NULL, NULL},
};
