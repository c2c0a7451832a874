/* The disk that misbehaves: definitions that stand before the C library's, in this test program alone. They make the system
 * calls themselves. */
#include "tests/unit/store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SECTOR = 512, SECTORS = 1 << 14, PLACES = 4 * SECTORS, HELD = 64, RENAMED = 8 };

struct sector { /* as it was at the last sync of its file */
	ino_t file;
	uint64_t number;
	int fd;
	uint8_t was[SECTOR];
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	enum disk_trouble trouble;
	uint64_t nth, calls, seed, bad, space;
	int number;
	bool fired, fired_on_sync, lies, read_only, hold, waits;
	struct sector *sectors; /* NULL: nothing is remembered */
	unsigned sector_count;
	struct { /* files that were written to: one that is closed unsynced loses what it has, too */
		ino_t file;
		int fd;
	} held[HELD];
	unsigned held_count;
	ino_t renamed[RENAMED];  /* folders in which a name was given and not yet synced; 0: a free place */
	uint16_t places[PLACES]; /* by file and number, open addressing: which of them, plus one; 0: free */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER, .space = UINT64_MAX};

void disk_trouble(enum disk_trouble trouble, uint64_t nth, int number, uint64_t seed)
{
	pthread_mutex_lock(&disk.lock);
	disk.trouble = trouble;
	disk.nth = nth;
	disk.number = number;
	disk.seed = seed;
	disk.calls = 0;
	disk.fired = disk.fired_on_sync = false;
	if (trouble != DISK_GOOD && trouble != DISK_SHORT && !disk.sectors)
		disk.sectors = calloc(SECTORS, sizeof *disk.sectors);
	pthread_mutex_unlock(&disk.lock);
}

uint64_t disk_calls(void)
{
	return disk.calls;
}

bool disk_fired(void)
{
	return disk.fired;
}

bool disk_fired_on_sync(void)
{
	return disk.fired_on_sync;
}

bool disk_names_synced(void)
{
	for (int i = 0; i < RENAMED; i++)
		if (disk.renamed[i])
			return false;
	return true;
}

/* A name was given in the folder; or the folder was synced. */
static void note_names(int folder, bool synced)
{
	struct stat stat;
	int free = -1;
	if (fstat(folder, &stat) != 0 || !S_ISDIR(stat.st_mode))
		return;
	for (int i = 0; i < RENAMED; i++) {
		if (disk.renamed[i] == stat.st_ino)
			disk.renamed[i] = 0;
		if (!disk.renamed[i])
			free = i;
	}
	if (!synced && free >= 0)
		disk.renamed[free] = stat.st_ino;
}

void disk_lies(bool lies)
{
	disk.lies = lies;
}

void disk_read_only(bool read_only)
{
	disk.read_only = read_only;
}

void disk_bad_sector(uint64_t byte)
{
	disk.bad = byte;
}

void disk_space(uint64_t bytes)
{
	disk.space = bytes;
}

void disk_hold_syncs(bool hold)
{
	pthread_mutex_lock(&disk.lock);
	disk.hold = hold;
	pthread_cond_broadcast(&disk.change);
	pthread_mutex_unlock(&disk.lock);
}

void disk_wait_for_sync(void)
{
	pthread_mutex_lock(&disk.lock);
	while (!disk.waits)
		pthread_cond_wait(&disk.change, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

/* -- power ----------------------------------------------------------------------------------------------------------- */

static uint64_t chance(void)
{
	disk.seed = disk.seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return disk.seed >> 33;
}

/* Where this sector is noted, or would be. */
static uint16_t *place_of(ino_t file, uint64_t number)
{
	uint64_t at = (file * 31 + number) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	for (;; at++) {
		uint16_t *place = &disk.places[at % PLACES];
		const struct sector *sector = *place ? &disk.sectors[*place - 1] : NULL;
		if (!sector || (sector->file == file && sector->number == number))
			return place;
	}
}

static int hold_file(int fd, ino_t file)
{
	for (unsigned i = 0; i < disk.held_count; i++)
		if (disk.held[i].file == file)
			return disk.held[i].fd;
	if (disk.held_count == HELD)
		return fd;
	disk.held[disk.held_count].file = file;
	return disk.held[disk.held_count++].fd = fcntl(fd, F_DUPFD_CLOEXEC, 200);
}

/* Remembers what will be written over, once between two syncs. */
static void remember(int fd, uint64_t at, size_t length)
{
	struct stat stat;
	if (!disk.sectors || fstat(fd, &stat) != 0)
		return;
	for (uint64_t number = at / SECTOR; number * SECTOR < at + length; number++) {
		uint16_t *place = place_of(stat.st_ino, number);
		if (*place)
			continue;
		if (disk.sector_count == SECTORS)
			abort(); /* the test writes too much between two syncs */
		struct sector *sector = &disk.sectors[disk.sector_count++];
		*sector = (struct sector){
			.file = stat.st_ino, .number = number, .fd = hold_file(fd, stat.st_ino)};
		if (syscall(SYS_pread64, fd, sector->was, SECTOR, number * SECTOR) < 0)
			abort();
		*place = (uint16_t)disk.sector_count;
	}
}

/* What was remembered of one file is durable now. */
static void forget(int fd)
{
	struct stat stat;
	if (!disk.sectors || fstat(fd, &stat) != 0)
		return;
	unsigned kept = 0;
	memset(disk.places, 0, sizeof disk.places);
	for (unsigned i = 0; i < disk.sector_count; i++)
		if (disk.sectors[i].file != stat.st_ino) {
			disk.sectors[kept] = disk.sectors[i];
			*place_of(disk.sectors[kept].file, disk.sectors[kept].number) = (uint16_t)(kept + 1);
			kept++;
		}
	disk.sector_count = kept;
}

/* Of one file, or of all (-1). */
static void lose(int fd)
{
	struct stat only = {0};
	if (fd >= 0 && fstat(fd, &only) != 0)
		return;
	for (unsigned i = 0; disk.sectors && i < disk.sector_count; i++) {
		struct sector *sector = &disk.sectors[i];
		struct stat stat;
		if (chance() % 2 || (fd >= 0 && sector->file != only.st_ino))
			continue;
		if (fstat(sector->fd, &stat) != 0 || stat.st_ino != sector->file)
			continue; /* closed: its file is gone, too, or was synced when it was closed */
		if (syscall(SYS_pwrite64, sector->fd, sector->was, SECTOR, sector->number * SECTOR) < 0)
			abort();
	}
}

/* -- the one gate ---------------------------------------------------------------------------------------------------- */

/* Whether this call goes through; if not, errno is set. `fd`: of a sync, else -1. */
static bool passes(int fd)
{
	pthread_mutex_lock(&disk.lock);
	uint64_t call = ++disk.calls;
	bool hit = disk.trouble != DISK_GOOD && disk.trouble != DISK_SHORT && disk.nth &&
		   (call == disk.nth || (disk.trouble == DISK_FAILS && call > disk.nth));
	disk.fired |= hit;
	if (hit && disk.trouble == DISK_POWER_ENDS)
		lose(-1);
	if (hit && fd >= 0)
		lose(fd);
	disk.fired_on_sync |= hit && fd >= 0;
	if (hit && (disk.trouble == DISK_POWER_ENDS || disk.trouble == DISK_PROCESS_ENDS))
		_exit(DISK_ENDED);
	bool read_only = disk.read_only;
	pthread_mutex_unlock(&disk.lock);
	if (read_only)
		errno = EROFS;
	else if (hit)
		errno = disk.number;
	return !hit && !read_only;
}

static uint64_t size_of(int fd)
{
	struct stat stat;
	return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) ? (uint64_t)stat.st_size : 0;
}

/* Room for what a file grows by. */
static bool room(int fd, uint64_t end)
{
	uint64_t has = size_of(fd);
	if (disk.space == UINT64_MAX || end <= has)
		return true;
	if (end - has > disk.space) {
		errno = ENOSPC;
		return false;
	}
	disk.space -= end - has;
	return true;
}

static int sync_call(long number, int fd)
{
	if (!passes(fd))
		return -1;
	pthread_mutex_lock(&disk.lock);
	while (disk.hold) {
		disk.waits = true;
		pthread_cond_broadcast(&disk.change);
		pthread_cond_wait(&disk.change, &disk.lock);
	}
	disk.waits = false;
	if (!disk.lies) {
		forget(fd);
		note_names(fd, true);
	}
	pthread_mutex_unlock(&disk.lock);
	/* Nothing here is cut off from its power for real: waiting for the disk would only cost time. */
	(void)number;
	return 0;
}

/* -- what stands before the C library -------------------------------------------------------------------------------- */

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at);
ssize_t pread64(int fd, void *bytes, size_t length, off_t at);
int ftruncate64(int fd, off_t length);
int open64(const char *path, int flags, ...);

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	if (!passes(-1) || !room(fd, (uint64_t)at + length))
		return -1;
	if (disk.trouble == DISK_SHORT && length > 1)
		length = (length + 1) / 2;
	pthread_mutex_lock(&disk.lock);
	remember(fd, (uint64_t)at, length);
	ssize_t wrote = syscall(SYS_pwrite64, fd, bytes, length, at);
	pthread_mutex_unlock(&disk.lock);
	return wrote;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at)
{
	return pwrite(fd, bytes, length, at);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t at)
{
	if (disk.bad && (uint64_t)at <= disk.bad && disk.bad < (uint64_t)at + length) {
		errno = EIO;
		return -1;
	}
	if (disk.trouble == DISK_SHORT && length > 1)
		length = (length + 1) / 2;
	return syscall(SYS_pread64, fd, bytes, length, at);
}

ssize_t pread64(int fd, void *bytes, size_t length, off_t at)
{
	return syscall(SYS_pread64, fd, bytes, length,
		       at); /* SQLite's own: it is not what these tests are about */
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	struct stat stat;
	bool file = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
	return file && !passes(-1) ? -1 : syscall(SYS_write, fd, bytes, length);
}

int fdatasync(int fd)
{
	return sync_call(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	return sync_call(SYS_fsync, fd);
}

int ftruncate(int fd, off_t length)
{
	uint64_t before = size_of(fd);
	if (!passes(-1) || !room(fd, (uint64_t)length))
		return -1;
	if (disk.space != UINT64_MAX && (uint64_t)length < before)
		disk.space += before - (uint64_t)length;
	return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate64(int fd, off_t length)
{
	return ftruncate(fd, length);
}

/* The length is all that these tests need of it; to really reserve it takes long. */
int fallocate(int fd, int mode, off_t at, off_t length)
{
	(void)mode;
	if (!passes(-1) || !room(fd, (uint64_t)(at + length)))
		return -1;
	return size_of(fd) < (uint64_t)(at + length) ? (int)syscall(SYS_ftruncate, fd, at + length) : 0;
}

int renameat(int from, const char *old, int to, const char *new)
{
	if (!passes(-1) || syscall(SYS_renameat2, from, old, to, new, 0) != 0)
		return -1;
	pthread_mutex_lock(&disk.lock);
	note_names(to, false);
	pthread_mutex_unlock(&disk.lock);
	return 0;
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	return passes(-1) ? (int)syscall(SYS_linkat, from, old, to, new, flags) : -1;
}

int unlinkat(int folder, const char *name, int flags)
{
	return passes(-1) ? (int)syscall(SYS_unlinkat, folder, name, flags) : -1;
}

int unlink(const char *path)
{
	return passes(-1) ? (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0) : -1;
}

static int open_call(int folder, const char *path, int flags, va_list arguments)
{
	int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
	if (disk.read_only && (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != O_RDONLY) {
		errno = EROFS;
		return -1;
	}
	return (int)syscall(SYS_openat, folder, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int fd = open_call(AT_FDCWD, path, flags, arguments);
	va_end(arguments);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int fd = open_call(AT_FDCWD, path, flags, arguments);
	va_end(arguments);
	return fd;
}

int openat(int folder, const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int fd = open_call(folder, path, flags, arguments);
	va_end(arguments);
	return fd;
}
