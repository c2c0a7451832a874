/* A folder of the test's own, removed when the test ends well. */
#ifndef WARREN_TEST_SCRATCH_H
#define WARREN_TEST_SCRATCH_H

#include "supervisor/disk.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	char path[PLACE];
	int fd;
};

static inline struct scratch scratch_make(void)
{
	struct scratch scratch = {.fd = -1};
	place_make(scratch.path, "supervisor");
	cr_assert_eq(chmod(scratch.path, 0755), 0);
	scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(scratch.fd, 0);
	umask(022);
	return scratch;
}

static inline void scratch_end(struct scratch *scratch)
{
	close(scratch->fd);
	cr_assert(disk_remove(AT_FDCWD, scratch->path));
}

static inline void scratch_write(const struct scratch *scratch, const char *name, mode_t mode, const char *text)
{
	unlinkat(scratch->fd, name, 0);
	int fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s", name);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

#endif
