/* Proof of possession, version 1: that a node holds the bytes of a blob now. A verifier needs only the blob's CID, its root and
 * the node's public key; it chooses a challenge of 32 bytes that nobody knew before (random, or a beacon such as a block's hash).
 *
 *   tree      = Merkle root of the bytes (merkle.h)
 *   root      = SHA-256(0x02, size as u64, tree)           who knows it knows the size; it is what a verifier keeps
 *   draw      = SHA-256("warren proof draw 1\n", challenge, node key, CID digest)
 *   leaf i    = first 8 bytes of SHA-256(draw, i as u32), modulo the number of leaves; i from 0. Two may be the same
 *   answer    = SHA-256 over all samples in order: leaf number u64, length u32, bytes, steps u32, path
 *   signature = Ed25519 by the node's key over the statement, which wallet@N writes itself:
 *
 *     Warren storage proof\nversion 1\nnode <peer id>\ncid <CID>\nsize <bytes>\nroot <hex>\nchallenge <hex>\nanswer <hex>\n
 *     time <Unix seconds>\n                                          (without the break)
 *
 * Integers are big-endian. A blob of 0 bytes has no leaves, and its proof no samples. A node that misses the fraction f of a
 * blob's leaves, or of its blobs, is found by n samples with probability 1 - (1 - f)^n: 5 % and 90 samples give 0.990.
 *
 * Not promised: that the bytes were on this node before the challenge came (it may have fetched them from a replica in time),
 * nor that it holds them an hour later. Sources: FEATURES C1, C2, C3, K10. */
#ifndef WARREN_PROOF_H
#define WARREN_PROOF_H

#include "actors/base/proof/merkle.h"

enum {
	PROOF_VERSION = 1,
	PROOF_SAMPLES = 64, /* most, of one proof */
	PROOF_SAMPLES_USUAL = 8,
	PROOF_AGE_S = 3600, /* FEATURES C1 */
	PROOF_SKEW_S = 300,
	PROOF_TEXT = 512,
	PROOF_PATH = 32 * MERKLE_LEVELS, /* bytes of the longest */
};

struct proof_sample {
	uint64_t leaf;
	const uint8_t *bytes; /* not owned */
	size_t length;
	const uint8_t *path; /* not owned; 32 bytes a step */
	size_t steps;
};

struct proof {
	struct cid cid;
	uint64_t size;
	struct hash tree, challenge;
	struct key node;
	uint64_t time; /* Unix seconds, by the node's clock */
	struct ed_signature signature;
	unsigned count;
	struct proof_sample samples[PROOF_SAMPLES];
};

void proof_root(uint64_t size, const struct hash *tree, struct hash *root);
void proof_draw(const struct hash *challenge, const struct key *node, const struct cid *cid, struct hash *draw);
uint64_t proof_leaf(const struct hash *draw, unsigned i, uint64_t leaves); /* leaves > 0 */
void proof_answer(const struct proof *proof, struct hash *answer);

/* What is signed; its length. */
struct proof_said {
	struct key node;
	struct cid cid;
	uint64_t size;
	struct hash root, challenge, answer;
	uint64_t time;
};
size_t proof_statement(const struct proof_said *said, char text[PROOF_TEXT]);

/* Each way to fail is its own: V(symbol, name, sentence). */
#define PROOF_VERDICTS(V)                                                                                              \
	V(PROOF_HOLDS, "holds", "the node held the bytes when it answered")                                            \
	V(PROOF_OTHER_BLOB, "other-blob", "it is about another CID")                                                   \
	V(PROOF_OTHER_NODE, "other-node", "it is another node's answer")                                               \
	V(PROOF_OTHER_CHALLENGE, "other-challenge", "it answers another challenge: an old answer, or one made before") \
	V(PROOF_OTHER_ROOT, "other-root", "its size and tree are not those of the root: the node knows other bytes, or none") \
	V(PROOF_TOO_FEW, "too-few", "it has fewer samples than were asked for")                                        \
	V(PROOF_OTHER_LEAVES, "other-leaves", "its leaves are not those that the challenge draws")                     \
	V(PROOF_WRONG_BYTES, "wrong-bytes", "a leaf does not lead to the root: the node does not have these bytes")    \
	V(PROOF_NOT_SIGNED, "not-signed", "the signature is not the node's")                                           \
	V(PROOF_TOO_OLD, "too-old", "it is older than an hour")                                                        \
	V(PROOF_TOO_YOUNG, "too-young", "it comes from more than five minutes in the future: look at both clocks")
enum proof_verdict {
#define V(SYMBOL, name, sentence) SYMBOL,
	PROOF_VERDICTS(V)
#undef V
};
const char *proof_verdict_name(enum proof_verdict verdict);
const char *proof_verdict_sentence(enum proof_verdict verdict);

struct proof_wanted {
	struct cid cid;
	struct hash root;
	struct key node;
	const struct hash *challenge; /* NULL: any; then only its time says that it is no old answer */
	unsigned samples;	      /* at least so many; but none of a blob of 0 bytes */
	uint64_t now;		      /* Unix seconds */
};
enum proof_verdict proof_judge(const struct proof *proof, const struct proof_wanted *wanted);

#endif
