/* The blocks since the newest whole state, one line each, synced before the block is made: what it takes to make it again, to the
 * same hash. A line that was cut by a death ends the file. Plain C, in the keeper. */
#ifndef WARREN_ANVIL_JOURNAL_H
#define WARREN_ANVIL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_FILE "blocks"
enum { JOURNAL_BYTES_MOST = 64 << 20 }; /* more is not read: the state is written long before */

struct block {
	uint64_t number, timestamp;
	const char *raws; /* signed transactions in their order, 0x… parted by commas; "" of an empty block */
};

struct journal {
	int fd;
	char *text; /* what was read; the blocks point into it */
	struct block *blocks;
	unsigned count;
	unsigned appended; /* blocks in the file, read and written since */
	uint64_t bytes;
};

/* Opens it in `folder`, makes it when it is not there, reads it and cuts off what is torn. A block that was written down twice
 * counts as it was written last, and nothing behind the first one does then. False, with errno. */
bool journal_open(struct journal *journal, int folder);

/* Durable when it returns true. */
bool journal_append(struct journal *journal, const struct block *block);

bool journal_clear(struct journal *journal); /* a newer state has it all */
void journal_close(struct journal *journal);

#endif
