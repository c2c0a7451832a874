/* The Nth call fails: see nth.h. Runs inside whatever it is linked or preloaded into, and touches nothing of it but what its calls
 * return. It keeps no lock and takes no memory, so it may be called from anywhere. */
#include "tests/nth/nth.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

struct nth_page *nth_page;

static const int usual[NTH_FAMILIES] = {ENOMEM, ENOMEM, EMFILE, EIO,    EIO,   EIO,
					EIO,    ENOSPC, EMFILE, EAGAIN, EPIPE, EIO};

/* By bare system calls: ours below would ask for the page that is not there yet. */
__attribute__((constructor)) static void begin(void)
{
	char path[512];
	const char *file = getenv("NTH_FILE"), *self = getenv("WARREN_SELF");
	if (nth_page)
		return;
	snprintf(path, sizeof path, file ? "%s" : "%s/nth", file ? file : self ? self : "/run/warren/self");
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	void *at = (void *)syscall(SYS_mmap, NULL, NTH_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (at == MAP_FAILED)
		return;
	nth_page = at;
	nth_page->mapped = (uint32_t)syscall(SYS_getpid);
}

/* Whether this call is to fail; if so errno is set. */
static bool hit(enum nth_family family, const char *name, void *from)
{
	struct nth_page *page = nth_page;
	if (!page || !(page->families & (uint32_t)family) ||
	    (page->pid && page->pid != (uint32_t)syscall(SYS_getpid)))
		return false;
	uint64_t call = __atomic_add_fetch(&page->calls, 1, __ATOMIC_SEQ_CST);
	if (!page->at || call < page->at || (call > page->at && !page->onwards))
		return false;
	if (__atomic_fetch_add(&page->fired, 1, __ATOMIC_SEQ_CST) == 0) {
		page->family = (uint32_t)family;
		page->from = (uint64_t)(uintptr_t)from;
		for (int i = 0; i < NTH_NAME - 1 && name[i]; i++)
			page->name[i] = name[i];
	}
	errno = page->error > 0 ? page->error : usual[__builtin_ctz((unsigned)family)];
	return true;
}

#define HIT(family, name) hit(family, name, __builtin_return_address(0))
#define REAL(name)        ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
	void *at = dlsym(RTLD_NEXT, name);
	if (!at)
		abort();
	return at;
}

/* A call that is passed on as it is, found once. */
#define PASSED(family, failed, type, name, parameters, ...) \
	type name parameters; \
	type name parameters \
	{ \
		static __typeof__(&name) there; \
		if (HIT(family, #name)) \
			return failed; \
		if (!there) \
			there = REAL(name); \
		return there(__VA_ARGS__); \
	}

/* -- memory ----------------------------------------------------------------------------------------------------------- */

PASSED(NTH_MEMORY, NULL, void *, malloc, (size_t bytes), bytes)
PASSED(NTH_MEMORY, NULL, void *, calloc, (size_t count, size_t bytes), count, bytes)
PASSED(NTH_MEMORY, NULL, void *, realloc, (void *old, size_t bytes), old, bytes)
PASSED(NTH_MEMORY, NULL, void *, aligned_alloc, (size_t align, size_t bytes), align, bytes)
PASSED(NTH_MEMORY, NULL, void *, memalign, (size_t align, size_t bytes), align, bytes)
PASSED(NTH_MEMORY, errno, int, posix_memalign, (void **at, size_t align, size_t bytes), at, align, bytes)
PASSED(NTH_MAP, MAP_FAILED, void *, mmap, (void *at, size_t n, int p, int f, int fd, off_t o), at, n, p, f,
       fd, o)
PASSED(NTH_MAP, MAP_FAILED, void *, mmap64, (void *at, size_t n, int p, int f, int fd, off_t o), at, n, p, f,
       fd, o)
PASSED(NTH_MAP, -1, int, memfd_create, (const char *name, unsigned flags), name, flags)

/* -- opening ---------------------------------------------------------------------------------------------------------- */

/* The mode counts only where a file may be made; to take a word that is not there does no harm. */
#define OPENS(name, parameters, last, ...) \
	int name parameters; \
	int name parameters \
	{ \
		va_list more; \
		va_start(more, last); \
		mode_t mode = last & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0; \
		va_end(more); \
		return HIT(NTH_OPEN, #name) ? -1 : (int)syscall(SYS_openat, __VA_ARGS__, last, mode); \
	}
OPENS(open, (const char *path, int flags, ...), flags, AT_FDCWD, path)
OPENS(open64, (const char *path, int flags, ...), flags, AT_FDCWD, path)
OPENS(openat, (int folder, const char *path, int flags, ...), flags, folder, path)
OPENS(openat64, (int folder, const char *path, int flags, ...), flags, folder, path)
PASSED(NTH_OPEN, -1, int, __open_2, (const char *path, int flags), path, flags)
PASSED(NTH_OPEN, -1, int, __open64_2, (const char *path, int flags), path, flags)
PASSED(NTH_OPEN, -1, int, __openat_2, (int folder, const char *path, int flags), folder, path, flags)
PASSED(NTH_OPEN, -1, int, __openat64_2, (int folder, const char *path, int flags), folder, path, flags)
PASSED(NTH_OPEN, NULL, FILE *, fopen, (const char *path, const char *mode), path, mode)
PASSED(NTH_OPEN, NULL, FILE *, fopen64, (const char *path, const char *mode), path, mode)
PASSED(NTH_OPEN, NULL, FILE *, fdopen, (int fd, const char *mode), fd, mode)
PASSED(NTH_OPEN, NULL, DIR *, opendir, (const char *path), path)
PASSED(NTH_OPEN, NULL, DIR *, fdopendir, (int fd), fd)

/* -- reading and writing ---------------------------------------------------------------------------------------------- */

static enum nth_family kind(int fd, enum nth_family of_files)
{
	struct stat stat;
	if (!nth_page || !nth_page->families)
		return of_files;
	int error = errno;
	bool file = syscall(SYS_newfstatat, fd, "", &stat, AT_EMPTY_PATH) == 0 &&
		    (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode));
	errno = error;
	return file ? of_files : NTH_PIPE;
}

/* What is left of `length` after the gate: -1, all, or half. */
static ssize_t passes(int fd, enum nth_family family, const char *name, size_t length, void *from)
{
	if (!hit(kind(fd, family), name, from))
		return (ssize_t)length;
	if (nth_page->error != NTH_SHORT)
		return -1;
	return (ssize_t)(length > 1 ? length / 2 : length);
}

#define MOVES(family, number, name, type, parameters, ...) \
	ssize_t name parameters; \
	ssize_t name parameters \
	{ \
		ssize_t some = passes(fd, family, #name, length, __builtin_return_address(0)); \
		return some < 0 ? -1 : syscall(number, fd, bytes, (size_t)some, ##__VA_ARGS__); \
	}
MOVES(NTH_READ, SYS_read, read, void, (int fd, void *bytes, size_t length))
MOVES(NTH_READ, SYS_pread64, pread, void, (int fd, void *bytes, size_t length, off_t at), at)
MOVES(NTH_READ, SYS_pread64, pread64, void, (int fd, void *bytes, size_t length, off_t at), at)
MOVES(NTH_WRITE, SYS_write, write, const void, (int fd, const void *bytes, size_t length))
MOVES(NTH_WRITE, SYS_pwrite64, pwrite, const void, (int fd, const void *bytes, size_t length, off_t at), at)
MOVES(NTH_WRITE, SYS_pwrite64, pwrite64, const void, (int fd, const void *bytes, size_t length, off_t at), at)

/* Of several pieces the first alone is a short one. */
#define MOVES_SEVERAL(family, name, parameters, ...) \
	ssize_t name parameters; \
	ssize_t name parameters \
	{ \
		static __typeof__(&name) there; \
		ssize_t some = passes(fd, family, #name, (size_t)count, __builtin_return_address(0)); \
		if (some < 0) \
			return -1; \
		count = (int)some; \
		if (!there) \
			there = REAL(name); \
		return there(__VA_ARGS__); \
	}
MOVES_SEVERAL(NTH_READ, readv, (int fd, const struct iovec *all, int count), fd, all, count)
MOVES_SEVERAL(NTH_WRITE, writev, (int fd, const struct iovec *all, int count), fd, all, count)
MOVES_SEVERAL(NTH_READ, preadv, (int fd, const struct iovec *all, int count, off_t at), fd, all, count, at)
MOVES_SEVERAL(NTH_WRITE, pwritev, (int fd, const struct iovec *all, int count, off_t at), fd, all, count, at)

/* -- the disk --------------------------------------------------------------------------------------------------------- */

PASSED(NTH_SYNC, -1, int, fsync, (int fd), fd)
PASSED(NTH_SYNC, -1, int, fdatasync, (int fd), fd)
PASSED(NTH_SYNC, -1, int, syncfs, (int fd), fd)
PASSED(NTH_CHANGE, -1, int, rename, (const char *a, const char *b), a, b)
PASSED(NTH_CHANGE, -1, int, renameat, (int from, const char *a, int to, const char *b), from, a, to, b)
PASSED(NTH_CHANGE, -1, int, renameat2, (int from, const char *a, int to, const char *b, unsigned f), from, a,
       to, b, f)
PASSED(NTH_CHANGE, -1, int, link, (const char *a, const char *b), a, b)
PASSED(NTH_CHANGE, -1, int, linkat, (int from, const char *a, int to, const char *b, int f), from, a, to, b,
       f)
PASSED(NTH_CHANGE, -1, int, symlinkat, (const char *a, int to, const char *b), a, to, b)
PASSED(NTH_CHANGE, -1, int, unlink, (const char *path), path)
PASSED(NTH_CHANGE, -1, int, unlinkat, (int folder, const char *path, int f), folder, path, f)
PASSED(NTH_CHANGE, -1, int, rmdir, (const char *path), path)
PASSED(NTH_CHANGE, -1, int, mkdir, (const char *path, mode_t mode), path, mode)
PASSED(NTH_CHANGE, -1, int, mkdirat, (int folder, const char *path, mode_t mode), folder, path, mode)
PASSED(NTH_CHANGE, -1, int, chmod, (const char *path, mode_t mode), path, mode)
PASSED(NTH_CHANGE, -1, int, fchmod, (int fd, mode_t mode), fd, mode)
PASSED(NTH_CHANGE, -1, int, fchmodat, (int folder, const char *path, mode_t mode, int f), folder, path, mode,
       f)
PASSED(NTH_CHANGE, -1, int, chown, (const char *path, uid_t uid, gid_t gid), path, uid, gid)
PASSED(NTH_CHANGE, -1, int, fchown, (int fd, uid_t uid, gid_t gid), fd, uid, gid)
PASSED(NTH_CHANGE, -1, int, fchownat, (int folder, const char *path, uid_t uid, gid_t gid, int f), folder,
       path, uid, gid, f)
PASSED(NTH_ROOM, -1, int, ftruncate, (int fd, off_t length), fd, length)
PASSED(NTH_ROOM, -1, int, ftruncate64, (int fd, off_t length), fd, length)
PASSED(NTH_ROOM, -1, int, fallocate, (int fd, int mode, off_t at, off_t length), fd, mode, at, length)
PASSED(NTH_ROOM, -1, int, fallocate64, (int fd, int mode, off_t at, off_t length), fd, mode, at, length)
PASSED(NTH_ROOM, errno, int, posix_fallocate, (int fd, off_t at, off_t length), fd, at, length)
PASSED(NTH_LOOK, -1, int, stat, (const char *path, struct stat *into), path, into)
PASSED(NTH_LOOK, -1, int, lstat, (const char *path, struct stat *into), path, into)
PASSED(NTH_LOOK, -1, int, fstat, (int fd, struct stat *into), fd, into)
PASSED(NTH_LOOK, -1, int, fstatat, (int folder, const char *path, struct stat *into, int f), folder, path,
       into, f)
PASSED(NTH_LOOK, -1, int, fstatvfs, (int fd, struct statvfs *into), fd, into)
PASSED(NTH_LOOK, -1, int, access, (const char *path, int mode), path, mode)
PASSED(NTH_LOOK, -1, int, faccessat, (int folder, const char *path, int mode, int f), folder, path, mode, f)
PASSED(NTH_LOOK, -1, int, flock, (int fd, int how), fd, how)
PASSED(NTH_LOOK, -1, int, getrlimit, (__rlimit_resource_t what, struct rlimit *into), what, into)

/* -- descriptors and processes ---------------------------------------------------------------------------------------- */

PASSED(NTH_FD, -1, int, pipe2, (int ends[2], int flags), ends, flags)
PASSED(NTH_FD, -1, int, pipe, (int ends[2]), ends)
PASSED(NTH_FD, -1, int, eventfd, (unsigned first, int flags), first, flags)
PASSED(NTH_FD, -1, int, socket, (int family, int type, int protocol), family, type, protocol)
PASSED(NTH_FD, -1, int, socketpair, (int family, int type, int protocol, int ends[2]), family, type, protocol,
       ends)
PASSED(NTH_FD, -1, int, accept4, (int fd, struct sockaddr *from, socklen_t *length, int flags), fd, from,
       length, flags)
PASSED(NTH_FD, -1, int, epoll_create1, (int flags), flags)
PASSED(NTH_FD, -1, int, timerfd_create, (clockid_t clock, int flags), clock, flags)
PASSED(NTH_FD, -1, int, dup, (int fd), fd)
PASSED(NTH_FD, -1, int, dup2, (int fd, int to), fd, to)
PASSED(NTH_FD, -1, int, dup3, (int fd, int to, int flags), fd, to, flags)
PASSED(NTH_PROCESS, -1, pid_t, fork, (void), )
PASSED(NTH_PROCESS, errno, int, pthread_create,
       (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *context), thread, how, run,
       context)
