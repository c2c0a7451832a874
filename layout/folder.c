/* Files and folders of others. Touches what is named, below the descriptor that is given. */
#include "layout/folder.h"

#include "actors/base/memory/memory.h"
#include "actors/base/whole/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool __attribute__((format(printf, 2, 3))) complain(char why[FOLDER_WHY], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, FOLDER_WHY, format, arguments);
	va_end(arguments);
	return false;
}

/* -- folders --------------------------------------------------------------------------------------------------------- */

bool folder_open(int at, const char *name, int *fd, char why[FOLDER_WHY])
{
	*fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd >= 0)
		return true;
	if (errno == ENOTDIR || errno == ELOOP)
		return complain(why, "it is no folder (a link to one counts as none)");
	return complain(why, "it cannot be opened: %s", strerror(errno));
}

bool folder_make(int at, const char *name, int *fd, char why[FOLDER_WHY])
{
	if (mkdirat(at, name, 0700) != 0 && errno != EEXIST)
		return complain(why, "the folder cannot be made: %s", strerror(errno));
	return folder_open(at, name, fd, why);
}

bool folder_each(int folder, folder_fn *each, void *context, char why[FOLDER_WHY])
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return complain(why, "the folder cannot be read: %s", strerror(errno));
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !each(context, entry->d_name))
			break;
	int failed = entry ? 0 : errno;
	closedir(dir);
	return failed ? complain(why, "the folder cannot be read: %s", strerror(failed)) : true;
}

static bool unlink_one(void *context, const char *name)
{
	return unlinkat(*(int *)context, name, 0) == 0;
}

bool folder_remove(int at, const char *name, char why[FOLDER_WHY])
{
	int fd;
	if (!folder_open(at, name, &fd, why))
		return false;
	bool read = folder_each(fd, unlink_one, &fd, why);
	close(fd);
	if (read && unlinkat(at, name, AT_REMOVEDIR) != 0)
		return complain(why, "what an export that was cut short left cannot be removed: %s",
				strerror(errno));
	return read;
}

/* -- reading --------------------------------------------------------------------------------------------------------- */

/* Looked at before it is opened: to open a pipe may wait for ever, to open a device may do anything. */
static bool open_plain(int folder, const char *name, int *fd, struct stat *stat, char why[FOLDER_WHY])
{
	char again[40];
	*fd = -1;
	int there = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (there < 0 && errno == ENOENT)
		return complain(why, "it has no %s", name);
	if (there < 0 || fstat(there, stat) != 0) {
		complain(why, "%s cannot be opened: %s", name, strerror(errno));
		if (there >= 0)
			close(there);
		return false;
	}
	if (!S_ISREG(stat->st_mode)) {
		close(there);
		return complain(why, "%s is %s", name,
				S_ISLNK(stat->st_mode) ? "a symbolic link, and none is followed"
				: S_ISDIR(stat->st_mode)
					? "a folder"
					: "a pipe, a socket or a device, and none is opened");
	}
	snprintf(again, sizeof again, "/proc/self/fd/%d", there);
	*fd = open(again, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	int failed = errno;
	close(there);
	return *fd >= 0 ? true : complain(why, "%s cannot be read: %s", name, strerror(failed));
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool file_read(int folder, const char *name, uint64_t most, uint8_t **bytes, size_t *length,
	       char why[FOLDER_WHY])
{
	struct stat before, after;
	int fd;
	*bytes = NULL;
	if (!open_plain(folder, name, &fd, &before, why))
		return false;
	if ((uint64_t)before.st_size > most) {
		close(fd);
		return complain(why, "%s has %llu bytes; at most %llu are taken", name,
				(unsigned long long)before.st_size, (unsigned long long)most);
	}
	*bytes = x_new((size_t)before.st_size + 1);
	int failed = read_whole(fd, *bytes, (size_t)before.st_size, length);
	bool stayed = fstat(fd, &after) == 0 && same(&before, &after) && *length == (size_t)before.st_size;
	close(fd);
	if (!failed && stayed)
		return true;
	x_free(bytes);
	if (failed)
		return complain(why, "%s cannot be read: %s", name, strerror(failed));
	return complain(why, "%s changed while it was read", name);
}

/* -- writing --------------------------------------------------------------------------------------------------------- */

bool file_write(int folder, const char *name, const void *bytes, size_t length, char why[FOLDER_WHY])
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return complain(why, "%s cannot be made: %s", name, strerror(errno));
	int failed = write_whole(fd, bytes, length);
	if (!failed && fsync(fd) != 0)
		failed = errno;
	if (close(fd) != 0 && !failed)
		failed = errno;
	return failed ? complain(why, "%s cannot be written: %s", name, strerror(failed)) : true;
}

bool file_replace(int folder, const char *name, const void *bytes, size_t length, char why[FOLDER_WHY])
{
	char part[64];
	snprintf(part, sizeof part, PART "%s", name);
	unlinkat(folder, part, 0); /* of one that was killed */
	if (!file_write(folder, part, bytes, length, why))
		return false;
	if (renameat(folder, part, folder, name) == 0 && fsync(folder) == 0)
		return true;
	return complain(why, "%s cannot be put in its place: %s", name, strerror(errno));
}
