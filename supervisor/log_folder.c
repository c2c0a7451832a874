/* Gives ROOT/logs to the operators' group to read. Part of the supervisor. The folders belong to scribe, which may put anything in
 * place of what we look at: so all is done by descriptor, follows no link, and touches only what is scribe's own. */
#include "supervisor/log_folder.h"

#include "actors/base/log/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, DEPTH_MOST = 2 };

/* As a member of the group, because the kernel takes the bit away from who is none and lacks CAP_FSETID. */
static bool set_mode(int fd, uint32_t group, mode_t mode)
{
	gid_t own = getegid();
	if (setegid(group) != 0)
		return false;
	bool set = fchmod(fd, mode) == 0;
	int error = errno;
	bug_if(setegid(own) != 0);
	errno = error;
	return set;
}

static bool open_to(int fd, uint32_t uid, uint32_t group, mode_t mode)
{
	struct stat at;
	if (fstat(fd, &at) != 0)
		return false;
	if (at.st_gid == group && (at.st_mode & 07777) == mode)
		return true;
	return fchown(fd, uid, group) == 0 && set_mode(fd, group, mode);
}

bool log_folder_open_to(int fd, uint32_t uid, uint32_t group)
{
	return group ? open_to(fd, uid, group, 02750) : open_to(fd, uid, uid, 0700);
}

/* Closes `fd`. */
static bool share(int fd, uint32_t uid, uint32_t group, int depth)
{
	struct stat at;
	bool shared = fstat(fd, &at) == 0;
	if (!shared || at.st_uid != uid || !(S_ISREG(at.st_mode) || S_ISDIR(at.st_mode))) {
		close(fd);
		return shared;
	}
	if (S_ISREG(at.st_mode)) {
		shared = open_to(fd, uid, group ? group : uid, 0640);
		close(fd);
		return shared;
	}
	shared = log_folder_open_to(fd, uid, group);
	DIR *folder = depth < DEPTH_MOST ? fdopendir(fd) : NULL;
	if (!folder) {
		close(fd);
		return shared;
	}
	for (const struct dirent *entry; (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int below = openat(dirfd(folder), entry->d_name, LOOK);
		if (below >= 0)
			shared = share(below, uid, group, depth + 1) && shared;
		else if (errno != ENOENT && errno != ELOOP) /* rotated away, or a link */
			shared = false;
	}
	closedir(folder);
	return shared;
}

void log_folder_share(const struct machine *machine, uint32_t group)
{
	if (!machine->as_root)
		return;
	int fd = openat(machine->fd, "logs", LOOK | O_DIRECTORY);
	if (fd < 0 || !share(fd, machine_uid(machine, SCRIBE, 0), group, 0))
		log_warn("logs.share", "gid=%u errno=%d next=\"look at the owners below %s/logs\"", group,
			 errno, machine->root);
}
