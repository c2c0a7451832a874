/* The ballast: a file that keeps the disk space which the index was promised (quota/64 + 32 MiB) and does not use yet. When
 * the disk is full it gives some back, so that what is under way can be written and deletes still work.
 *
 * The promise is enough for blobs of 8 KiB and more on average; the index of a store full of smaller ones grows past it, into
 * whatever the disk has left. */
#ifndef WARREN_STORE_BALLAST_H
#define WARREN_STORE_BALLAST_H

#include <stdbool.h>
#include <stdint.h>

#define BALLAST_FILE "ballast"

struct ballast {
	int fd; /* -1: none, as on a disk that takes no writes */
	uint64_t reserve, size;
};

uint64_t ballast_reserve_for(uint64_t quota);

/* Makes or opens the file in `folder`. Filling it up is ballast_fill()'s. False, and errno, when it cannot be opened. */
bool ballast_open(struct ballast *ballast, int folder, uint64_t reserve);
void ballast_close(struct ballast *ballast);

/* The index takes `index_bytes` of the reserve; the ballast becomes the rest. False: the disk has no room for it. */
bool ballast_fill(struct ballast *ballast, uint64_t index_bytes);

/* Gives back a part. False when there was nothing left to give. The last part is for deletes alone. */
enum ballast_for { FOR_NOTHING, FOR_PUTS, FOR_DELETES };
bool ballast_yield(struct ballast *ballast, enum ballast_for purpose);

/* Only what is kept for deletes is left, though the index has not grown into the rest. */
bool ballast_spent(const struct ballast *ballast, uint64_t index_bytes);

#endif
