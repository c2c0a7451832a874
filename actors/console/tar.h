/* An archive that is written at once, from memory: ustar (POSIX.1-1988, IEEE 1003.1 pax, "ustar Interchange Format") inside gzip
 * (RFC 1952). Regular files of mode 0600 and nothing else. Plain C. */
#ifndef WARREN_CONSOLE_TAR_H
#define WARREN_CONSOLE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TAR_NAME = 100,   /* bytes of a name, at most */
	TAR_BLOCK = 512,  /* a file takes a block, and its bytes rounded up to blocks */
	TAR_END = 1024,   /* after the last file */
};

struct tar;

/* Writes to `fd`, which stays the caller's. */
struct tar *tar_begin(int fd);

/* False when a write has failed, now or before. */
bool tar_add(struct tar *tar, const char *name, const void *bytes, size_t length, int64_t unix_s);

/* Writes the end, frees it. 0, or the errno of the first write that failed. */
int tar_end(struct tar **tar);

#endif
