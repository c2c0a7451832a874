/* A disk that can be told to misbehave. This program's own pwrite(), fdatasync() and their kin stand before the C library's, for
 * the store and for SQLite alike, and do what they are told. Counted are the calls that change something on a disk: pwrite,
 * fdatasync, fsync, ftruncate, fallocate, rename, link, unlink, and write to a file. */
#ifndef WARREN_TESTS_STORE_DISK_H
#define WARREN_TESTS_STORE_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_trouble {
	DISK_GOOD,
	/* A sync that fails takes with it, by chance, what it should have made durable, as the kernel does: asking again would be
	 * told that all is well. */
	DISK_FAILS_ONCE, /* the Nth call returns an error and does nothing */
	DISK_FAILS,      /* the Nth call and all after it */
	DISK_PROCESS_ENDS, /* _exit(DISK_ENDED) before the Nth call: as kill -9 does */
	DISK_POWER_ENDS,  /* the same, and of what was not synced each 512-byte sector is there or not, by chance */
	DISK_SHORT,       /* every pwrite of more than one byte writes about half */
};
enum { DISK_ENDED = 99 };

/* From the next call on; `number` is the error. */
void disk_trouble(enum disk_trouble trouble, uint64_t nth, int number, uint64_t seed);
uint64_t disk_calls(void); /* since disk_trouble() */
bool disk_fired(void);     /* the Nth call was made */
bool disk_fired_on_sync(void);

/* Whether each folder in which something was renamed was synced since: else a power cut may take the name back. */
bool disk_names_synced(void);

/* Syncs do nothing, and say that all is well: what a test of durability must notice. */
void disk_lies(bool lies);

/* Opening for writing, and all that changes something, says EROFS. */
void disk_read_only(bool read_only);

/* Reads of the file at this byte, that touch it, say EIO. 0: none. */
void disk_bad_sector(uint64_t byte);

/* Syncs wait until they are let go. */
void disk_hold_syncs(bool hold);
void disk_wait_for_sync(void); /* until one waits */

/* Space that is left for what files grow by; UINT64_MAX: what there is. Beyond it: ENOSPC. */
void disk_space(uint64_t bytes);

#endif
