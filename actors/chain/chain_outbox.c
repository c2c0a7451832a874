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
	SOON_MS = 1000,
	WALLET_AGAIN_MS = 2000,
	CANCEL_GAS = 21000, /* of a plain transfer */
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
	struct chain_moved moved = {
		.id = entry->id, .node = entry->node, .why = {entry->why, (uint32_t)strlen(entry->why)}};
	snprintf(moved.state, sizeof moved.state, "%s", outbox_state_name(entry->state));
	snprintf(moved.purpose, sizeof moved.purpose, "%s", entry->purpose);
	publish_chain_moved(self->actor, &moved);
	log_info("outbox.moved", "id=%" PRIu64 " node=%u state=%s nonce=%" PRIu64 " attempts=%u why=\"%s\"",
		 entry->id, entry->node, moved.state, entry->nonce, entry->attempts, entry->why);
}

void step_move(struct chain *self, struct entry *entry, enum outbox_state state)
{
	entry->state = state;
	step_told(self, entry);
	step_to_disk(self, outbox_save(self->outbox, entry));
	self->open = outbox_count(self->outbox);
}

void step_wait(struct entry *entry, uint64_t ms)
{
	entry->not_before_ms = now_ms() + ms;
}

uint64_t step_resend_ms(const struct chain *self)
{
	uint64_t s = (uint64_t)self->profile.block_s * 2;
	return 1000 * (s < 5 ? 5 : s > 30 ? 30 : s);
}

/* -- the wallet's address ---------------------------------------------------------------------- */

static void on_address(struct actor *actor, void *context, enum err err,
		       const struct wallet_address_reply *reply)
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

const struct address *step_address(struct chain *self, uint16_t node)
{
	struct wallet_known *wallet = &self->wallets[node];
	if (!wallet->known && !wallet->asking)
		wallet->asking = ask_wallet_address(self->actor, node, &(struct wallet_address){}, on_address,
						    wallet) == ERR_OK;
	return wallet->known ? &wallet->address : NULL;
}

/* -- a new attempt ----------------------------------------------------------------------------- */

void step_attempt(struct chain *self, struct entry *entry, bool cancel)
{
	struct attempt attempt = {
		.number = entry->attempts + 1, .nonce = entry->nonce, .fee = entry->fee, .cancel = cancel};
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

static void on_signed(struct actor *actor, void *context, enum err err,
		      const struct wallet_sign_tx_reply *reply)
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
		step_to_disk(self, outbox_signed(self->outbox, entry, entry->attempts, &reply->tx_hash,
						 reply->raw.at, reply->raw.length));
		step_told(self, entry);
		outbox_turn(self);
		return;
	}
	snprintf(why, sizeof why, "wallet@%u does not sign: %s; warren why wallet@%u", entry->node,
		 err_name(err), entry->node);
	if (is_final(err)) {
		not_signed(self, entry, entry->attempts, why);
		return;
	}
	step_why(entry, "%s", why);
	step_reason(REASON_TX_HELD, entry, WALLET_AGAIN_MS);
	step_wait(entry, WALLET_AGAIN_MS);
}

static void fill_in(struct chain *self, const struct entry *entry, const struct attempt *attempt,
		    struct wallet_sign_tx *in, const uint8_t *data)
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
	if (chain_trouble(self, text) || !step_address(self, entry->node))
		return;
	bug_if(!outbox_attempts(self->outbox, entry, attempts) || attempts[0].is_signed);
	step_to_disk(self, outbox_data(self->outbox, entry, data));
	fill_in(self, entry, &attempts[0], &in, data);
	entry->busy = ask_wallet_sign_tx(self->actor, entry->node, &in, on_signed,
					 (void *)(uintptr_t)entry->id) == ERR_OK;
	if (!entry->busy)
		step_wait(entry, SOON_MS);
}

/* -- sent: told to the chain, again, and with more ----------------------------------------------- */

static bool says(const struct rpc_reply *reply, const char *words)
{
	return reply->kind == RPC_ERROR && strcasestr(reply->message, words);
}

static void on_sent(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server,
		    const char *why)
{
	struct entry *entry = outbox_by_id(self->outbox, (uint64_t)(uintptr_t)context);
	if (!entry)
		return;
	entry->busy = false;
	if (!answer) {
		step_why(entry, "not sent yet: %s", why);
		step_wait(entry, SOON_MS);
		return;
	}
	const struct rpc_reply *reply = &answer->replies[1];
	bool known = reply->kind == RPC_RESULT || says(reply, "already known") ||
		     says(reply, "already imported") || says(reply, "known transaction") ||
		     says(reply, "nonce too low");
	step_why(entry, "%s", known ? "" : reply->message);
	entry->underpriced = says(reply, "underpriced") || says(reply, "fee too low") ||
			     says(reply, "less than block base fee");
	entry->sends++;
	entry->told = 1U << server;
	entry->sent_ms = now_ms();
	entry->look = true;
	if (!known)
		log_warn("outbox.not_taken", "id=%" PRIu64 " why=\"%s\"", entry->id, entry->why);
	step_wait(entry, known ? 0 : SOON_MS);
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
	if (chain_trouble(self, text) || !head ||
	    outbox_attempts(self->outbox, entry, attempts) == OUTBOX_ATTEMPTS)
		return false;
	struct fee fresh = legacy ? entry->fee : fee_first(&head->base_fee, &entry->fee.priority);
	if (!fee_higher(&entry->fee, &fresh, &entry->fee_cap)) {
		step_why(entry, "in no block, and more fee would be above its fee_cap");
		step_reason(REASON_TX_RESENT, entry, 0);
		return false;
	}
	step_why(entry, cancel ? "cancelled: nothing is put in its place" : "in no block yet: with more fee");
	step_reason(REASON_TX_RESENT, entry, 0);
	step_attempt(self, entry, cancel);
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
	bool cancelled =
		entry->cancelling && outbox_attempts(self->outbox, entry, newest) && newest[0].cancel;
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
		step_queued(self, entry);
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
