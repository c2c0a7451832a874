/* What is due with the transactions of the outbox, until the chain has them; part of the process chain. Each step is on the disk before the
 * next begins, and each may be begun again after a death. What the chain says of them is chain_looks.c's. */
#include "actors/chain/chain_steps.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/reasons/reasons.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	IN_FLIGHT = 16,         /* of one wallet: more wait for a nonce */
	SOON_MS = 1000,
	WALLET_AGAIN_MS = 2000,
	POOR_AGAIN_MS = 30000,
	CANCEL_GAS = 21000,     /* of a plain transfer */
	GAS_MOST = 30000000,
};

/* -- what every step needs --------------------------------------------------------------------- */

void step_to_disk(struct chain *self, bool done)
{
	if (done)
		return;
	log_error("outbox.disk", "why=\"%s\"", outbox_why(self->outbox));
	reason_note(REASON_CHAIN_OUTBOX, "", "%s", outbox_why(self->outbox));
	exit(EXIT_WORLD); /* what is in memory is no longer what is on the disk: the next birth reads that */
}

void step_why(struct entry *entry, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(entry->why, sizeof entry->why, format, arguments);
	va_end(arguments);
}

void step_reason(enum reason_code code, const struct entry *entry, uint64_t next_in_ms)
{
	char thing[24];
	snprintf(thing, sizeof thing, "%" PRIu64, entry->id);
	reason_about(code, (struct about){CHAIN, 0, next_in_ms}, thing, "node %u, %s: %s", entry->node,
		     entry->purpose[0] ? entry->purpose : entry->method, entry->why);
}

void step_told(struct chain *self, const struct entry *entry)
{
	struct chain_moved moved = {.id = entry->id, .node = entry->node, .why = {entry->why, (uint32_t)strlen(entry->why)}};
	snprintf(moved.state, sizeof moved.state, "%s", outbox_state_name(entry->state));
	snprintf(moved.purpose, sizeof moved.purpose, "%s", entry->purpose);
	publish_chain_moved(self->actor, &moved);
	log_info("outbox.moved", "id=%" PRIu64 " node=%u state=%s nonce=%" PRIu64 " attempts=%u why=\"%s\"", entry->id,
		 entry->node, moved.state, entry->nonce, entry->attempts, entry->why);
}

void step_move(struct chain *self, struct entry *entry, enum outbox_state state)
{
	entry->state = state;
	step_told(self, entry);
	step_to_disk(self, outbox_save(self->outbox, entry));
	self->open = outbox_count(self->outbox);
}

static void wait_for(struct entry *entry, uint64_t ms)
{
	entry->not_before_ms = now_ms() + ms;
}

uint64_t step_resend_ms(const struct chain *self)
{
	uint64_t s = (uint64_t)self->profile.block_s * 2;
	return 1000 * (s < 5 ? 5 : s > 30 ? 30 : s);
}

/* -- the wallet's address ---------------------------------------------------------------------- */

static void on_address(struct actor *actor, void *context, enum err err, const struct wallet_address_reply *reply)
{
	struct chain *self = actor_state(actor);
	struct wallet_known *wallet = context;
	wallet->asking = false;
	if (err != ERR_OK)
		return; /* asked again at the next turn */
	wallet->known = true;
	wallet->address = reply->address;
	outbox_turn(self);
}

static const struct address *address_of(struct chain *self, uint16_t node)
{
	struct wallet_known *wallet = &self->wallets[node];
	if (!wallet->known && !wallet->asking)
		wallet->asking = ask_wallet_address(self->actor, node, &(struct wallet_address){}, on_address, wallet) == ERR_OK;
	return wallet->known ? &wallet->address : NULL;
}

/* -- a new attempt ----------------------------------------------------------------------------- */

static void begin_attempt(struct chain *self, struct entry *entry, bool cancel)
{
	struct attempt attempt = {.number = entry->attempts + 1, .nonce = entry->nonce, .fee = entry->fee, .cancel = cancel};
	random_bytes(&attempt.once, sizeof attempt.once);
	entry->attempts++;
	entry->state = SENT_SIGNING;
	step_to_disk(self, outbox_attempt(self->outbox, entry, &attempt));
	step_told(self, entry);
}

static void not_signed(struct chain *self, struct entry *entry, uint32_t number, const char *why)
{
	struct attempt attempts[OUTBOX_ATTEMPTS];
	unsigned count = outbox_attempts(self->outbox, entry, attempts);
	bool first = count < 2;
	step_why(entry, "%s", why);
	step_reason(REASON_TX_REFUSED, entry, 0);
	entry->state = first ? SENT_REFUSED : SENT_SENT;
	entry->settled = first;
	entry->cancelling = false; /* what cannot be cancelled goes on */
	if (first)
		entry->has_nonce = false; /* it is free for the next one */
	else
		entry->fee = attempts[1].fee;
	entry->sent_ms = now_ms();
	entry->sends = 1;
	step_told(self, entry);
	step_to_disk(self, outbox_unsigned(self->outbox, entry, number));
	self->open = outbox_count(self->outbox);
}

/* What will not be otherwise when it is asked again. */
static bool is_final(enum err err)
{
	return err == ERR_REFUSED || err == ERR_BAD_VALUE || err == ERR_MALFORMED || err == ERR_DENIED;
}

static void on_signed(struct actor *actor, void *context, enum err err, const struct wallet_sign_tx_reply *reply)
{
	struct chain *self = actor_state(actor);
	struct entry *entry = outbox_by_id(self->outbox, (uint64_t)(uintptr_t)context);
	char why[OUTBOX_WHY];
	if (!entry)
		return;
	entry->busy = false;
	if (entry->state != SENT_SIGNING)
		return; /* an earlier attempt was found in a block meanwhile */
	if (err == ERR_OK) {
		entry->hash = reply->tx_hash;
		entry->has_hash = true;
		entry->state = SENT_SENT;
		entry->sends = 0;
		entry->why[0] = '\0';
		step_to_disk(self, outbox_signed(self->outbox, entry, entry->attempts, &reply->tx_hash, reply->raw.at,
						 reply->raw.length));
		step_told(self, entry);
		outbox_turn(self);
		return;
	}
	snprintf(why, sizeof why, "wallet@%u does not sign: %s; warren why wallet@%u", entry->node, err_name(err), entry->node);
	if (is_final(err)) {
		not_signed(self, entry, entry->attempts, why);
		return;
	}
	step_why(entry, "%s", why);
	step_reason(REASON_TX_HELD, entry, WALLET_AGAIN_MS);
	wait_for(entry, WALLET_AGAIN_MS);
}

static void fill_in(struct chain *self, const struct entry *entry, const struct attempt *attempt, struct wallet_sign_tx *in,
		    const uint8_t *data)
{
	*in = (struct wallet_sign_tx){.once = attempt->once,
				      .type = self->profile.fee == CHAIN_FEE_LEGACY ? 0 : 2,
				      .chain_id = self->profile.id,
				      .nonce = attempt->nonce,
				      .gas = attempt->cancel ? CANCEL_GAS : entry->gas,
				      .max_fee = attempt->fee.max,
				      .has_max_priority = self->profile.fee != CHAIN_FEE_LEGACY,
				      .max_priority = attempt->fee.priority};
	if (attempt->cancel) {
		in->to = self->wallets[entry->node].address;
		snprintf(in->purpose, sizeof in->purpose, "cancel %" PRIu64, entry->id);
		return;
	}
	in->to = entry->to;
	in->value = entry->value;
	in->data = (struct view){data, entry->length};
	memcpy(in->purpose, entry->purpose, sizeof in->purpose);
}

/* The same fields with the same `once` are the same bytes, however often the wallet is asked. */
static void signing_step(struct chain *self, struct entry *entry)
{
	struct attempt attempts[OUTBOX_ATTEMPTS];
	struct wallet_sign_tx in;
	uint8_t data[OUTBOX_DATA];
	char text[POOL_WHY];
	if (chain_trouble(self, text) || !address_of(self, entry->node))
		return;
	bug_if(!outbox_attempts(self->outbox, entry, attempts) || attempts[0].is_signed);
	step_to_disk(self, outbox_data(self->outbox, entry, data));
	fill_in(self, entry, &attempts[0], &in, data);
	entry->busy = ask_wallet_sign_tx(self->actor, entry->node, &in, on_signed, (void *)(uintptr_t)entry->id) == ERR_OK;
	if (!entry->busy)
		wait_for(entry, SOON_MS);
}

/* -- queued: what must be known before there is a nonce ---------------------------------------- */

static void hold(struct entry *entry, uint64_t ms)
{
	wait_for(entry, ms);
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
		entry->gas = gas + gas / 3 > GAS_MOST ? GAS_MOST : gas + gas / 3; /* contracts/README.md: why a third */
		return true;
	}
	bool reverts = reply->kind == RPC_ERROR && (reply->code == 3 || strcasestr(reply->message, "revert"));
	if (!reverts) {
		step_why(entry, "its gas cannot be estimated: %s", reply->kind == RPC_ERROR ? reply->message : "no answer");
		hold(entry, WALLET_AGAIN_MS);
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
		step_why(entry, legacy ? "no server says what gas costs" : "the chain has no base fee: its profile should say legacy");
		hold(entry, WALLET_AGAIN_MS);
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
		hold(entry, WALLET_AGAIN_MS);
		return false;
	}
	u256_multiply(&needed, &entry->fee.max, entry->gas);
	u256_add(&needed, &needed, &entry->value);
	if (u256_compare(&balance, &needed) >= 0)
		return true;
	step_why(entry, "its wallet has %s and may need %s coins for it", u256_text(&balance, COIN_DECIMALS, has),
		 u256_text(&needed, COIN_DECIMALS, needs));
	hold(entry, POOR_AGAIN_MS);
	return false;
}

static void on_prepared(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server, const char *why)
{
	(void)server;
	struct entry *entry = outbox_by_id(self->outbox, (uint64_t)(uintptr_t)context);
	char text[POOL_WHY];
	uint64_t next;
	if (!entry)
		return;
	entry->busy = false;
	if (!answer) {
		step_why(entry, "%s", why);
		wait_for(entry, SOON_MS);
		return;
	}
	if (answer->replies[1].kind != RPC_RESULT || !rpc_u64(answer->replies[1].result, &next)) {
		step_why(entry, "no server says which nonce is next");
		hold(entry, WALLET_AGAIN_MS);
		return;
	}
	if ((answer->count > 4 && !gas_of(self, entry, &answer->replies[4])) || !offer(self, entry, &answer->replies[3]) ||
	    !can_pay(entry, &answer->replies[2]) || chain_trouble(self, text) || entry->cancelling)
		return;
	char thing[24];
	snprintf(thing, sizeof thing, "%" PRIu64, entry->id);
	reason_over_about(REASON_TX_HELD, (struct about){CHAIN, 0, 0}, thing);
	entry->why[0] = '\0';
	entry->nonce = outbox_nonce(self->outbox, entry->node, next);
	entry->has_nonce = true;
	begin_attempt(self, entry, false);
	outbox_turn(self);
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
		if (other->id < entry->id && (other->state == SENT_QUEUED || (other->state == SENT_SIGNING && other->attempts < 2)))
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
		rpc_add(batch, self->profile.fee == CHAIN_FEE_LEGACY ? "eth_gasPrice" : "eth_maxPriorityFeePerGas", "%s", "");
		if (!entry->gas)
			rpc_add(batch, "eth_estimateGas", "{\"from\":%s,\"to\":%s,\"value\":%s,\"data\":%s}", own,
				rpc_hex(&entry->to, sizeof entry->to, to), rpc_quantity(&entry->value, value),
				rpc_hex(data, entry->length, call));
		entry->busy = true;
		job_go(job);
	}
	x_free(&call);
}

static void queued_step(struct chain *self, struct entry *entry)
{
	char text[POOL_WHY];
	if (entry->cancelling) {
		entry->settled = true;
		step_move(self, entry, SENT_CANCELLED);
		return;
	}
	if (chain_trouble(self, text) || !is_next(self, entry))
		return;
	const struct address *from = address_of(self, entry->node);
	if (from)
		ask_the_chain(self, entry, from);
}

/* -- sent: told to the chain, again, and with more ----------------------------------------------- */

static bool says(const struct rpc_reply *reply, const char *words)
{
	return reply->kind == RPC_ERROR && strcasestr(reply->message, words);
}

static void on_sent(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server, const char *why)
{
	struct entry *entry = outbox_by_id(self->outbox, (uint64_t)(uintptr_t)context);
	if (!entry)
		return;
	entry->busy = false;
	if (!answer) {
		step_why(entry, "not sent yet: %s", why);
		wait_for(entry, SOON_MS);
		return;
	}
	const struct rpc_reply *reply = &answer->replies[1];
	bool known = reply->kind == RPC_RESULT || says(reply, "already known") || says(reply, "already imported") ||
		     says(reply, "known transaction") || says(reply, "nonce too low");
	step_why(entry, "%s", known ? "" : reply->message);
	entry->underpriced = says(reply, "underpriced") || says(reply, "fee too low") || says(reply, "less than block base fee");
	entry->sends++;
	entry->told = 1U << server;
	entry->sent_ms = now_ms();
	entry->look = true;
	if (!known)
		log_warn("outbox.not_taken", "id=%" PRIu64 " why=\"%s\"", entry->id, entry->why);
	wait_for(entry, known ? 0 : SOON_MS);
	outbox_turn(self);
}

static void tell_the_chain(struct chain *self, struct entry *entry)
{
	struct attempt attempts[OUTBOX_ATTEMPTS];
	uint8_t raw[OUTBOX_RAW];
	size_t length;
	unsigned count = outbox_attempts(self->outbox, entry, attempts);
	struct job *job = job_new(self, on_sent, (void *)(uintptr_t)entry->id);
	if (!job)
		return;
	bug_if(!count);
	step_to_disk(self, outbox_raw(self->outbox, entry, attempts[0].number, raw, &length));
	char *hex = x_new(2 * length + 5);
	rpc_add(job_batch(job), "eth_sendRawTransaction", "%s", rpc_hex(raw, length, hex));
	x_free(&hex);
	entry->busy = true;
	job_avoid(job, entry->told);
	job_go(job);
}

/* Whether there was another attempt to make. */
static bool more_fee(struct chain *self, struct entry *entry, bool cancel)
{
	const struct rpc_block *head = pool_head(&self->pool);
	struct attempt attempts[OUTBOX_ATTEMPTS];
	char text[POOL_WHY];
	bool legacy = self->profile.fee == CHAIN_FEE_LEGACY;
	if (chain_trouble(self, text) || !head || outbox_attempts(self->outbox, entry, attempts) == OUTBOX_ATTEMPTS)
		return false;
	struct fee fresh = legacy ? entry->fee : fee_first(&head->base_fee, &entry->fee.priority);
	if (!fee_higher(&entry->fee, &fresh, &entry->fee_cap)) {
		step_why(entry, "in no block, and more fee would be above its fee_cap");
		step_reason(REASON_TX_RESENT, entry, 0);
		return false;
	}
	step_why(entry, cancel ? "cancelled: nothing is put in its place" : "in no block yet: with more fee");
	step_reason(REASON_TX_RESENT, entry, 0);
	begin_attempt(self, entry, cancel);
	return true;
}

static void sent_step(struct chain *self, struct entry *entry)
{
	struct attempt newest[OUTBOX_ATTEMPTS];
	if (!entry->sends) {
		tell_the_chain(self, entry);
		return;
	}
	bool due = now_ms() - entry->sent_ms >= step_resend_ms(self);
	bool cancelled = entry->cancelling && outbox_attempts(self->outbox, entry, newest) && newest[0].cancel;
	if (entry->cancelling && !cancelled) {
		if (!more_fee(self, entry, true) && due)
			tell_the_chain(self, entry);
		return;
	}
	/* Once more as it is, as it may only be lost; then with more fee. */
	if (entry->underpriced || (due && entry->sends > 1)) {
		entry->underpriced = false;
		if (more_fee(self, entry, cancelled))
			return;
	}
	if (due)
		tell_the_chain(self, entry);
}

/* -- turns ------------------------------------------------------------------------------------- */

static void step(struct chain *self, struct entry *entry)
{
	if (entry->busy || entry->not_before_ms > now_ms())
		return;
	switch (entry->state) {
	case SENT_QUEUED:
		queued_step(self, entry);
		return;
	case SENT_SIGNING:
		signing_step(self, entry);
		return;
	case SENT_SENT:
		sent_step(self, entry);
		return;
	case SENT_INCLUDED:
	case SENT_CONFIRMED:
	case SENT_FAILED:
	case SENT_CANCELLED:
	case SENT_REFUSED:
	case OUTBOX_STATE_COUNT:
		return;
	}
}

/* A step may end one, and what is behind it moves up. */
void outbox_turn(struct chain *self)
{
	if (self->turning)
		return; /* a step that ended at once; its turn is under way */
	self->turning = true;
	for (unsigned i = 0; i < outbox_count(self->outbox);) {
		struct entry *entry = outbox_at(self->outbox, i);
		step(self, entry);
		i += outbox_at(self->outbox, i) == entry;
	}
	self->turning = false;
	looks_turn(self);
}
