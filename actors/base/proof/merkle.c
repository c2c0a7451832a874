/* The Merkle root of a stream of bytes: a stack of the roots of whole subtrees, like a binary counter of leaves; and paths to
 * it. Pure. */
#include "actors/base/proof/merkle.h"

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

/* Two subtrees become one: for a watched leaf in either, the other is the next step of its path. */
static void note_step(struct merkle *merkle, uint64_t first, uint64_t middle, uint64_t end,
		      const uint8_t roots[2][32])
{
	for (unsigned i = 0; i < merkle->watch_count; i++) {
		struct merkle_watch *watch = &merkle->watches[i];
		if (watch->leaf < first || watch->leaf >= end)
			continue;
		memcpy(watch->path[watch->steps++], roots[watch->leaf < middle], 32);
	}
}

static void note_leaf(struct merkle *merkle)
{
	for (unsigned i = 0; i < merkle->watch_count; i++) {
		struct merkle_watch *watch = &merkle->watches[i];
		if (watch->leaf != merkle->leaves)
			continue;
		memcpy(watch->bytes, merkle->leaf + 1, merkle->filled);
		watch->length = (uint32_t)merkle->filled;
	}
}

static void leaf_end(struct merkle *merkle)
{
	unsigned top = depth(merkle->leaves);
	bug_if(top >= MERKLE_LEVELS);
	merkle->leaf[0] = 0x00;
	sha256(merkle->leaf, 1 + merkle->filled, merkle->roots[top]);
	note_leaf(merkle);
	merkle->filled = 0;
	uint64_t leaves = ++merkle->leaves;
	for (uint64_t bit = 1; !(leaves & bit); bit <<= 1, top--) {
		note_step(merkle, leaves - 2 * bit, leaves - bit, leaves, merkle->roots + top - 1);
		node(merkle->roots[top - 1], merkle->roots[top], merkle->roots[top - 1]);
	}
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
	uint64_t leaves = merkle->leaves;
	unsigned top = depth(leaves);
	if (!top) {
		sha256("", 0, root->bytes);
		return;
	}
	uint64_t middle = leaves & (leaves - 1); /* where the smallest subtree begins */
	while (--top) {
		uint64_t first = middle & (middle - 1);
		note_step(merkle, first, middle, leaves, merkle->roots + top - 1);
		node(merkle->roots[top - 1], merkle->roots[top], merkle->roots[top - 1]);
		middle = first;
	}
	memcpy(root->bytes, merkle->roots[0], 32);
}

uint64_t merkle_leaves(uint64_t size)
{
	return size / MERKLE_LEAF + (size % MERKLE_LEAF != 0);
}

bool merkle_leads_to(const struct merkle_claim *claim, const struct hash *root)
{
	uint64_t leaves = merkle_leaves(claim->size);
	if (claim->leaf >= leaves)
		return false;
	uint64_t at = claim->leaf, last = leaves - 1;
	size_t length = at == last ? (size_t)(claim->size - last * MERKLE_LEAF) : MERKLE_LEAF;
	if (claim->length != length)
		return false;
	uint8_t leaf[1 + MERKLE_LEAF] = {0x00}, sum[32];
	memcpy(leaf + 1, claim->bytes, length);
	sha256(leaf, 1 + length, sum);
	for (size_t i = 0; i < claim->steps; i++) {
		const uint8_t *step = claim->path + 32 * i;
		if (last == 0)
			return false;
		if (at & 1 || at == last) {
			node(step, sum, sum);
			while (!(at & 1) && at) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			node(sum, step, sum);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(sum, root->bytes, sizeof sum) == 0;
}
