/* What the wallet has signed lately: the counters that a policy is held against. Each signature's charge is a slot of the file
 * `wallet.spent`, on the disk before the signature leaves, so that a kill renews nothing.
 *
 * The charge of a nonce is the highest value and the highest fee (gas × max fee) that were ever signed for it, because only one
 * transaction of a nonce can happen. A day is any 24 hours, by a clock that never goes back: the larger of the wall clock and
 * the newest slot's time.
 *
 *   offset  bytes   of a slot; the file is a ring of SPENT_SLOTS of them, slot = sequence modulo SPENT_SLOTS
 *        0      8   "WSPENT1\n"
 *        8      8   sequence, big-endian, from 0
 *       16      8   time, seconds since 1970
 *       24      8   chain id
 *       32      8   nonce
 *       40     24   the rule's name, padded with zeros
 *       64     32   the caller's key of the call (ONCE)
 *       96     32   what was signed: transaction_digest()
 *      128     32   value     160  32  fee     192  32  amount
 *      224     32   SHA-256 of all before it */
#ifndef WARREN_SPENT_H
#define WARREN_SPENT_H

#include "proto/policy.h"
#include "proto/reasons.h"
#include "proto/u256.h"

#define SPENT_NAME "wallet.spent"

enum {
	SPENT_SLOT = 256,
	SPENT_SLOTS = 16384, /* also the most signatures in a day: 8,640 relay proofs and 400 heartbeats are the most we know */
	SPENT_BYTES = SPENT_SLOT * SPENT_SLOTS, /* of the file, all taken when it is made */
	SPENT_UNDER_WAY = 64,                   /* the most that are being written at once */
	SPENT_DAY_S = 86400,
	SPENT_KEEP_S = 2 * SPENT_DAY_S, /* kept in memory, for a caller who asks again */
};

struct charge {
	uint64_t chain, nonce;
	char rule[POLICY_NAME + 1];
	struct hash once, digest;
	struct u256 value, fee, amount;
};

enum spent_end {
	SPENT_OK,
	SPENT_UNSAFE,  /* not a plain file of ours that nobody else may touch */
	SPENT_DAMAGED, /* a slot that was whole once is not any more, or the file is too long */
	SPENT_NEWER,   /* of a later version; not touched */
	SPENT_DISK,    /* errno */
};
const char *spent_sentence(enum spent_end end);
/* The same of what was met in this folder: for SPENT_NEWER with both versions, for SPENT_DISK with `error`. */
enum reason_code spent_reason(enum spent_end end);
enum { SPENT_WHY = 240 };
const char *spent_why(enum spent_end end, int folder, int error, char text[SPENT_WHY]);

struct spent; /* x_new'd */

/* Opens the file in the folder, or makes an empty one (*made). The newest slot may be torn: its signature never left. */
enum spent_end spent_open(int folder, struct spent **spent, bool *made);
void spent_free(struct spent **spent); /* closes the file; NULL is fine */
int spent_fd(const struct spent *spent);

/* The clock: `wall` in seconds since 1970, never below what it said before. */
uint64_t spent_now(struct spent *spent, uint64_t wall);

/* What was charged under this key in the last SPENT_KEEP_S; NULL: nothing. Valid until the next spent_add(). */
const struct hash *spent_once(const struct spent *spent, const struct hash *once);

/* What would stand in the books with this charge: sums over the day that ends at `now`. `rule` NULL: over the whole chain. */
struct sums {
	struct u256 value, fee, amount;
	uint32_t count;     /* nonces, this one with them */
	uint64_t newest_s;  /* of another nonce; 0: none */
};
struct sums spent_with(const struct spent *spent, const struct charge *charge, bool of_rule, uint64_t now);

/* The same without a charge: for people. */
struct sums spent_sums(const struct spent *spent, uint64_t chain, const char *rule, uint64_t now);

/* A wallet that was restored from a backup does not know what it signed since: all of its day counts as spent until 24 hours
 * after the restore. That is a slot of chain 0, which no policy has, under a name that no rule has. Until when, in seconds since
 * 1970; 0: not so. */
#define SPENT_RESTORED "(restored)"
uint64_t spent_restored(const struct spent *spent, uint64_t now);

void spent_tell_restored(struct spent *spent, uint64_t wall); /* in the log and for `warren why`, if it is so */

/* Enters that slot, on the disk when it returns. False: errno. */
bool spent_restore(struct spent *spent, uint64_t now);

bool spent_full(const struct spent *spent, uint64_t now); /* as many in a day as there are slots */

/* Enters a charge in the books and says which bytes must be on the disk, where, before anything is signed. */
uint64_t spent_add(struct spent *spent, const struct charge *charge, uint64_t now, uint8_t slot[SPENT_SLOT]);

#endif
