/* The Merkle root of the bytes of a blob, kept in its header for proofs of storage (FEATURES C2, K10).
 *
 * It is the tree hash of RFC 6962, section 2.1, with SHA-256, over the blob cut into leaves of 1,024 bytes; the last leaf is
 * shorter and not padded:
 *
 *   leaf   = SHA-256(0x00, bytes of the leaf)
 *   node   = SHA-256(0x01, left, right)
 *   root of n > 1 leaves = node of the first k and of the other n - k, k being the largest power of two below n
 *   root of a blob of 0 bytes = SHA-256 of nothing
 *
 * So a node without a partner is moved up unchanged, and no leaf can pass for a node. The leaves are over the bytes received,
 * before sealing: every replica has the same root, whatever its own key is. */
#ifndef WARREN_STORE_MERKLE_H
#define WARREN_STORE_MERKLE_H

#include "proto/ids.h"

enum { MERKLE_LEAF = 1024, MERKLE_LEVELS = 54 }; /* 2^64 bytes are 2^54 leaves */

struct merkle { /* 3 KiB, whatever the size of the blob; begins as all zero */
	uint64_t leaves;
	size_t filled;
	uint8_t leaf[1 + MERKLE_LEAF];
	uint8_t roots[MERKLE_LEVELS + 1][32]; /* of the whole subtrees so far, the largest first */
};

void merkle_add(struct merkle *merkle, const void *bytes, size_t length);
void merkle_end(struct merkle *merkle, struct hash *root);

#endif
