/* Ink: a thread that puts slots on the disk, so that no handler waits for one. What was put while it was at work goes with the
 * next sync, as one group. A write or a sync that fails ends the process: nobody can know what is on the disk then. */
#ifndef WARREN_INK_H
#define WARREN_INK_H

#include "actors/wallet/spent.h"

struct ink; /* x_new'd */
struct ink *ink_start(int fd); /* the file of spent.h. Before the seal */
void ink_end(struct ink **ink); /* when all is written; leaves NULL */

int ink_fd(const struct ink *ink); /* readable when something was synced */

/* Queues a slot; false when SPENT_UNDER_WAY are. */
bool ink_put(struct ink *ink, uint64_t offset, const uint8_t slot[SPENT_SLOT]);

/* How many slots are on the disk, of those that were ever put, in their order. */
uint64_t ink_dry(struct ink *ink);

#endif
