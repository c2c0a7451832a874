/* Where a unit test makes its folder: in memory, for what a disk does is tried elsewhere (unit/store/disk.h, crash, chaos), and
 * a disk that others write to makes a short test a long one. TMPDIR says otherwise. */
#ifndef WARREN_TESTS_PLACE_H
#define WARREN_TESTS_PLACE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLACE = 64 };

/* A new folder, mode 0700, whose name has `name` in it; who makes it removes it. */
static inline void place_make(char path[PLACE], const char *name)
{
	const char *where = getenv("TMPDIR");
	if (!where)
		where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(path, PLACE, "%.32s/%.16s-XXXXXX", where, name);
	cr_assert_not_null(mkdtemp(path), "%s", path);
}

#endif
