/* A folder of its own for each test, and what one looks at in it. */
#ifndef WARREN_TEST_SCRIBE_ROOM_H
#define WARREN_TEST_SCRIBE_ROOM_H

#include "actors/scribe/file.h"
#include "tests/unit/place.h"

struct room {
	char path[PLACE];
	int folder;
};

struct room room_open(void);
void room_close(struct room *room); /* with all that is in it; one that is not open is no mistake */

/* The text of a file below it, terminated, in memory that the caller frees; NULL when there is none. */
char *room_read(const struct room *room, const char *name);
bool room_has(const struct room *room, const char *name);

/* Lines of it that parse; a test fails at the first that does not. 0 when there is no such file. */
unsigned room_lines(const struct room *room, const char *name);

unsigned open_descriptors(void);

/* A moment `ms` after the first. */
struct moment at(uint64_t ms);

/* Makes the disk below `room` full, and not full again. Before anything was opened there. Says in the test's
 * log which way was taken: a small tmpfs in a mount namespace of this test where that is allowed, else a
 * limit on the size of files. */
struct small_disk {
	bool mounted;
	uint64_t most; /* bytes of one file, roughly */
};
struct small_disk disk_small(struct room *room);
void disk_fill(struct small_disk *disk, struct room *room);
void disk_free(struct small_disk *disk, struct room *room);

#endif
