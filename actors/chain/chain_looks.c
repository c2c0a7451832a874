/* What became of the transactions that were sent: receipts, until they are so deep that no reorganisation reaches them; part of the process
 * chain. A receipt counts when every good server shows it in the same block, and that block is the one of its number. */
#include "actors/chain/chain_steps.h"

#include "actors/base/reasons/reasons.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	LOOKED_AT = 8,        /* transactions in a batch */
	LOOK_AGAIN_MS = 1000, /* where there may be no new block for long */
	LOST_LOOKS = 3,       /* in a row, without a trace of ours, when its nonce is used up */
	FIXED = 2,            /* questions of a look that are about none of them: the chain, its head */
};

struct look {
	unsigned count;
	struct {
		uint64_t id;
		unsigned first, attempts; /* places of its receipts; behind them the nonce, then the header */
		struct attempt at[OUTBOX_ATTEMPTS];
		bool header; /* of the block that it was in */
	} of[LOOKED_AT];
};

/* -- who is due -------------------------------------------------------------------------------- */

static uint64_t depth_of(const struct entry *entry, uint64_t head)
{
	return entry->block && head >= entry->block ? head - entry->block + 1 : 0;
}

static bool seen_by_all(const struct chain *self, const struct entry *entry)
{
	return !(pool_good(&self->pool) & ~entry->seen_by);
}

static bool is_due(const struct chain *self, const struct entry *entry, uint64_t head)
{
	uint64_t depth = depth_of(entry, head), enough = self->profile.confirmations;
	if (!entry->has_nonce || !entry->has_hash || entry->state == SENT_QUEUED ||
	    entry->state == SENT_REFUSED)
		return false;
	if (entry->look)
		return true;
	bool again = head != entry->looked_head;
	if (!entry->block) /* where blocks come only when there is something, the clock has to do */
		return again || (!self->profile.block_s && now_ms() - entry->looked_ms >= LOOK_AGAIN_MS);
	if (entry->state == SENT_INCLUDED)
		return (again && depth >= enough) || !seen_by_all(self, entry);
	return again && depth >= enough + OUTBOX_SETTLES;
}

static bool ask_about(struct chain *self, struct look *look, struct rpc_batch *batch, struct entry *entry)
{
	char hash[72], own[48];
	unsigned at = look->count, attempts = outbox_attempts(self->outbox, entry, look->of[at].at);
	const struct address *wallet = step_address(self, entry->node);
	if (!wallet || batch->count + attempts + 2 > RPC_CALLS)
		return false;
	look->of[at].id = entry->id;
	look->of[at].first = batch->count;
	look->of[at].attempts = attempts;
	look->of[at].header = entry->block > 0;
	look->count++;
	for (unsigned i = 0; i < attempts; i++)
		rpc_add(batch, "eth_getTransactionReceipt", "%s",
			rpc_hex(&look->of[at].at[i].hash, sizeof look->of[at].at[i].hash, hash));
	rpc_add(batch, "eth_getTransactionCount", "%s,\"latest\"", rpc_hex(wallet, sizeof *wallet, own));
	if (entry->block)
		rpc_add(batch, "eth_getBlockByNumber", "\"0x%" PRIx64 "\",false", entry->block);
	return true;
}

/* -- what is found ----------------------------------------------------------------------------- */

static void taken_back(struct chain *self, struct entry *entry)
{
	self->taken_back++;
	step_why(entry, "block %" PRIu64 ", which it was in, was taken back", entry->block);
	step_reason(REASON_TX_TAKEN_BACK, entry, 0);
	log_warn("outbox.taken_back", "id=%" PRIu64 " block=%" PRIu64 " depth_needed=%u", entry->id,
		 entry->block, self->profile.confirmations);
	entry->block = 0;
	entry->seen_by = 0;
	entry->reverted = entry->nothing = false;
	entry->sends = 0; /* as it is, at once: its bytes are as good as before */
	entry->not_before_ms = 0;
}

/* Nothing of ours, and its nonce used up: by another transaction of the same key. It waits until that one is deep. */
static void lost(struct chain *self, struct entry *entry, uint64_t head)
{
	entry->look = false;
	if (!entry->lost_looks++)
		entry->lost_head = head;
	if (entry->lost_looks < LOST_LOOKS || head + 1 < entry->lost_head + self->profile.confirmations)
		return;
	step_why(entry, "another transaction of its wallet took nonce %" PRIu64, entry->nonce);
	step_reason(REASON_TX_NONCE_TAKEN, entry, 0);
	log_warn("outbox.nonce_taken", "id=%" PRIu64 " nonce=%" PRIu64, entry->id, entry->nonce);
	entry->has_nonce = entry->has_hash = false;
	entry->lost_looks = 0;
	entry->settled = entry->cancelling;
	step_move(self, entry, entry->cancelling ? SENT_CANCELLED : SENT_QUEUED);
}

static void is_nowhere(struct chain *self, struct entry *entry, const struct rpc_reply *count, uint64_t head)
{
	uint64_t next = 0;
	if (entry->block) {
		taken_back(self, entry);
		step_move(self, entry, SENT_SENT);
		return;
	}
	if (entry->state == SENT_SENT && count->kind == RPC_RESULT && rpc_u64(count->result, &next) &&
	    next > entry->nonce) {
		lost(self, entry, head);
		return;
	}
	entry->lost_looks = 0;
}

static void is_in_block(struct chain *self, struct entry *entry, const struct rpc_receipt *receipt,
			const struct attempt *which)
{
	bool moved = entry->block != 0;
	if (entry->state == SENT_SIGNING) /* an attempt more was begun; it is not needed */
		step_to_disk(self, outbox_unsigned(self->outbox, entry, entry->attempts));
	if (moved)
		taken_back(self, entry);
	entry->block = receipt->block;
	entry->block_hash = receipt->block_hash;
	entry->hash = receipt->transaction;
	entry->reverted = !receipt->ok;
	entry->nothing = which->cancel;
	entry->seen_by = entry->lost_looks = 0;
	entry->look = true; /* again, with the header of that block */
	u256_multiply(&entry->fee_paid, &receipt->price, receipt->gas_used);
	entry->why[0] = '\0';
	step_move(self, entry, SENT_INCLUDED);
}

static void is_deep(struct chain *self, struct entry *entry, uint64_t head)
{
	uint64_t depth = depth_of(entry, head), enough = self->profile.confirmations;
	entry->look = !seen_by_all(self, entry);
	if (entry->look || depth < enough)
		return;
	entry->settled = depth >= enough + OUTBOX_SETTLES;
	if (entry->reverted)
		step_why(entry, "the contract refused it in block %" PRIu64, entry->block);
	enum outbox_state state = entry->nothing    ? SENT_CANCELLED
				  : entry->reverted ? SENT_FAILED
						    : SENT_CONFIRMED;
	if (entry->state != state || entry->settled)
		step_move(self, entry, state);
}

/* False: the server contradicts itself. */
static bool look_at(struct chain *self, const struct look *look, unsigned at, const struct rpc_answer *answer,
		    unsigned server, uint64_t head)
{
	struct entry *entry = outbox_by_id(self->outbox, look->of[at].id);
	const struct rpc_reply *replies = &answer->replies[look->of[at].first];
	struct rpc_receipt receipt;
	struct rpc_block header;
	if (!entry)
		return true;
	entry->looked_ms = now_ms();
	entry->looked_head = head;
	entry->look = false;
	for (unsigned i = 0; i < look->of[at].attempts; i++) {
		const struct attempt *attempt = &look->of[at].at[i];
		if (replies[i].kind == RPC_ERROR)
			return false;
		if (json_is_null(replies[i].result))
			continue;
		if (!rpc_receipt(replies[i].result, &receipt) ||
		    memcmp(&receipt.transaction, &attempt->hash, sizeof attempt->hash) != 0 || !receipt.block)
			return false;
		if (receipt.block != entry->block ||
		    memcmp(&receipt.block_hash, &entry->block_hash, sizeof receipt.block_hash) != 0) {
			is_in_block(self, entry, &receipt, attempt);
			return true;
		}
		const struct rpc_reply *block = &replies[look->of[at].attempts + 1];
		if (!look->of[at].header || block->kind != RPC_RESULT || !rpc_block(block->result, &header) ||
		    memcmp(&header.hash, &receipt.block_hash, sizeof header.hash) != 0)
			return false;
		entry->seen_by |= 1U << server;
		is_deep(self, entry, head);
		return true;
	}
	is_nowhere(self, entry, &replies[look->of[at].attempts], head);
	return true;
}

static void on_looked(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server,
		      const char *why)
{
	struct look *look = context;
	uint64_t head;
	(void)why;
	self->looking = false;
	bool good =
		answer && answer->replies[1].kind == RPC_RESULT && rpc_u64(answer->replies[1].result, &head);
	for (unsigned i = 0; good && i < look->count; i++)
		good = look_at(self, look, i, answer, server, head);
	if (answer && !good)
		pool_failed(&self->pool, server, "what it says of a receipt contradicts itself", now_ms());
	x_free(&look);
	if (good)
		outbox_turn(self);
}

/* -- turns ------------------------------------------------------------------------------------- */

void looks_turn(struct chain *self)
{
	const struct rpc_block *head = pool_head(&self->pool);
	char text[POOL_WHY];
	unsigned avoid = 0;
	if (self->looking || !head || chain_trouble(self, text))
		return;
	struct look *look = NULL;
	struct job *job = NULL;
	for (unsigned i = 0; i < outbox_count(self->outbox); i++) {
		struct entry *entry = outbox_at(self->outbox, i);
		if (!is_due(self, entry, head->number) || !step_address(self, entry->node))
			continue;
		if (!job) {
			look = x_new(sizeof *look);
			job = job_new(self, on_looked, look);
			if (!job)
				break;
			rpc_add(job_batch(job), "eth_blockNumber", "%s", "");
		}
		avoid = look->count ? avoid : entry->seen_by;
		if (look->count == LOOKED_AT || !ask_about(self, look, job_batch(job), entry))
			break;
	}
	if (!job) {
		x_free(&look);
		return;
	}
	self->looking = true;
	job_avoid(job, avoid);
	job_go(job);
}

void outbox_look_anew(struct chain *self)
{
	for (unsigned i = 0; i < outbox_count(self->outbox); i++) {
		struct entry *entry = outbox_at(self->outbox, i);
		entry->look = entry->has_hash;
		entry->seen_by = 0;
	}
}
