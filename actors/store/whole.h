/* What every file here needs: pwrite(2) and pread(2) until it is all done, and how long a file is. */
#ifndef WARREN_STORE_WHOLE_H
#define WARREN_STORE_WHOLE_H

#include <stddef.h>
#include <stdint.h>

/* 0, or an errno; EIO for a file that ends before it is all read. */
int write_whole(int fd, const void *bytes, size_t length, uint64_t at);
int read_whole(int fd, void *bytes, size_t length, uint64_t at);

/* 0 for one that is not there. */
uint64_t file_bytes(int folder, const char *name);

#endif
