/* The inside of the books: shared by spent.c (what counts) and spent_file.c (what is on the disk). */
#ifndef WARREN_SPENT_INSIDE_H
#define WARREN_SPENT_INSIDE_H

#include "actors/wallet/spent.h"

struct tally {
	struct u256 value, fee, amount;
};

struct entry {
	uint64_t time, chain, nonce;
	char rule[POLICY_NAME + 1];
	bool old_in_chain, old_in_rule; /* a later one of the same nonce has its amounts */
	struct hash once, digest;
	struct tally in_chain, in_rule; /* the highest of its nonce */
};

struct spent {
	int fd;
	uint64_t sequence; /* of the next slot */
	uint64_t clock;
	struct entry *entries; /* in order of time */
	uint32_t *marks;       /* of each entry, its chain and nonce in short: who looks for a nonce reads little */
	unsigned count, room;
};

void spent_enter(struct spent *spent, const struct charge *charge, uint64_t time);
void spent_slot(const struct charge *charge, uint64_t sequence, uint64_t time, uint8_t slot[SPENT_SLOT]);

#endif
