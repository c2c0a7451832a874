#include "tests/unit/proof/maker.h"

#include "actors/base/crypto/crypto.h"

#include <sodium.h>
#include <string.h>

void sign(struct made *made)
{
	struct proof *proof = &made->proof;
	struct proof_said said = {.node = proof->node,
				  .cid = proof->cid,
				  .size = proof->size,
				  .challenge = proof->challenge,
				  .time = proof->time};
	char text[PROOF_TEXT];
	proof_root(proof->size, &proof->tree, &said.root);
	proof_answer(proof, &said.answer);
	size_t length = proof_statement(&said, text);
	crypto_sign_detached(proof->signature.bytes, NULL, (const uint8_t *)text, length, made->secret);
}

static void draw(struct made *made, unsigned samples)
{
	struct hash drawn;
	struct proof *proof = &made->proof;
	uint64_t leaves = merkle_leaves(proof->size);
	proof->count = leaves ? samples : 0;
	proof_draw(&proof->challenge, &proof->node, &proof->cid, &drawn);
	for (unsigned i = 0; i < proof->count; i++)
		made->watches[i].leaf = proof_leaf(&drawn, i, leaves);
	struct merkle merkle = {.watches = made->watches, .watch_count = proof->count};
	merkle_add(&merkle, made->bytes, proof->size);
	merkle_end(&merkle, &proof->tree);
	for (unsigned i = 0; i < proof->count; i++) {
		const struct merkle_watch *watch = &made->watches[i];
		proof->samples[i] = (struct proof_sample){watch->leaf, watch->bytes, watch->length,
							  watch->path[0], watch->steps};
	}
}

void make(struct made *made, uint64_t size, unsigned samples)
{
	uint8_t seed[32] = {7};
	uint32_t state = 1;
	struct proof *proof = &made->proof;
	crypto_warm();
	memset(made, 0, sizeof *made);
	for (size_t i = 0; i < sizeof made->bytes; i++)
		made->bytes[i] = (uint8_t)((state = state * 1103515245 + 12345) >> 16);
	crypto_sign_seed_keypair(proof->node.bytes, made->secret, seed);
	sha256(made->bytes, size, proof->cid.bytes);
	memset(made->challenge.bytes, 0x5a, 32);
	proof->challenge = made->challenge;
	proof->size = size;
	proof->time = MADE_TIME;
	draw(made, samples);
	sign(made);
	made->wanted = (struct proof_wanted){.cid = proof->cid,
					     .node = proof->node,
					     .challenge = &made->challenge,
					     .samples = samples,
					     .now = MADE_TIME};
	proof_root(size, &proof->tree, &made->wanted.root);
}
