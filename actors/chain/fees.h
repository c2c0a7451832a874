/* What a transaction offers for its gas: at first, and each time that nobody took it. Wei of a unit of gas. Pure. */
#ifndef WARREN_CHAIN_FEES_H
#define WARREN_CHAIN_FEES_H

#include "proto/u256.h"

#include <stdbool.h>

enum { FEES_CAP_TIMES = 10 }; /* the most that is ever offered, when nobody says otherwise: so many times the first offer */

struct fee {
	struct u256 max;      /* of a unit of gas; in the legacy model the gas price */
	struct u256 priority; /* part of it for who makes the block; 0 in the legacy model */
};

/* EIP-1559: twice the base fee of the last block and the priority fee, so that six full blocks in a row do not price it out. */
struct fee fee_first(const struct u256 *base, const struct u256 *priority);
struct fee fee_first_legacy(const struct u256 *price);
struct u256 fee_default_cap(const struct fee *first);

/* A quarter more of both, at least what `fresh` says, at most `cap`. Nodes of a chain take one in place of another from a
 * tenth more on. False: that would be above the cap; *fee is as it was. */
bool fee_higher(struct fee *fee, const struct fee *fresh, const struct u256 *cap);

/* At most `cap`. */
void fee_cap(struct fee *fee, const struct u256 *cap);

#endif
