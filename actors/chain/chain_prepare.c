/* What must be known of a transaction before it has a nonce: what the chain would make of it, what it costs, whether its wallet can pay,
 * which nonce is free; part of the process chain. What the contract would refuse, or nobody could pay for, is not signed. */
#include "actors/chain/chain_steps.h"

#include "actors/base/reasons/reasons.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	IN_FLIGHT = 16, /* of one wallet: more wait for a nonce */
	SOON_MS = 1000,
	AGAIN_MS = 2000,
	POOR_AGAIN_MS = 30000,
	GAS_MOST = 30000000, /* of proto/chain.h */
};

static void hold(struct entry *entry, uint64_t ms)
{
	step_wait(entry, ms);
	step_reason(REASON_TX_HELD, entry, ms);
}

/* What the chain says would become of it. False: it is held, or refused; then the entry may be gone. */
static bool gas_of(struct chain *self, struct entry *entry, const struct rpc_reply *reply)
{
	uint8_t said[1024];
	char text[RPC_WHY];
	size_t length = 0;
	uint64_t gas;
	if (reply->kind == RPC_RESULT && rpc_u64(reply->result, &gas) && gas && gas <= GAS_MOST) {
		entry->gas = gas + gas / 3 > GAS_MOST ? GAS_MOST
						      : gas + gas / 3; /* contracts/README.md: why a third */
		return true;
	}
	bool reverts = reply->kind == RPC_ERROR && (reply->code == 3 || strcasestr(reply->message, "revert"));
	if (!reverts) {
		step_why(entry, "its gas cannot be estimated: %s",
			 reply->kind == RPC_ERROR ? reply->message : "no answer");
		hold(entry, AGAIN_MS);
		return false;
	}
	if (reply->data && rpc_bytes(reply->data, said, sizeof said, &length))
		abi_revert_text(said, length, text, sizeof text);
	else
		snprintf(text, sizeof text, "%s", reply->message);
	step_why(entry, "the contract would refuse it: %s", text);
	step_reason(REASON_TX_REFUSED, entry, 0);
	entry->settled = true;
	step_move(self, entry, SENT_FAILED);
	return false;
}

static bool offer(struct chain *self, struct entry *entry, const struct rpc_reply *reply)
{
	const struct rpc_block *head = pool_head(&self->pool);
	struct u256 said = u256_of(1000000000); /* 1 gwei, where a server does not know the method */
	bool legacy = self->profile.fee == CHAIN_FEE_LEGACY;
	if (!head || (legacy && (reply->kind != RPC_RESULT || !rpc_u256(reply->result, &said))) ||
	    (!legacy && !head->has_base_fee)) {
		step_why(entry, legacy ? "no server says what gas costs"
				       : "the chain has no base fee: its profile should say legacy");
		hold(entry, AGAIN_MS);
		return false;
	}
	if (!legacy && reply->kind == RPC_RESULT && !rpc_u256(reply->result, &said))
		said = u256_of(1000000000);
	entry->fee = legacy ? fee_first_legacy(&said) : fee_first(&head->base_fee, &said);
	if (u256_is_zero(&entry->fee_cap))
		entry->fee_cap = fee_default_cap(&entry->fee);
	fee_cap(&entry->fee, &entry->fee_cap);
	if (legacy || u256_compare(&entry->fee.max, &head->base_fee) >= 0)
		return true;
	step_why(entry, "a unit of gas costs more than its fee_cap");
	hold(entry, POOR_AGAIN_MS);
	return false;
}

static bool can_pay(struct entry *entry, const struct rpc_reply *reply)
{
	struct u256 balance, needed;
	char has[U256_TEXT], needs[U256_TEXT];
	if (reply->kind != RPC_RESULT || !rpc_u256(reply->result, &balance)) {
		step_why(entry, "no server says what the wallet has");
		hold(entry, AGAIN_MS);
		return false;
	}
	u256_multiply(&needed, &entry->fee.max, entry->gas);
	u256_add(&needed, &needed, &entry->value);
	if (u256_compare(&balance, &needed) >= 0)
		return true;
	step_why(entry, "its wallet has %s and may need %s coins for it",
		 u256_text(&balance, COIN_DECIMALS, has), u256_text(&needed, COIN_DECIMALS, needs));
	hold(entry, POOR_AGAIN_MS);
	return false;
}

/* The rest of a preparation: nothing was asked meanwhile that could have changed. */
static void give_nonce(struct chain *self, struct entry *entry)
{
	char text[POOL_WHY], thing[24];
	if (chain_trouble(self, text) || entry->cancelling)
		return;
	snprintf(thing, sizeof thing, "%" PRIu64, entry->id);
	reason_over_about(REASON_TX_HELD, (struct about){CHAIN, 0, 0}, thing);
	entry->why[0] = '\0';
	entry->nonce = outbox_nonce(self->outbox, entry->node, entry->counted);
	entry->has_nonce = true;
	step_attempt(self, entry, false);
	outbox_turn(self);
}

/* A nonce that is too high would wait for ever, and be valid for ever: two servers must say the same. */
static void on_counted(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server,
		       const char *why)
{
	struct entry *entry = outbox_by_id(self->outbox, (uint64_t)(uintptr_t)context);
	uint64_t next;
	(void)server;
	if (!entry)
		return;
	entry->busy = false;
	if (!answer || answer->replies[1].kind != RPC_RESULT || !rpc_u64(answer->replies[1].result, &next)) {
		step_why(entry, "no second server says which nonce is next: %s", why);
		step_wait(entry, SOON_MS);
	} else if (next != entry->counted) {
		step_why(entry,
			 "the servers disagree about its wallet's next nonce: %" PRIu64 " and %" PRIu64,
			 entry->counted, next);
		hold(entry, AGAIN_MS);
	} else {
		give_nonce(self, entry);
	}
}

static void count_again(struct chain *self, struct entry *entry, unsigned server)
{
	char own[48];
	struct job *job = job_new(self, on_counted, (void *)(uintptr_t)entry->id);
	if (!job)
		return; /* prepared anew at the next turn */
	rpc_add(job_batch(job), "eth_getTransactionCount", "%s,\"latest\"",
		rpc_hex(&self->wallets[entry->node].address, sizeof self->wallets[entry->node].address, own));
	entry->busy = true;
	job_avoid(job, 1U << server);
	job_go(job);
}

static void on_prepared(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server,
			const char *why)
{
	struct entry *entry = outbox_by_id(self->outbox, (uint64_t)(uintptr_t)context);
	uint64_t next;
	if (!entry)
		return;
	entry->busy = false;
	if (!answer) {
		step_why(entry, "%s", why);
		step_wait(entry, SOON_MS);
		return;
	}
	if (answer->replies[1].kind != RPC_RESULT || !rpc_u64(answer->replies[1].result, &next)) {
		step_why(entry, "no server says which nonce is next");
		hold(entry, AGAIN_MS);
		return;
	}
	if ((answer->count > 4 && !gas_of(self, entry, &answer->replies[4])) ||
	    !offer(self, entry, &answer->replies[3]) || !can_pay(entry, &answer->replies[2]))
		return;
	entry->counted = next;
	if (pool_good(&self->pool) & ~(1U << server))
		count_again(self, entry, server);
	else
		give_nonce(self, entry);
}

/* One of a wallet at a time is given its nonce, in the order in which they were asked for. */
static bool is_next(const struct chain *self, const struct entry *entry)
{
	unsigned flying = 0;
	for (unsigned i = 0; i < outbox_count(self->outbox); i++) {
		const struct entry *other = outbox_at(self->outbox, i);
		if (other->node != entry->node || other == entry)
			continue;
		flying += other->has_nonce && !other->block;
		if (other->id < entry->id &&
		    (other->state == SENT_QUEUED || (other->state == SENT_SIGNING && other->attempts < 2)))
			return false;
	}
	return flying < IN_FLIGHT;
}

static void ask_the_chain(struct chain *self, struct entry *entry, const struct address *from)
{
	uint8_t data[OUTBOX_DATA];
	char own[48], to[48], value[72], *call = x_new(2 * OUTBOX_DATA + 16);
	struct job *job = job_new(self, on_prepared, (void *)(uintptr_t)entry->id);
	if (job) {
		struct rpc_batch *batch = job_batch(job);
		rpc_hex(from, sizeof *from, own);
		step_to_disk(self, outbox_data(self->outbox, entry, data));
		rpc_add(batch, "eth_getTransactionCount", "%s,\"latest\"", own);
		rpc_add(batch, "eth_getBalance", "%s,\"latest\"", own);
		rpc_add(batch,
			self->profile.fee == CHAIN_FEE_LEGACY ? "eth_gasPrice" : "eth_maxPriorityFeePerGas",
			"%s", "");
		if (!entry->gas)
			rpc_add(batch, "eth_estimateGas", "{\"from\":%s,\"to\":%s,\"value\":%s,\"data\":%s}",
				own, rpc_hex(&entry->to, sizeof entry->to, to),
				rpc_quantity(&entry->value, value), rpc_hex(data, entry->length, call));
		entry->busy = true;
		job_go(job);
	}
	x_free(&call);
}

void step_queued(struct chain *self, struct entry *entry)
{
	char text[POOL_WHY];
	if (entry->cancelling) {
		entry->settled = true;
		step_move(self, entry, SENT_CANCELLED);
		return;
	}
	if (chain_trouble(self, text) || !is_next(self, entry))
		return;
	const struct address *from = step_address(self, entry->node);
	if (from)
		ask_the_chain(self, entry, from);
}
