/* The servers of a chain: who is there, who is behind, who speaks of another chain, whether they agree, whom to ask. A round
 * asks all of them at once; what they said of the same block is compared. Pure: it is told what was heard and what time it is. */
#ifndef WARREN_CHAIN_POOL_H
#define WARREN_CHAIN_POOL_H

#include "actors/chain/rpc.h"

enum {
	POOL_SERVERS = 4,
	POOL_BEHIND = 3,          /* blocks behind the first: not asked any more */
	POOL_AGAIN_MS = 1000,     /* after a failure; then twice as long, … */
	POOL_AGAIN_MOST_MS = 60000, /* … up to this */
	POOL_SAID = 16,           /* heads of a server that are remembered, to see when it takes one back */
	POOL_WHY = 160,
};

enum pool_state { POOL_UNKNOWN, POOL_GOOD, POOL_LATE, POOL_FAILING, POOL_OTHER };
const char *pool_state_name(enum pool_state state);

struct pool_head {
	uint64_t number;
	struct hash hash;
};

struct pool_server {
	enum pool_state state;
	struct rpc_block head;
	struct pool_head said[POOL_SAID]; /* a ring */
	unsigned said_next;
	bool has_mark; /* what it said of the round's block */
	struct hash mark;
	uint64_t answers, failures, heard_ms, not_before_ms;
	uint32_t in_a_row, took_ms;
	char why[POOL_WHY];
};

struct pool {
	uint64_t chain_id;
	bool has_genesis;     /* of the outbox: the first block of the chain that it is about */
	struct hash genesis;
	uint32_t old_s;       /* a last block that is older: nothing is signed; 0: blocks come only when there is something */
	unsigned count;
	struct pool_server servers[POOL_SERVERS];
	uint64_t mark;        /* the block that all are asked for in this round */
	bool compared;        /* since they were last more than one, two have said the same */
	char disagree[POOL_WHY]; /* what two said of one block; empty: nothing of the kind */
	uint64_t taken_back;  /* heads that a server no longer stands by */
};

/* What one server answered in a round. */
struct pool_said {
	uint64_t chain_id;
	struct rpc_block head, mark;
	bool has_genesis;
	struct hash genesis;
};

void pool_begin(struct pool *pool, uint64_t chain_id, unsigned count, uint32_t block_s);

/* A new round: what all are asked for besides their head. */
uint64_t pool_round(struct pool *pool);

/* Whether this server is asked in a round that begins now, and whether for block 0, too: the first time, and after a failure. */
bool pool_due(const struct pool *pool, unsigned server, uint64_t now_ms);
bool pool_wants_genesis(const struct pool *pool, unsigned server);

/* True: it took back a block that it had said before; what was seen since is to be looked at anew. */
bool pool_heard(struct pool *pool, unsigned server, const struct pool_said *said, uint64_t now_ms, uint32_t took_ms);
void pool_failed(struct pool *pool, unsigned server, const char *why, uint64_t now_ms);

/* An answer to something else: it is there. */
void pool_answered(struct pool *pool, unsigned server, uint64_t now_ms);

/* Whom to ask: the first good one that is not in `tried` (bits); -1: nobody. */
int pool_pick(const struct pool *pool, unsigned tried);
unsigned pool_good(const struct pool *pool); /* bits of the good ones */

/* The newest block of the good ones; NULL: none. */
const struct rpc_block *pool_head(const struct pool *pool);

/* Why nothing is to be signed now, as a sentence; NULL: nothing is in the way. `now_s` is the wall clock. */
const char *pool_trouble(const struct pool *pool, uint64_t now_s, char text[POOL_WHY]);

#endif
