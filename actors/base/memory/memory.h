/* Three ways to hold memory: for the life of the process, in an arena for the life of a request, or x_new()/x_free(&p).
 * Running out is a bug of the limits we set ourselves, so it aborts: nobody downstream checks for NULL. */
#ifndef WARREN_MEMORY_H
#define WARREN_MEMORY_H

#include <stddef.h>

/* Zeroed; aborts when there is none. */
#define NEVER_NULL __attribute__((returns_nonnull))
NEVER_NULL void *x_new(size_t bytes);
NEVER_NULL void *x_new_array(size_t count, size_t bytes); /* count * bytes, checked */
NEVER_NULL void *x_grow(void *old, size_t bytes);         /* like realloc; what is new is not zeroed */
NEVER_NULL char *x_copy(const char *text);

/* x_free(&pointer): frees, and leaves NULL behind. */
#define x_free(at)                                                                                                     \
	do {                                                                                                           \
		x_release(*(at));                                                                                      \
		*(at) = NULL;                                                                                          \
	} while (0)
void x_release(void *pointer);

/* An arena: many small allocations, one end. It grows up to `most` bytes; past that arena_take() returns NULL, because what
 * fills it was sent by somebody else. */
struct arena {
	struct arena_block *blocks;
	size_t used, room; /* of the newest block */
	size_t taken, most;
};
void arena_begin(struct arena *arena, size_t most);
void *arena_take(struct arena *arena, size_t bytes); /* zeroed, aligned for anything; NULL when it is full */
void arena_end(struct arena *arena);                 /* frees all; may be begun again */

/* Overwrites what the compiler must not think is dead. */
void wipe(void *at, size_t bytes);

#endif
