/* What the keeper asks of anvil, and keeps: blocks made one by one, each written down before; the same made again. Plain C. */
#ifndef WARREN_ANVIL_CHAIN_H
#define WARREN_ANVIL_CHAIN_H

#include "actors/anvil/journal.h"
#include "actors/anvil/wire.h"

struct chain {
	struct wire wire;
	struct journal journal;
	int folder;
	uint64_t head, time; /* the newest block that is written down, and its timestamp */
	const char *why;     /* of the last that failed, when it was not anvil's word */
};

bool chain_look(struct chain *chain); /* reads head and time */

/* Makes the blocks of the journal that anvil has not. False: one cannot be made as it was. */
bool chain_replay(struct chain *chain);

/* The whole state onto the disk, and the journal begins anew. */
bool chain_save(struct chain *chain);

/* Time goes on where it was: ahead of the clock when somebody moved it, or when blocks came faster than seconds. */
bool chain_set_time(struct chain *chain);

/* Told of each transaction and each block from now on. */
bool chain_listen(struct chain *chain);

/* Blocks that others made are written down; then a block of what waits, if anything does. `all`: looks for what we were not
 * told of, too. */
bool chain_turn(struct chain *chain, bool all);

#endif
