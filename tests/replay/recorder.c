/* Preloaded into a process whose write orders are wanted: notes each of its calls that change something below one folder, and each
 * sync, and then makes the call. Runs as whom it is preloaded into; writes its log (orders.h) and nothing else. Calls of one
 * process are noted in the order in which they happened: all but syncs under one lock. A process that is no part of the trial
 * (no ORDERS_FOLDER in its environment) is left alone. */
#include "tests/replay/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS = 256 };

static struct {
	pthread_mutex_t lock;
	int log; /* -1: nothing is recorded */
	char folder[ORDERS_ENV];
	size_t folder_length;
	uint64_t file[FDS]; /* inode, of descriptors that are looked at; 0: not */
	uint64_t syncs;
} recorder = {.lock = PTHREAD_MUTEX_INITIALIZER, .log = -1};

__attribute__((constructor)) static void begin(void)
{
	const char *folder = getenv(ORDERS_FOLDER), *log = getenv(ORDERS_LOG);
	if (!folder || !log || strlen(folder) >= sizeof recorder.folder)
		return;
	recorder.folder_length = strlen(folder);
	memcpy(recorder.folder, folder, recorder.folder_length + 1);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	recorder.log = fcntl(fd, F_DUPFD_CLOEXEC, 300); /* out of the way of who counts descriptors */
	syscall(SYS_close, fd);
}

static void note(enum order_kind kind, const char *name, struct order_head head, const void *bytes)
{
	head.kind = kind;
	head.name_length = name ? (uint32_t)strlen(name) : 0;
	struct iovec parts[] = {{&head, sizeof head},
				{(void *)(uintptr_t)name, head.name_length},
				{(void *)(uintptr_t)bytes, head.bytes}};
	ssize_t whole = (ssize_t)(sizeof head + head.name_length + head.bytes);
	if (syscall(SYS_writev, recorder.log, parts, 3) != whole)
		abort(); /* what is not noted would be missed later */
}

/* -- names ----------------------------------------------------------------------------------------------------------- */

/* The name below the folder that is looked at, or NULL. */
static const char *below(const char *path)
{
	if (recorder.log < 0 || strncmp(path, recorder.folder, recorder.folder_length) != 0)
		return NULL;
	path += recorder.folder_length;
	return *path == '/' ? path + 1 : *path ? NULL : path;
}

static const char *path_of_fd(int fd, char path[PATH_MAX])
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(fd == AT_FDCWD ? "/proc/self/cwd" : link, path, PATH_MAX - 1);
	path[length > 0 ? length : 0] = '\0';
	return path;
}

static const char *name_at(int folder, const char *path, char whole[PATH_MAX])
{
	if (recorder.log < 0)
		return NULL;
	if (*path == '/')
		return below(path);
	path_of_fd(folder, whole);
	size_t length = strlen(whole);
	if (length + strlen(path) + 2 > PATH_MAX)
		return NULL;
	whole[length] = '/';
	memcpy(whole + length + 1, path, strlen(path) + 1);
	return below(whole);
}

static uint64_t file_of(int fd)
{
	return recorder.log >= 0 && fd >= 0 && fd < FDS ? recorder.file[fd] : 0;
}

static void hold(void)
{
	pthread_mutex_lock(&recorder.lock);
}

static void let_go(void)
{
	int number = errno;
	pthread_mutex_unlock(&recorder.lock);
	errno = number;
}

/* -- descriptors ----------------------------------------------------------------------------------------------------- */

static int open_call(int folder, const char *path, int flags, va_list arguments)
{
	int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
	char whole[PATH_MAX];
	hold();
	const char *name = name_at(folder, path, whole);
	bool there = name && faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
	struct stat stat;
	if (name && fd >= 0 && fd < FDS && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) {
		recorder.file[fd] = stat.st_ino;
		if (!there)
			note(ORDER_MAKE, name, (struct order_head){.file = stat.st_ino}, NULL);
		else if (flags & O_TRUNC)
			note(ORDER_LENGTH, NULL, (struct order_head){.file = stat.st_ino}, NULL);
	}
	let_go();
	return fd;
}

#define OPEN(NAME) \
	int NAME(const char *path, int flags, ...) \
	{ \
		va_list arguments; \
		va_start(arguments, flags); \
		int fd = open_call(AT_FDCWD, path, flags, arguments); \
		va_end(arguments); \
		return fd; \
	}
OPEN(open)
OPEN(open64)

#define OPENAT(NAME) \
	int NAME(int folder, const char *path, int flags, ...) \
	{ \
		va_list arguments; \
		va_start(arguments, flags); \
		int fd = open_call(folder, path, flags, arguments); \
		va_end(arguments); \
		return fd; \
	}
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
	if (fd >= 0 && fd < FDS)
		recorder.file[fd] = 0;
	return (int)syscall(SYS_close, fd);
}

/* -- what changes a file --------------------------------------------------------------------------------------------- */

static ssize_t write_call(int fd, const void *bytes, size_t length, off_t at)
{
	uint64_t file = file_of(fd);
	hold();
	if (at < 0) /* where write() would write */
		at = lseek(fd, 0, SEEK_CUR);
	ssize_t wrote = syscall(SYS_pwrite64, fd, bytes, length, at);
	if (wrote > 0)
		note(ORDER_WRITE, NULL,
		     (struct order_head){.file = file,
					 .at = (uint64_t)at,
					 .length = (uint64_t)wrote,
					 .bytes = (uint64_t)wrote},
		     bytes);
	let_go();
	return wrote;
}

#define PWRITE(NAME) \
	ssize_t NAME(int fd, const void *bytes, size_t length, off_t at) \
	{ \
		return file_of(fd) ? write_call(fd, bytes, length, at) \
				   : syscall(SYS_pwrite64, fd, bytes, length, at); \
	}
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (fd == MARK_FD && recorder.log >= 0) {
		hold();
		note(ORDER_MARK, NULL, (struct order_head){.bytes = length}, bytes);
		let_go();
		return (ssize_t)length;
	}
	if (!file_of(fd))
		return syscall(SYS_write, fd, bytes, length);
	ssize_t wrote = write_call(fd, bytes, length, -1);
	if (wrote > 0)
		lseek(fd, wrote, SEEK_CUR);
	return wrote;
}

#define FTRUNCATE(NAME) \
	int NAME(int fd, off_t length) \
	{ \
		hold(); \
		int end = (int)syscall(SYS_ftruncate, fd, length); \
		if (end == 0 && file_of(fd)) \
			note(ORDER_LENGTH, NULL, \
			     (struct order_head){.file = file_of(fd), .at = (uint64_t)length}, NULL); \
		let_go(); \
		return end; \
	}
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

static int reserve_call(int fd, int mode, off_t at, off_t length)
{
	hold();
	int end = (int)syscall(SYS_fallocate, fd, mode, at, length);
	if (end == 0 && file_of(fd)) {
		if (mode != 0)
			abort(); /* nobody here makes holes; who begins to must teach states.c */
		note(ORDER_RESERVE, NULL,
		     (struct order_head){.file = file_of(fd), .at = (uint64_t)at, .length = (uint64_t)length},
		     NULL);
	}
	let_go();
	return end;
}

int fallocate(int fd, int mode, off_t at, off_t length)
{
	return reserve_call(fd, mode, at, length);
}

int fallocate64(int fd, int mode, off_t at, off_t length)
{
	return reserve_call(fd, mode, at, length);
}

int posix_fallocate(int fd, off_t at, off_t length)
{
	return reserve_call(fd, 0, at, length) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t at, off_t length)
{
	return posix_fallocate(fd, at, length);
}

/* -- syncs ----------------------------------------------------------------------------------------------------------- */

static int sync_call(long number, int fd)
{
	char path[PATH_MAX];
	struct stat stat;
	uint64_t file = file_of(fd);
	const char *folder = NULL;
	enum order_kind kind = number == SYS_syncfs ? ORDER_SYNC_ALL : file ? ORDER_SYNC : ORDER_SYNC_FOLDER;
	if (!file && recorder.log >= 0 && fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
		folder = below(path_of_fd(fd, path));
	if (!file && !folder)
		return (int)syscall(number, fd);
	hold();
	struct order_head head = {.file = file, .at = (uint64_t)getpid() << 32 | ++recorder.syncs};
	note(kind, folder, head, NULL);
	let_go();
	int end = (int)syscall(number, fd); /* others go on meanwhile */
	hold();
	if (end == 0)
		note(kind + 1, folder, head, NULL);
	let_go();
	return end;
}

int fsync(int fd)
{
	return sync_call(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_call(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	return sync_call(SYS_syncfs, fd);
}

/* -- what changes names ---------------------------------------------------------------------------------------------- */

static int two_names(enum order_kind kind, int from, const char *old, int to, const char *new, unsigned flags)
{
	char whole[PATH_MAX], other[PATH_MAX];
	hold();
	const char *name = name_at(from, old, whole), *became = name_at(to, new, other);
	int end = (int)(kind == ORDER_RENAME ? syscall(SYS_renameat2, from, old, to, new, flags)
					     : syscall(SYS_linkat, from, old, to, new, flags));
	if (end == 0 && (name || became)) {
		if (!name || !became || (kind == ORDER_RENAME && flags & ~1U /* RENAME_NOREPLACE */))
			abort(); /* into the folder or out of it, or two names changed places: states.c knows nothing of that */
		note(kind, name, (struct order_head){.bytes = strlen(became)}, became);
	}
	let_go();
	return end;
}

int rename(const char *old, const char *new)
{
	return two_names(ORDER_RENAME, AT_FDCWD, old, AT_FDCWD, new, 0);
}

int renameat(int from, const char *old, int to, const char *new)
{
	return two_names(ORDER_RENAME, from, old, to, new, 0);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return two_names(ORDER_RENAME, from, old, to, new, flags);
}

int link(const char *old, const char *new)
{
	return two_names(ORDER_LINK, AT_FDCWD, old, AT_FDCWD, new, 0);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	return two_names(ORDER_LINK, from, old, to, new, (unsigned)flags);
}

static int one_name(enum order_kind kind, int folder, const char *path, int extra)
{
	char whole[PATH_MAX];
	hold();
	const char *name = name_at(folder, path, whole);
	int end = (int)(kind == ORDER_REMOVE ? syscall(SYS_unlinkat, folder, path, extra)
					     : syscall(SYS_mkdirat, folder, path, extra));
	if (end == 0 && name)
		note(kind, name, (struct order_head){0}, NULL);
	let_go();
	return end;
}

int unlink(const char *path)
{
	return one_name(ORDER_REMOVE, AT_FDCWD, path, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
	return one_name(ORDER_REMOVE, folder, path, flags);
}

int rmdir(const char *path)
{
	return one_name(ORDER_REMOVE, AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode)
{
	return one_name(ORDER_FOLDER, AT_FDCWD, path, (int)mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
	return one_name(ORDER_FOLDER, folder, path, (int)mode);
}
