/* The Nth call fails. nth.c stands before the C library's malloc(), open(), read(), write(), fsync() and their kin, counts the
 * calls of the families that are asked for, and makes one of them fail, or that one and all after it. It is linked into a test
 * program, or preloaded (libnth.so) into any other. What it is to do stands in a page that it shares with whoever plans:
 *
 *   linked in    nth_page, set by the test
 *   preloaded    a file of NTH_PAGE bytes, mapped at the start: $NTH_FILE, else "nth" in the actor's own folder (proto/birth.h)
 *
 * Without a page nothing is counted and nothing fails. All numbers are of this machine's byte order; nth.js writes the same. */
#ifndef WARREN_TESTS_NTH_H
#define WARREN_TESTS_NTH_H

#include <stdint.h>

/* What a call belongs to. Files are regular files and folders; anything else that is read or written is a pipe. */
enum nth_family {
	NTH_MEMORY = 1 << 0,  /* malloc calloc realloc posix_memalign aligned_alloc memalign */
	NTH_MAP = 1 << 1,     /* mmap memfd_create; not memfd_secret, which is a bare system call */
	NTH_OPEN = 1 << 2,    /* open openat creat fopen opendir */
	NTH_READ = 1 << 3,    /* read pread readv preadv of files */
	NTH_WRITE = 1 << 4,   /* write pwrite writev pwritev of files */
	NTH_SYNC = 1 << 5,    /* fsync fdatasync syncfs sync_file_range */
	NTH_CHANGE = 1 << 6,  /* rename link symlinkat unlink mkdir rmdir chmod chown and their kin */
	NTH_ROOM = 1 << 7,    /* ftruncate fallocate posix_fallocate */
	NTH_FD = 1 << 8,      /* pipe2 eventfd socket socketpair accept4 epoll_create1 timerfd_create dup dup2 dup3 */
	NTH_PROCESS = 1 << 9, /* fork pthread_create */
	NTH_PIPE = 1 << 10,   /* read and write of what is no file */
	NTH_LOOK = 1 << 11,   /* stat fstat fstatat lstat fstatvfs access faccessat flock getrlimit */
	NTH_FAMILIES = 12,
};

enum { NTH_SHORT = -1, NTH_NAME = 24, NTH_PAGE = 4096 };

struct nth_page {
	uint32_t families; /* 0: off. Written last by who plans */
	uint32_t pid;      /* 0: every process that has the page; else this one alone */
	uint64_t at;       /* the first call that fails, from 1; 0: only count */
	uint32_t onwards;  /* and all after it */
	int32_t error;     /* errno; NTH_SHORT: reads and writes of more than a byte do half; 0: what is usual for the family */
	uint64_t calls;    /* so far, of these families */
	uint32_t fired;    /* so many failed */
	uint32_t family;   /* of the first that did */
	char name[NTH_NAME];
	uint64_t from; /* where it was called, in its program or library */
	uint32_t mapped; /* pid of who mapped it last */
};

extern struct nth_page *nth_page;

#endif
