/* Memory for keys: apart from the heap, between two pages that nobody may touch, never in a core dump, a
 * child or the swap; and where the kernel has memfd_secret(2), not to be had through /proc/PID/mem or ptrace
 * either, not even by root. */
#ifndef WARREN_SECRET_H
#define WARREN_SECRET_H

#include <stddef.h>

/* What stands around a piece of secret memory, weakest first. */
enum secret_wall {
	SECRET_PLAIN,  /* it may be swapped: neither of the two below was to be had */
	SECRET_LOCKED, /* mlock(2): stays in memory */
	SECRET_HIDDEN, /* memfd_secret(2): stays in memory, and is mapped in this process alone, not even in
			  the kernel */
};

/* Zeroed, aligned to 16, its end at a guard page; `bytes` is 1..1 MiB. Tries `best` first (SECRET_HIDDEN;
 * SECRET_LOCKED pretends that memfd_secret is absent) and takes the next weaker wall when the kernel or
 * RLIMIT_MEMLOCK refuses; *got says which. Aborts when there is no memory at all. Before the seal: it needs
 * mmap, madvise and memfd_secret. */
void *secret_new(size_t bytes, enum secret_wall best, enum secret_wall *got);

/* secret_free(&pointer, bytes): wipes, unmaps, and leaves NULL behind; NULL is fine. `bytes` as given to
 * secret_new(). */
#define secret_free(at, bytes) \
	do { \
		secret_release(*(at), bytes); \
		*(at) = NULL; \
	} while (0)
void secret_release(void *at, size_t bytes);

/* "hidden", "locked", "plain" */
const char *secret_wall_name(enum secret_wall wall);

/* Overwrites what a library left behind while it used a key: the vector registers, and SECRET_STACK bytes of
 * the stack below the caller. */
enum { SECRET_STACK = 32 * 1024 };
void secret_wipe_stack(void);

#endif
