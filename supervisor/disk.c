/* Reads statvfs and the stores' files, removes half-made nodes. Part of `warrend add`. */
#include "supervisor/disk.h"

#include "supervisor/host.h"
#include "supervisor/log_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DEPTH_MOST = 32 };

/* -- how much ---------------------------------------------------------------------------------- */

/* Blocks that the files of a folder really take. Another disk mounted there has a free space of its own and
 * counts nothing. */
static uint64_t bytes_in(int parent, const char *path, dev_t device)
{
	uint64_t bytes = 0;
	struct stat at;
	int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !folder)
		close(fd);
	for (const struct dirent *entry; folder && (entry = readdir(folder));)
		if (fstatat(dirfd(folder), entry->d_name, &at, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(at.st_mode) && at.st_dev == device)
			bytes += (uint64_t)at.st_blocks * 512;
	if (folder)
		closedir(folder);
	return bytes;
}

bool disk_room(const struct machine *machine, const struct config *config, struct room *room, struct why *why)
{
	struct statvfs disk;
	struct stat at;
	int fd = openat(machine->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool known = fd >= 0 && fstatvfs(fd, &disk) == 0 && fstat(fd, &at) == 0;
	if (fd >= 0)
		close(fd);
	if (!known)
		return refuse(why, "%s: %s", machine->root, strerror(errno));
	*room = (struct room){.total = (uint64_t)disk.f_blocks * disk.f_frsize,
			      .free = (uint64_t)disk.f_bavail * disk.f_frsize};
	for (unsigned i = 0; i < config->count; i++) {
		char path[PATH_TEXT];
		place_path(STORE, config->nodes[i].node, path);
		room->reserved += bytes_in(machine->fd, path, at.st_dev);
		room->allocated += store_takes(config->nodes[i].values[SETTING_quota_mb].number);
	}
	return true;
}

bool disk_capacity(const struct machine *machine, const struct config *config, struct capacity *capacity,
		   struct why *why)
{
	*capacity = (struct capacity){.memory = host_memory(),
				      .cores = host_cores(),
				      .nodes = config->count,
				      .max_nodes = config->values[SETTING_max_nodes].number,
				      .ram_rule = strcmp(config->values[SETTING_ram_rule].text, "off") != 0,
				      .profile = config_profile(config)};
	return disk_room(machine, config, &capacity->room, why);
}

/* What is held is what has both a length and blocks: a file that was cut, and one with holes, hold less. */
struct holding disk_verify(const struct machine *machine, const struct node_config *node, struct why *why)
{
	enum { MIB_SHIFT = 20 };
	char place[PATH_TEXT], path[PATH_TEXT + 16];
	struct stat at = {0};
	uint32_t quota = node->values[SETTING_quota_mb].number;
	struct holding holding = {.claimed = quota};
	snprintf(path, sizeof path, "%s/" STORE_ARENA, place_path(STORE, node->node, place));
	if (fstatat(machine->fd, path, &at, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(at.st_mode)) {
		refuse(why, "%s/%s: %s", machine->root, path,
		       S_ISREG(at.st_mode) ? "no file" : strerror(errno));
		return holding;
	}
	uint64_t blocks = (uint64_t)at.st_blocks * 512, length = (uint64_t)at.st_size;
	uint64_t held = blocks < length ? blocks : length, needed = store_arena_takes(quota);
	uint64_t lacks = needed > held ? (needed - held + (1U << MIB_SHIFT) - 1) >> MIB_SHIFT : 0;
	holding.valid = !lacks;
	holding.actual = lacks < quota ? quota - lacks : 0;
	if (lacks)
		refuse(why, "%s/%s holds %llu MiB too little: %s", machine->root, path,
		       (unsigned long long)lacks, length < needed ? "it was cut" : "it has holes");
	return holding;
}

/* -- making and taking away -------------------------------------------------------------------- */

static bool remove_at(int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return true;
	if ((errno != EISDIR && errno != EPERM) || depth > DEPTH_MOST)
		return false;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool removed = true;
	for (const struct dirent *entry; removed && (entry = readdir(folder));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			removed = remove_at(dirfd(folder), entry->d_name, depth + 1);
	closedir(folder);
	return removed && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

bool disk_remove(int parent, const char *name)
{
	return remove_at(parent, name, 0);
}

bool disk_remove_below(int parent, const char *folder, const char *name)
{
	int fd = openat(parent, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool removed = fd < 0 ? errno == ENOENT : remove_at(fd, name, 0);
	if (fd >= 0)
		close(fd);
	return removed;
}

/* By descriptor, and only what we found to be a folder of that owner or ours: a link put there leads nowhere.
 */
bool disk_make_foreign(const struct machine *machine, int parent, const char *name, uint32_t uid,
		       struct why *why)
{
	struct stat at, above;
	if ((mkdirat(parent, name, 0700) != 0 && errno != EEXIST) || fstat(parent, &above) != 0)
		return refuse(why, "%s/logs/%s: %s", machine->root, name, strerror(errno));
	uint32_t group = above.st_mode & S_ISGID ? above.st_gid : 0;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool made = fd >= 0 && fstat(fd, &at) == 0 && (at.st_uid == uid || at.st_uid == geteuid()) &&
		    (geteuid() != 0 ? fchmod(fd, 0700) == 0
				    : fchown(fd, uid, uid) == 0 && log_folder_open_to(fd, uid, group));
	int error = errno;
	if (fd >= 0)
		close(fd);
	return made || refuse(why, "%s/logs/%s: %s", machine->root, name, strerror(error));
}

bool disk_sync(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && syncfs(fd) == 0;
	if (fd >= 0)
		close(fd);
	return synced;
}
