/* The outbox: every transaction that was asked for, durably, before anything is done about it. One row each, and one for
 * each attempt (the same transaction signed with another fee). The rule that all of it serves: a transaction has one nonce
 * for all its attempts, and that is on the disk before the wallet is asked; so whatever dies when, at most one of them can
 * be in the chain.
 *
 * A SQLite database in the folder of chain, WAL, synced at each step. Plain C, one thread, one owner. Those that are not
 * settled are in memory, too, and are the truth of the disk: a step that the disk refuses ends the process. */
#ifndef WARREN_CHAIN_OUTBOX_H
#define WARREN_CHAIN_OUTBOX_H

#include "actors/chain/fees.h"
#include "actors/chain/rpc.h"
#include "proto/ids.h"

enum {
	OUTBOX_VERSION = 1,  /* of proto/formats.def */
	OUTBOX_OPEN = 1024,  /* not settled at a time */
	OUTBOX_KEPT = 10000, /* settled ones that are remembered; a `once` that is older is not */
	OUTBOX_ATTEMPTS = 12, /* of one: a quarter more each time is eleven times the first fee */
	OUTBOX_DATA = 3072,  /* of proto/wallet.h */
	OUTBOX_RAW = 4096,
	OUTBOX_WHY = 240,
	OUTBOX_LIST = 32,
	OUTBOX_SETTLES = 12, /* blocks beyond the profile's confirmations until it is no longer looked at: the deepest reorg */
};

#define OUTBOX_STATES(S)                                                                                               \
	S(QUEUED, "queued")       /* no nonce yet */                                                                   \
	S(SIGNING, "signing")     /* has its nonce and fee; the wallet is asked, again after a death */                \
	S(SENT, "sent")           /* signed; told to the chain, or about to be */                                      \
	S(INCLUDED, "included")   /* in a block that may yet be taken back */                                          \
	S(CONFIRMED, "confirmed") /* under as many blocks as the profile says */                                       \
	S(FAILED, "failed")       /* would be, or was, refused by the contract */                                      \
	S(CANCELLED, "cancelled") /* nothing took its place */                                                         \
	S(REFUSED, "refused")     /* by the wallet's policy; its nonce is another's */
enum outbox_state {
#define S(SYMBOL, name) SENT_##SYMBOL,
	OUTBOX_STATES(S)
#undef S
	OUTBOX_STATE_COUNT
};
const char *outbox_state_name(unsigned state);

struct entry {
	uint64_t id;
	struct hash once;
	uint16_t node;
	char purpose[65], method[65]; /* for people */
	struct address to;
	struct u256 value;
	uint64_t gas;        /* 0: to be estimated */
	struct u256 fee_cap; /* 0: ten times the first fee */
	uint64_t asked_s;
	uint32_t length;     /* of its call data */
	/* from here on it changes */
	enum outbox_state state;
	bool settled, cancelling;
	bool has_nonce;
	uint64_t nonce;
	struct fee fee;      /* of the newest attempt */
	uint32_t attempts;
	struct hash hash;    /* of the one that is included, else of the newest that is signed */
	bool has_hash;
	struct hash block_hash;
	uint64_t block;      /* 0: in none */
	struct u256 fee_paid;
	bool reverted, nothing; /* what is included: failed; the cancellation */
	char why[OUTBOX_WHY];
	/* not on the disk */
	bool busy;            /* somebody is at it */
	uint64_t not_before_ms; /* of what is next */
	uint64_t counted;     /* the chain's count of its wallet, as one server said */
	uint64_t sent_ms, looked_ms, looked_head, lost_head;
	unsigned sends;       /* of the newest attempt */
	unsigned told;        /* bits of the servers that it was told to last */
	unsigned seen_by;     /* bits of those that showed its receipt in this block */
	unsigned lost_looks;
	bool underpriced, look;
};

struct attempt {
	uint32_t number;  /* 1, 2, … */
	struct hash once; /* what the wallet is asked with */
	uint64_t nonce;
	struct fee fee;
	bool cancel;      /* nothing, to ourselves, in its place */
	bool is_signed;
	struct hash hash;
};

struct outbox;
enum outbox_end {
	OUTBOX_OK,
	OUTBOX_DISK,    /* it refuses */
	OUTBOX_DAMAGED, /* not an outbox, or of another chain */
	OUTBOX_NEWER,   /* of a later version */
};

void outbox_warm(void); /* before the process has no files */
enum outbox_end outbox_open(struct outbox **outbox, const char *path, uint64_t chain_id, char why[OUTBOX_WHY]);
void outbox_close(struct outbox **outbox);

bool outbox_genesis(struct outbox *outbox, struct hash *genesis); /* false: not known yet */
bool outbox_set_genesis(struct outbox *outbox, const struct hash *genesis);

/* Those that are not settled, oldest first. */
unsigned outbox_count(const struct outbox *outbox);
struct entry *outbox_at(struct outbox *outbox, unsigned index);
struct entry *outbox_by_id(struct outbox *outbox, uint64_t id); /* NULL: none that is not settled */
uint64_t outbox_confirmed(const struct outbox *outbox);

/* Whether something was asked for with this key already; then *id and *state of it. `same` is whether it was the same thing. */
bool outbox_once(struct outbox *outbox, const struct entry *wanted, const uint8_t *data, uint64_t *id,
		unsigned *state, bool *same);

/* From here on false means that the disk refused; `outbox_why()` has its words. */
const char *outbox_why(const struct outbox *outbox);
bool outbox_add(struct outbox *outbox, struct entry *entry, const uint8_t *data, struct entry **made);
bool outbox_save(struct outbox *outbox, struct entry *entry); /* what changes; a settled one leaves memory: the pointer is gone */

/* Its call data, `entry->length` bytes. */
bool outbox_data(struct outbox *outbox, const struct entry *entry, uint8_t data[OUTBOX_DATA]);

/* A new attempt with the entry's nonce and fee, and the entry itself, in one step. */
bool outbox_attempt(struct outbox *outbox, struct entry *entry, const struct attempt *attempt);
bool outbox_signed(struct outbox *outbox, struct entry *entry, uint32_t number, const struct hash *hash, const uint8_t *raw,
		   size_t length);
/* The wallet did not sign it: it never was. The entry is saved with it. */
bool outbox_unsigned(struct outbox *outbox, struct entry *entry, uint32_t number);

/* The attempts of its present nonce, newest first; how many. */
unsigned outbox_attempts(struct outbox *outbox, const struct entry *entry, struct attempt attempts[OUTBOX_ATTEMPTS]);
bool outbox_raw(struct outbox *outbox, const struct entry *entry, uint32_t number, uint8_t raw[OUTBOX_RAW], size_t *length);

/* The newest first, older than `before` (0: the newest), of `node` (0: all). How many. */
unsigned outbox_list(struct outbox *outbox, uint16_t node, uint64_t before, struct entry rows[OUTBOX_LIST]);

/* The lowest nonce from `next` on (the chain's count) that none of ours of this node has. A gap is filled by whoever comes
 * next. */
uint64_t outbox_nonce(struct outbox *outbox, uint16_t node, uint64_t next);

#endif
