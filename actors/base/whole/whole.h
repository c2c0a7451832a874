/* Writing and reading until it is all done: an interrupted or a short one is gone on with. What is returned, if not 0, is in
 * errno too. */
#ifndef WARREN_WHOLE_H
#define WARREN_WHOLE_H

#include <stddef.h>
#include <stdint.h>

/* 0, or an errno; EIO for a descriptor that takes nothing and says nothing. What was written before that stays written. */
int write_whole(int fd, const void *bytes, size_t length);
int write_whole_at(int fd, const void *bytes, size_t length, uint64_t at);

/* 0, or an errno. *got is less than `room` only where there is no more. */
int read_whole(int fd, void *bytes, size_t room, size_t *got);

/* 0, or an errno; EIO for a file that ends before it is all read. */
int read_whole_at(int fd, void *bytes, size_t length, uint64_t at);

#endif
