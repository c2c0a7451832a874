/* What every fuzz target has: its entry, called by libFuzzer, and a check that is never compiled out. */
#ifndef WARREN_FUZZ_TARGET_H
#define WARREN_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define must(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#endif
