/* The folder of a test. */
#include "room.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct room room_open(void)
{
	struct room room = {0};
	place_make(room.path, "scribe");
	room.folder = open(room.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(room.folder, 0);
	return room;
}

static int forget(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat, (void)type, (void)walk;
	return remove(path);
}

void room_close(struct room *room)
{
	if (!room->path[0])
		return;
	close(room->folder);
	umount2(room->path, MNT_DETACH); /* where disk_small() mounted one */
	nftw(room->path, forget, 16, FTW_DEPTH | FTW_PHYS);
	*room = (struct room){0};
}

char *room_read(const struct room *room, const char *name)
{
	int fd = openat(room->folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	struct stat stat;
	cr_assert_eq(fstat(fd, &stat), 0);
	char *text = malloc((size_t)stat.st_size + 1);
	cr_assert_eq(pread(fd, text, (size_t)stat.st_size, 0), stat.st_size);
	text[stat.st_size] = '\0';
	close(fd);
	return text;
}

bool room_has(const struct room *room, const char *name)
{
	struct stat stat;
	return fstatat(room->folder, name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
}

unsigned room_lines(const struct room *room, const char *name)
{
	char *text = room_read(room, name), *line = text;
	unsigned lines = 0;
	for (char *end; line && *line; line = end + 1, lines++) {
		struct log_text parts;
		end = strchr(line, '\n');
		cr_assert_not_null(end, "%s ends in half a line: %s", name, line);
		cr_assert(log_line_parse(line, (size_t)(end - line), &parts), "%s has: %.*s", name,
			  (int)(end - line), line);
	}
	free(text);
	return lines;
}

unsigned open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;
	cr_assert_not_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

struct moment at(uint64_t ms)
{
	return (struct moment){1000000 + ms, 1795258023123 + (int64_t)ms};
}

/* -- a disk that is full ----------------------------------------------------------------------- */

enum { DISK_BYTES = 64 * 1024 };

struct small_disk disk_small(struct room *room)
{
	struct small_disk disk = {.most = DISK_BYTES};
	bool mounted = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		       mount("small", room->path, "tmpfs", 0, "size=65536") == 0;
	if (!mounted) {
		cr_log_warn("no tmpfs of one's own here (%s): the full disk is a limit on the size of files "
			    "instead",
			    strerror(errno));
		signal(SIGXFSZ, SIG_IGN);
		return disk;
	}
	disk.mounted = true;
	close(room->folder);
	room->folder = open(room->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(room->folder, 0);
	return disk;
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void disk_fill(struct small_disk *disk, struct room *room)
{
	if (!disk->mounted) {
		limit_files(DISK_BYTES);
		return;
	}
	int fd = openat(room->folder, "ballast", O_WRONLY | O_CREAT | O_APPEND, 0600);
	char bytes[4096] = {0};
	cr_assert_geq(fd, 0);
	while (write(fd, bytes, sizeof bytes) > 0)
		continue;
	cr_assert_eq(errno, ENOSPC);
	close(fd);
}

void disk_free(struct small_disk *disk, struct room *room)
{
	if (!disk->mounted)
		limit_files(RLIM_INFINITY);
	else
		cr_assert_eq(unlinkat(room->folder, "ballast", 0), 0);
}
