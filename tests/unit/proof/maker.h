/* A node made for a test: a key, a blob, and proofs of it. */
#ifndef WARREN_TEST_MAKER_H
#define WARREN_TEST_MAKER_H

#include "actors/base/proof/proof.h"

enum { MADE_BYTES = 300 * 1024 + 17, MADE_TIME = 1790000000 };

struct made {
	uint8_t bytes[MADE_BYTES], secret[64];
	struct merkle_watch watches[PROOF_SAMPLES];
	struct proof proof;
	struct proof_wanted wanted; /* that it holds for */
	struct hash challenge;
};

/* A proof of the first `size` bytes with `samples` leaves. */
void make(struct made *made, uint64_t size, unsigned samples);
void sign(struct made *made); /* anew, what the proof says now */

#endif
