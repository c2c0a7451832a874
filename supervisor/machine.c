/* ROOT: opening it, checking who can write it, locking it. Runs as the supervisor. Nothing here makes
 * anything but the lock and the pid file; see make.c for that. */
#include "supervisor/machine.h"

#include "supervisor/uids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

bool only_ours(int fd, const char *what, mode_t type, struct why *why)
{
	struct stat at;
	if (fstat(fd, &at) != 0)
		return refuse(why, "%s: %s", what, strerror(errno));
	if ((at.st_mode & S_IFMT) != type)
		return refuse(why, "%s is not a %s", what, type == S_IFDIR ? "folder" : "file");
	if (at.st_uid != 0 && at.st_uid != geteuid())
		return refuse(why,
			      "%s belongs to uid %u, not to you (uid %u): run this as its owner, or chown it",
			      what, at.st_uid, geteuid());
	if (at.st_mode & 022)
		return refuse(why, "%s can be written by others (mode %03o); chmod go-w it", what,
			      at.st_mode & 07777);
	return true;
}

bool machine_open_root(struct machine *machine, const char *root, struct why *why)
{
	*machine = (struct machine){.fd = -1, .etc = -1, .bin = -1, .run = -1, .own = -1, .lock = -1};
	machine->own_uid = geteuid();
	machine->own_gid = getegid();
	char *path = realpath(root, NULL);
	if (!path)
		return refuse(why, "%s: %s; a machine is made with: warrend --root %s create", root,
			      strerror(errno), root);
	size_t length = strlen(path);
	if (length < sizeof machine->root)
		memcpy(machine->root, path, length + 1);
	free(path);
	if (length >= sizeof machine->root)
		return refuse(why, "%s is too long a path: the sockets below it allow %d characters", root,
			      ROOT_TEXT - 1);
	if (length == 1)
		return refuse(why, "/ cannot be a machine; give it a folder of its own");
	machine->fd = open(machine->root, FOLDER);
	if (machine->fd < 0)
		return refuse(why, "%s: %s", machine->root, strerror(errno));
	return only_ours(machine->fd, machine->root, S_IFDIR, why);
}

static bool open_folder(const struct machine *machine, const char *name, int *fd, struct why *why)
{
	char path[PATH_TEXT];
	snprintf(path, sizeof path, "%s/%s", machine->root, name);
	*fd = openat(machine->fd, name, FOLDER);
	if (*fd < 0 && errno == ENOENT)
		return refuse(why, "%s is no machine: it has no %s (warrend --root %s create)", machine->root,
			      name, machine->root);
	if (*fd < 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	return only_ours(*fd, path, S_IFDIR, why);
}

bool programs_installed(void)
{
	char path[PATH_TEXT];
	const char *folder = PROGRAMS_INSTALLED "/";
	ssize_t length = readlink("/proc/self/exe", path, sizeof path);
	return length > (ssize_t)strlen(folder) && memcmp(path, folder, strlen(folder)) == 0;
}

static bool open_programs(struct machine *machine, struct why *why)
{
	if (!programs_installed())
		return open_folder(machine, "bin", &machine->bin, why);
	machine->programs = PROGRAMS_INSTALLED;
	machine->bin = open(PROGRAMS_INSTALLED, FOLDER);
	if (machine->bin < 0)
		return refuse(why, "%s: %s", PROGRAMS_INSTALLED, strerror(errno));
	return only_ours(machine->bin, PROGRAMS_INSTALLED, S_IFDIR, why);
}

/* As root each process has its own uid, from the block that the machine claimed when it was made. */
static bool who_are_we(struct machine *machine, struct why *why)
{
	bool claimed = uids_read(machine->own, &machine->uid_base);
	if (!claimed && errno != ENOENT)
		return refuse(why, "%s/machine/uids cannot be read: %s", machine->root,
			      errno == EINVAL ? "it is damaged" : strerror(errno));
	machine->as_root = claimed && geteuid() == 0;
	if (claimed && geteuid() != 0)
		return refuse(why,
			      "%s was made by root, whose processes have uids of their own; run this as root",
			      machine->root);
	if (machine->as_root && !uids_mapped(machine->uid_base))
		return refuse(why,
			      "this container does not have the uids %u to %u; give it them, or make a "
			      "machine without root",
			      machine->uid_base, machine->uid_base + UIDS_BLOCK - 1);
	if (!claimed && geteuid() == 0 && uids_mapped(UIDS_FIRST))
		return refuse(why, "%s was made without root; run this as who made it", machine->root);
	return true;
}

bool machine_open(struct machine *machine, const char *root, struct why *why)
{
	if (!machine_open_root(machine, root, why))
		return false;
	return open_folder(machine, "machine", &machine->own, why) &&
	       open_folder(machine, "etc", &machine->etc, why) && open_programs(machine, why) &&
	       open_folder(machine, "run", &machine->run, why) && who_are_we(machine, why);
}

void machine_close(struct machine *machine)
{
	int *fds[] = {&machine->fd,  &machine->etc, &machine->bin,
		      &machine->run, &machine->own, &machine->lock};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* -- one supervisor ---------------------------------------------------------------------------- */

static bool held(int fd, pid_t *holder)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	bool locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	*holder = locked && lock.l_pid > 0 ? lock.l_pid : 0;
	return locked;
}

bool machine_held(const struct machine *machine, pid_t *holder)
{
	*holder = 0;
	int fd = openat(machine->own, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	bool locked = held(fd, holder);
	close(fd);
	return locked;
}

/* A POSIX record lock: fork() does not hand it on, and F_GETLK says who has it. */
bool machine_lock(struct machine *machine, pid_t *holder)
{
	*holder = 0;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(machine->own, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0) {
		machine->lock = fd;
		return true;
	}
	if (fd >= 0) {
		held(fd, holder);
		close(fd);
	}
	return false;
}

bool machine_write_pid(const struct machine *machine)
{
	unlinkat(machine->run, "warrend.pid", 0);
	int fd = openat(machine->run, "warrend.pid", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool wrote = fd >= 0 && dprintf(fd, "%d\n", getpid()) > 0;
	if (fd >= 0)
		close(fd);
	return wrote;
}

void machine_remove_pid(const struct machine *machine)
{
	unlinkat(machine->run, "warrend.pid", 0);
}

/* -- uids -------------------------------------------------------------------------------------- */

uint32_t machine_uid(const struct machine *machine, enum kind kind, uint16_t node)
{
	return machine->as_root ? uid_of(machine->uid_base, kind, node) : machine->own_uid;
}

uint32_t machine_bus_group(const struct machine *machine)
{
	return machine->uid_base + BUS_GROUP;
}
