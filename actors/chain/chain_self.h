/* The one self of the process, and what its files tell each other. */
#ifndef WARREN_CHAIN_SELF_H
#define WARREN_CHAIN_SELF_H

#include "actors/base/actor.h"
#include "actors/chain/abi.h"
#include "actors/chain/dial.h"
#include "actors/chain/outbox.h"
#include "actors/chain/pool.h"
#include "actors/chain/probe.h"
#include "proto/chain.h"
#include "proto/chain_profile.h"

enum {
	TRY_MS = 1500,     /* with another server left to ask: then that one is asked */
	ALONE_MS = 8000,   /* with none */
	JOBS = 16,         /* batches under way */
	LOOKUP = 400,
};

struct chain;
struct server { /* of the profile; those whose name was found */
	struct chain *self;
	unsigned profile; /* which URL */
	char shown[160];  /* scheme, host and port: a path may hold a key */
	char resolve[LOOKUP];
	bool polled; /* a poll is under way */
	uint64_t asked_ms;
	uint64_t poll_first; /* of its questions */
	unsigned poll_count;
};

struct wallet_known {
	bool known, asking;
	struct address address;
};

struct chain {
	struct actor *actor;
	struct chain_profile profile;
	struct dial *dial;
	char *authorities;
	size_t authorities_length;
	struct server servers[POOL_SERVERS];
	unsigned server_count;
	struct pool pool;
	struct probe probes[CHAIN_CONTRACT_COUNT];
	bool probing;
	uint64_t probed_ms; /* tried last */
	uint64_t next_id;   /* of JSON-RPC */
	uint64_t jobs, jobs_high, jobs_dropped;
	uint64_t silent_since_ms; /* no server could be used since; 0: one can */
	char trouble[POOL_WHY];   /* as it was logged */
	unsigned troubled;        /* rounds in a row */
	struct rpc_batch scratch; /* a poll's */

	struct outbox *outbox;
	struct wallet_known wallets[NODES_MAX + 1];
	uint64_t open, open_high, open_refused; /* limits */
	uint64_t taken_back;                    /* inclusions that a reorg undid */
	bool looking, turning;                  /* a look, a turn is under way */
};

/* -- chain_ask.c ------------------------------------------------------------------------------------------------------ */

/* A batch for whichever server is good, and for the next one when that fails. The first question of each is eth_chainId: an
 * answer is used only when it comes from the chain that it should. */
struct job;

/* `answer` NULL: nobody answered, and `why` says so. `server` is who did. */
typedef void job_end_fn(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server, const char *why);

/* NULL: JOBS are under way. */
struct job *job_new(struct chain *self, job_end_fn *end, void *context);
struct rpc_batch *job_batch(struct job *job); /* add questions */
void job_avoid(struct job *job, unsigned servers); /* bits: those are not asked, if there are others */
void job_go(struct job *job); /* ends it at once when there is nobody to ask */

/* -- chain.c ------------------------------------------------------------------------------------------------------------ */

/* Why nothing is to be signed now; NULL: nothing is in the way. */
const char *chain_trouble(struct chain *self, char text[POOL_WHY]);

uint64_t wall_s(void);

/* -- chain_contracts.c -------------------------------------------------------------------------------------------------- */

void contracts_turn(struct chain *self); /* looks at code that was not looked at yet */

/* The contract `name` of the profile: -1, and `why` says so, when it has none, or its code lacks the method. */
int chain_contract_of(struct chain *self, const char *name, char why[RPC_WHY]);
bool chain_can(struct chain *self, int contract, const struct abi_method *method, char why[RPC_WHY]);

/* -- chain_reads.c ------------------------------------------------------------------------------------------------------ */

/* The call data of `method` with "name=value" words; its length, 0 and a complaint when they are not its arguments. */
size_t encode_words(const struct abi_method *method, const struct view *words, struct arena *arena, uint8_t *data, size_t room,
		    char why[RPC_WHY]);

/* -- chain_outbox.c ----------------------------------------------------------------------------------------------------- */

void outbox_turn(struct chain *self);   /* whatever is due */
void outbox_look_anew(struct chain *self); /* a server took a block back */

#endif
