/* The syncer: a thread that does one thing, fdatasync(2) of the arena file, while the committer's thread syncs the log of the
 * index. On ext4 both wait for the same journal, and waiting for both at once costs as much as waiting for one. */
#ifndef WARREN_STORE_SYNCER_H
#define WARREN_STORE_SYNCER_H

#include <stdbool.h>

struct syncer;
struct syncer *syncer_start(int fd);
void syncer_end(struct syncer **syncer); /* when none is under way; leaves NULL */

void syncer_begin(struct syncer *syncer); /* comes back at once */
void syncer_wait(struct syncer *syncer);  /* until it is done. One that fails ends the process */

/* Logs, and ends the process: nobody can know what is on the disk after a sync that failed, and asking again would be told that
 * all is well (the kernel reports a lost write once). */
_Noreturn void sync_failed(const char *what, int number);

#endif
