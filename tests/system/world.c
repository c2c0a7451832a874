/* A made-up world around `warrend` (LD_PRELOAD), for what a test cannot have for real. The environment says:
 *
 *   WARREN_WORLD_HALT=N    killed (SIGKILL) before its N-th change to the disk, from 1
 *   WARREN_WORLD_BREAK=N   that change and every later one fail with EIO: the disk vanishes
 *   WARREN_WORLD_COUNT=F   at its end it writes the number of changes into file F
 *   WARREN_WORLD_TOTAL, _FREE, _MEMORY   GiB of the disk and of memory
 *
 * Only the process that was started so is meant, not its children. Runs as the test; touches nothing by itself. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t meant;
static unsigned long changes, halt_at, break_at;

static unsigned long said(const char *name)
{
	const char *text = getenv(name);
	return text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	meant = getpid();
	halt_at = said("WARREN_WORLD_HALT");
	break_at = said("WARREN_WORLD_BREAK");
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("WARREN_WORLD_COUNT");
	FILE *file = path && getpid() == meant ? fopen(path, "we") : NULL;
	if (!file)
		return;
	fprintf(file, "%lu\n", changes);
	fclose(file);
}

/* Whether this change may happen; else errno is set. */
static int allowed(void)
{
	if (getpid() != meant)
		return 1;
	changes++;
	if (halt_at && changes == halt_at)
		kill(meant, SIGKILL);
	if (!break_at || changes < break_at)
		return 1;
	errno = EIO;
	return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CHANGE(name, parameters, ...) \
	int name parameters \
	{ \
		return allowed() ? REAL(name)(__VA_ARGS__) : -1; \
	}

CHANGE(mkdirat, (int folder, const char *path, mode_t mode), folder, path, mode)
CHANGE(unlinkat, (int folder, const char *path, int flags), folder, path, flags)
CHANGE(symlinkat, (const char *to, int folder, const char *path), to, folder, path)
CHANGE(renameat, (int from, const char *a, int to, const char *b), from, a, to, b)
CHANGE(fchownat, (int folder, const char *path, uid_t uid, gid_t gid, int flags), folder, path, uid, gid,
       flags)
CHANGE(fchmodat, (int folder, const char *path, mode_t mode, int flags), folder, path, mode, flags)
CHANGE(fchown, (int fd, uid_t uid, gid_t gid), fd, uid, gid)
CHANGE(fchmod, (int fd, mode_t mode), fd, mode)
CHANGE(rename, (const char *a, const char *b), a, b)
CHANGE(unlink, (const char *path), path)
CHANGE(fsync, (int fd), fd)
CHANGE(syncfs, (int fd), fd)

int openat(int folder, const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
	va_end(more);
	if (flags & O_CREAT && !allowed())
		return -1;
	return REAL(openat)(folder, path, flags, mode);
}

/* No change, but a step: a child has made its part, and we do not know yet. */
pid_t waitpid(pid_t pid, int *status, int flags)
{
	unsigned long wanted = break_at;
	break_at = 0;
	allowed();
	break_at = wanted;
	return REAL(waitpid)(pid, status, flags);
}

int fstatvfs(int fd, struct statvfs *disk)
{
	int got = REAL(fstatvfs)(fd, disk);
	unsigned long total = said("WARREN_WORLD_TOTAL"), free = said("WARREN_WORLD_FREE");
	if (got == 0 && total) {
		disk->f_blocks = (total << 30) / disk->f_frsize;
		disk->f_bavail = disk->f_bfree = (free << 30) / disk->f_frsize;
	}
	return got;
}

int sysinfo(struct sysinfo *info)
{
	int got = REAL(sysinfo)(info);
	unsigned long memory = said("WARREN_WORLD_MEMORY");
	if (got == 0 && memory) {
		info->mem_unit = 1;
		info->totalram = memory << 30;
	}
	return got;
}
