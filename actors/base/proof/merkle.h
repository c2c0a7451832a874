/* The Merkle tree over the bytes of a blob: its root is kept in the blob's header, and a proof of storage is leaves with their
 * paths to it (FEATURES C2, K10).
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
#ifndef WARREN_MERKLE_H
#define WARREN_MERKLE_H

#include "proto/ids.h"

enum { MERKLE_LEAF = 1024, MERKLE_LEVELS = 54 }; /* 2^64 bytes are 2^54 leaves */

/* A leaf that is wanted together with its path. `leaf` is the caller's; the rest is filled in while the tree grows. */
struct merkle_watch {
	uint64_t leaf; /* its number, from 0; none past the end is ever found */
	uint8_t bytes[MERKLE_LEAF];
	uint32_t length, steps;
	uint8_t path[MERKLE_LEVELS][32]; /* from the leaf's sibling up */
};

struct merkle { /* 3 KiB, whatever the size of the blob; begins as all zero */
	uint64_t leaves;
	size_t filled;
	uint8_t leaf[1 + MERKLE_LEAF];
	uint8_t roots[MERKLE_LEVELS + 1][32]; /* of the whole subtrees so far, the largest first */
	struct merkle_watch *watches;	      /* the caller's, or NULL */
	unsigned watch_count;
};

void merkle_add(struct merkle *merkle, const void *bytes, size_t length);
void merkle_end(struct merkle *merkle, struct hash *root);

uint64_t merkle_leaves(uint64_t size); /* of a blob of so many bytes */

/* Whether these bytes are leaf number `leaf` of the tree with this root over `size` bytes (RFC 9162, section 2.1.3.2). `path`:
 * `steps` nodes of 32 bytes. For steps that are not exactly as many as that leaf has, false. */
struct merkle_claim {
	uint64_t size, leaf;
	const uint8_t *bytes;
	size_t length;
	const uint8_t *path;
	size_t steps;
};
bool merkle_leads_to(const struct merkle_claim *claim, const struct hash *root);

#endif
