/* Proofs of possession: drawing leaves, the statement that is signed, and judging. Pure; a verifier needs no node and no key. */
#include "actors/base/proof/proof.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
	while (bytes--) {
		at[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

void proof_root(uint64_t size, const struct hash *tree, struct hash *root)
{
	uint8_t bytes[41] = {0x02};
	put(bytes + 1, size, 8);
	memcpy(bytes + 9, tree->bytes, 32);
	sha256(bytes, sizeof bytes, root->bytes);
}

void proof_draw(const struct hash *challenge, const struct key *node, const struct cid *cid,
		struct hash *draw)
{
	static const char label[] = "warren proof draw 1\n";
	enum { LABEL = sizeof label - 1 };
	uint8_t bytes[LABEL + 96];
	memcpy(bytes, label, LABEL);
	memcpy(bytes + LABEL, challenge->bytes, 32);
	memcpy(bytes + LABEL + 32, node->bytes, 32);
	memcpy(bytes + LABEL + 64, cid->bytes, 32);
	sha256(bytes, sizeof bytes, draw->bytes);
}

uint64_t proof_leaf(const struct hash *draw, unsigned i, uint64_t leaves)
{
	uint8_t bytes[36], sum[32];
	uint64_t number = 0;
	memcpy(bytes, draw->bytes, 32);
	put(bytes + 32, i, 4);
	sha256(bytes, sizeof bytes, sum);
	for (int at = 0; at < 8; at++)
		number = number << 8 | sum[at];
	return number % leaves;
}

void proof_answer(const struct proof *proof, struct hash *answer)
{
	struct sha256 *sum = sha256_begin();
	for (unsigned i = 0; i < proof->count; i++) {
		const struct proof_sample *sample = &proof->samples[i];
		uint8_t head[12], steps[4];
		put(head, sample->leaf, 8);
		put(head + 8, sample->length, 4);
		put(steps, sample->steps, 4);
		sha256_add(sum, head, sizeof head);
		sha256_add(sum, sample->bytes, sample->length);
		sha256_add(sum, steps, sizeof steps);
		sha256_add(sum, sample->path, 32 * sample->steps);
	}
	sha256_end(&sum, answer->bytes);
}

size_t proof_statement(const struct proof_said *said, char text[PROOF_TEXT])
{
	char peer[PEER_ID_TEXT], cid[CID_TEXT], root[65], challenge[65], answer[65];
	int length = snprintf(text, PROOF_TEXT,
			      "Warren storage proof\nversion %d\nnode %s\ncid %s\nsize %" PRIu64
			      "\nroot %s\nchallenge %s\nanswer %s\ntime %" PRIu64 "\n",
			      PROOF_VERSION, peer_id_text(&said->node, peer), cid_text(&said->cid, cid),
			      said->size, hex_text(said->root.bytes, 32, root),
			      hex_text(said->challenge.bytes, 32, challenge),
			      hex_text(said->answer.bytes, 32, answer), said->time);
	bug_if(length < 0 || length >= PROOF_TEXT);
	return (size_t)length;
}

/* -- judging ------------------------------------------------------------------------------------------------------- */

static bool same(const void *a, const void *b)
{
	return memcmp(a, b, 32) == 0;
}

static enum proof_verdict judge_samples(const struct proof *proof, unsigned wanted)
{
	struct hash draw;
	uint64_t leaves = merkle_leaves(proof->size);
	if (!leaves)
		return proof->count ? PROOF_OTHER_LEAVES : PROOF_HOLDS;
	if (proof->count < wanted)
		return PROOF_TOO_FEW;
	proof_draw(&proof->challenge, &proof->node, &proof->cid, &draw);
	for (unsigned i = 0; i < proof->count; i++)
		if (proof->samples[i].leaf != proof_leaf(&draw, i, leaves))
			return PROOF_OTHER_LEAVES;
	for (unsigned i = 0; i < proof->count; i++) {
		const struct proof_sample *sample = &proof->samples[i];
		const struct merkle_claim claim = {.size = proof->size,
						   .leaf = sample->leaf,
						   .bytes = sample->bytes,
						   .length = sample->length,
						   .path = sample->path,
						   .steps = sample->steps};
		if (!merkle_leads_to(&claim, &proof->tree))
			return PROOF_WRONG_BYTES;
	}
	return PROOF_HOLDS;
}

static bool is_signed(const struct proof *proof, const struct hash *root)
{
	struct proof_said said = {.node = proof->node,
				  .cid = proof->cid,
				  .size = proof->size,
				  .root = *root,
				  .challenge = proof->challenge,
				  .time = proof->time};
	char text[PROOF_TEXT];
	proof_answer(proof, &said.answer);
	size_t length = proof_statement(&said, text);
	return crypto_sign_verify_detached(proof->signature.bytes, (const uint8_t *)text, length,
					   proof->node.bytes) == 0;
}

enum proof_verdict proof_judge(const struct proof *proof, const struct proof_wanted *wanted)
{
	struct hash root;
	if (!same(&proof->cid, &wanted->cid))
		return PROOF_OTHER_BLOB;
	if (!same(&proof->node, &wanted->node))
		return PROOF_OTHER_NODE;
	if (wanted->challenge && !same(&proof->challenge, wanted->challenge))
		return PROOF_OTHER_CHALLENGE;
	proof_root(proof->size, &proof->tree, &root);
	if (!same(&root, &wanted->root))
		return PROOF_OTHER_ROOT;
	enum proof_verdict verdict = judge_samples(proof, wanted->samples);
	if (verdict != PROOF_HOLDS)
		return verdict;
	if (!is_signed(proof, &root))
		return PROOF_NOT_SIGNED;
	if (proof->time > wanted->now && proof->time - wanted->now > PROOF_SKEW_S)
		return PROOF_TOO_YOUNG;
	if (wanted->now > proof->time && wanted->now - proof->time > PROOF_AGE_S)
		return PROOF_TOO_OLD;
	return PROOF_HOLDS;
}

struct verdict_row {
	const char *name, *sentence;
};
static const struct verdict_row verdicts[] = {
#define V(SYMBOL, name, sentence) [SYMBOL] = {name, sentence},
	PROOF_VERDICTS(V)
#undef V
};

const char *proof_verdict_name(enum proof_verdict verdict)
{
	return verdicts[verdict].name;
}

const char *proof_verdict_sentence(enum proof_verdict verdict)
{
	return verdicts[verdict].sentence;
}
