/* Its own view of the machine: no network, no path of the operator, its folder at PATH_SELF and the sockets
 * at PATH_RUN, all else read-only. Runs in the child before privileges go; as root in new namespaces, else in
 * a user namespace where those are allowed. What cannot be built is taken back and recorded: then the folders
 * stay where they are. */
#include "proto/birth.h"
#include "supervisor/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Places of people and of all, none of which an actor needs. */
static const char *const hidden[] = {"/home",    "/root", "/tmp",   "/var/tmp",
				     "/dev/shm", "/mnt",  "/media", "/srv"};

#define EMPTY "/run/warren/empty"

/* -- a user namespace -------------------------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);
	bool wrote = fd >= 0 && write(fd, text, length) == (ssize_t)length;
	if (fd >= 0)
		close(fd);
	return wrote;
}

/* Maps our uid and gid to themselves: the kernel, and the broker through it, goes on seeing who we are.
 * /proc/self is ours to write only while we are dumpable; the memory holds no secret (unlock.c keeps it from
 * children). */
static bool enter_user_namespace(const struct jail *jail)
{
	char map[64];
	if (unshare(CLONE_NEWUSER) != 0)
		return false;
	prctl(PR_SET_DUMPABLE, 1);
	bool mapped = write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "%u %u 1\n", jail->gid, jail->gid);
	mapped = mapped && write_file("/proc/self/gid_map", map);
	snprintf(map, sizeof map, "%u %u 1\n", jail->uid, jail->uid);
	mapped = mapped && write_file("/proc/self/uid_map", map);
	prctl(PR_SET_DUMPABLE, 0);
	return mapped;
}

/* -- mounts ------------------------------------------------------------------------------------ */

/* A copy of the folder's mount, to be put somewhere later. The path must lead to the folder that was checked
 * before. */
static int copy_of(const char *path, int checked)
{
	struct stat then, now;
	int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return -1;
	if (fstat(checked, &then) == 0 && fstat(tree, &now) == 0 && then.st_dev == now.st_dev &&
	    then.st_ino == now.st_ino)
		return tree;
	close(tree);
	errno = ESTALE;
	return -1;
}

static bool restrict_mount(const char *path, unsigned long flags)
{
	return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC | flags,
		     NULL) == 0;
}

static bool put(int tree, const char *path, unsigned long flags)
{
	return mkdir(path, 0755) == 0 && move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0 &&
	       restrict_mount(path, flags);
}

/* A new /run with nothing in it but the two folders. Undone when it cannot be finished. */
static bool new_run(int self, int run)
{
	if (mount("warren", "/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0755,size=64k,nr_inodes=16") != 0)
		return false;
	if (mkdir("/run/warren", 0755) == 0 && mkdir(EMPTY, 0755) == 0 && put(self, PATH_SELF, 0) &&
	    put(run, PATH_RUN, MS_RDONLY) && restrict_mount("/run", MS_RDONLY))
		return true;
	int error = errno;
	umount2("/run", MNT_DETACH);
	errno = error;
	return false;
}

static bool hide(const char *path)
{
	if (mount(EMPTY, path, NULL, MS_BIND, NULL) == 0)
		return restrict_mount(path, MS_RDONLY);
	return errno == ENOENT || errno == ENOTDIR;
}

/* Everything but its own folder. Kernels before 5.12 lack this, and go on. Should the folder not open again, all does: a wall
 * that is missing is better than a process that cannot write. */
static bool all_read_only(void)
{
	struct mount_attr shut = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
	struct mount_attr open = {.attr_clr = MOUNT_ATTR_RDONLY};
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &shut, sizeof shut) != 0)
		return errno == ENOSYS;
	if (mount_setattr(AT_FDCWD, PATH_SELF, 0, &open, sizeof open) == 0)
		return true;
	mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &open, sizeof open);
	return false;
}

/* A ROOT below /run is hidden by the new /run. */
static bool hide_root(const char *root)
{
	return strncmp(root, "/run/", 5) == 0 || strcmp(root, "/run") == 0 || hide(root);
}

static bool build_mounts(const struct jail *jail, bool *moved)
{
	umask(022);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	int self = copy_of(jail->self, jail->self_fd), run = copy_of(jail->run, jail->run_fd);
	*moved = self >= 0 && run >= 0 && new_run(self, run);
	if (self >= 0)
		close(self);
	if (run >= 0)
		close(run);
	if (!*moved)
		return false;
	bool whole = all_read_only();
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		whole = hide(hidden[i]) && whole;
	return hide_root(jail->root) && whole;
}

void jail_namespaces(const struct jail *jail, struct jailed *jailed)
{
	bool mounts = !(jail->without & 1U << WALL_MOUNTS);
	bool network = !jail->network && !(jail->without & 1U << WALL_NETWORK);
	bool able = jail->as_root || ((mounts || network) && enter_user_namespace(jail));
	if (network && !(able && unshare(CLONE_NEWNET) == 0))
		jailed->missing |= 1U << WALL_NETWORK;
	if (mounts && !(able && unshare(CLONE_NEWNS) == 0 && build_mounts(jail, &jailed->moved)))
		jailed->missing |= 1U << WALL_MOUNTS;
	umask(077);
}
