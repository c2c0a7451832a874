/* What every fuzz target has: its entry, called by libFuzzer, and a check that is never compiled out. */
#ifndef WARREN_FUZZ_TARGET_H
#define WARREN_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define must(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/* A folder of the target's own, in memory where tests/fuzz/run says so; its name stays in `path`. */
enum { FUZZ_PLACE = 96 };
static inline char *fuzz_place(char path[FUZZ_PLACE])
{
	const char *where = getenv("WARREN_FUZZ_PLACE");
	snprintf(path, FUZZ_PLACE, "%.60s/warren-fuzz-XXXXXX", where ? where : "/dev/shm");
	must(mkdtemp(path));
	return path;
}

#endif
