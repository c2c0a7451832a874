/* Proving that blobs are here: each is read whole, a step at a time, and the leaves that a challenge draws are kept with their
 * paths. What the node's key signs is asked for by the process; see actors/base/proof/proof.h. */
#ifndef WARREN_STORE_PROVE_H
#define WARREN_STORE_PROVE_H

#include "actors/base/proof/proof.h"
#include "actors/store/blobs.h"

enum {
	PROVERS = 16,	     /* at once, each at most 180 KiB; one more is ERR_BUSY */
	PROOFS_REMEMBERED = 64, /* the last ones, for who asks how they went; gone with the process */
	PROVE_ERRS = 64,
};

struct provers;
struct prover;

struct provers *provers_new(struct store *store);
void provers_free(struct provers **provers); /* drops what runs, without its end */

struct prove_wanted {
	struct cid cid;
	struct key node; /* whose challenge it is */
	struct hash challenge;
	unsigned samples; /* 1 to PROOF_SAMPLES */
};

/* ERR_KEPT: `proved` is called by a later provers_turn(). Else ERR_BUSY, ERR_NOT_FOUND, ERR_CORRUPT, ERR_DISK, which is also
 * remembered. */
typedef void proved_fn(void *context, struct prover *prover, enum err err);
enum err prover_begin(struct provers *provers, const struct prove_wanted *wanted, proved_fn *proved, void *context);

/* A step (256 KiB) of the one that waits longest; false: nothing is left to do. */
bool provers_turn(struct provers *provers);

/* Of one that was proved with ERR_OK: everything but time and signature, until prover_end(). */
struct proof *prover_proof(struct prover *prover);

/* Each begun prover ends by this, once `proved` was called: `err` is how it ended in all, for the memory. Leaves NULL. */
void prover_end(struct prover **prover, enum err err);

struct proof_past {
	struct cid cid;
	struct hash challenge;
	int64_t at; /* Unix seconds, when it ended */
	uint32_t ms;
	enum err err;
};
struct proofs_told {
	uint64_t depth, high, refused;	     /* provers */
	uint64_t proved, failed;	     /* since the start */
	uint64_t failed_by[PROVE_ERRS];	     /* by enum err */
};
const struct proofs_told *proofs_told(const struct provers *provers);

/* The last ones, the newest first: number `back` of them; NULL past the oldest that is remembered. */
const struct proof_past *proof_past(const struct provers *provers, unsigned back);

#endif
