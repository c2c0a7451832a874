/* The Merkle root of a stream of bytes: a stack of the roots of whole subtrees, like a binary counter of leaves. Pure. */
#include "actors/store/merkle.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"

#include <string.h>

static void node(const uint8_t left[32], const uint8_t right[32], uint8_t out[32])
{
	uint8_t both[65] = {0x01};
	memcpy(both + 1, left, 32);
	memcpy(both + 33, right, 32);
	sha256(both, sizeof both, out);
}

/* How many subtrees there are for so many leaves: one for each bit. */
static unsigned depth(uint64_t leaves)
{
	return (unsigned)__builtin_popcountll(leaves);
}

static void leaf_end(struct merkle *merkle)
{
	unsigned top = depth(merkle->leaves);
	bug_if(top >= MERKLE_LEVELS);
	merkle->leaf[0] = 0x00;
	sha256(merkle->leaf, 1 + merkle->filled, merkle->roots[top]);
	merkle->filled = 0;
	merkle->leaves++;
	for (uint64_t bit = 1; !(merkle->leaves & bit); bit <<= 1, top--)
		node(merkle->roots[top - 1], merkle->roots[top], merkle->roots[top - 1]);
}

void merkle_add(struct merkle *merkle, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	while (length) {
		size_t take = MERKLE_LEAF - merkle->filled;
		if (take > length)
			take = length;
		memcpy(merkle->leaf + 1 + merkle->filled, at, take);
		merkle->filled += take;
		at += take;
		length -= take;
		if (merkle->filled == MERKLE_LEAF)
			leaf_end(merkle);
	}
}

void merkle_end(struct merkle *merkle, struct hash *root)
{
	if (merkle->filled)
		leaf_end(merkle);
	unsigned top = depth(merkle->leaves);
	if (!top) {
		sha256("", 0, root->bytes);
		return;
	}
	while (--top)
		node(merkle->roots[top - 1], merkle->roots[top], merkle->roots[top - 1]);
	memcpy(root->bytes, merkle->roots[0], 32);
}
