/* What is asked of the outbox: send, cancel, list; part of the process chain. */
#include "actors/chain/chain_steps.h"

#include <stdio.h>
#include <string.h>

static enum err refuse(struct call *call, enum err err, const char *why)
{
	call_fail_why(call, err, why);
	return ERR_KEPT;
}

/* -- sending ----------------------------------------------------------------------------------- */

/* A method of a contract of the profile, with its arguments. False: `why` says what is wrong. */
static bool method_call(struct chain *self, struct call *call, const struct chain_send *in,
			struct entry *entry, uint8_t *data, char why[RPC_WHY])
{
	int contract = chain_contract_of(self, in->contract, why);
	if (contract < 0)
		return false;
	const struct abi_method *method = abi_method(in->contract, in->method);
	if (!method || method->effect == ABI_VIEW) {
		snprintf(why, RPC_WHY,
			 method ? "%s.%.60s changes nothing: warren call chain chain_read"
				: "%s has no method %.60s",
			 in->contract, in->method);
		return false;
	}
	if (method->effect != ABI_PAYABLE && !u256_is_zero(&in->value)) {
		snprintf(why, RPC_WHY, "%s.%.60s takes no value", in->contract, in->method);
		return false;
	}
	if (in->has_to) {
		snprintf(why, RPC_WHY,
			 "to is for a plain transfer; a contract has its address in the profile");
		return false;
	}
	if (!chain_can(self, contract, method, why))
		return false;
	entry->to = self->profile.contracts[contract];
	snprintf(entry->method, sizeof entry->method, "%s", in->method);
	entry->length = (uint32_t)encode_words(method, &in->args, call_arena(call), data, OUTBOX_DATA, why);
	return entry->length > 0;
}

static bool plain_transfer(const struct chain_send *in, struct entry *entry, char why[RPC_WHY])
{
	if (!in->has_to || in->method[0] || in->args.length) {
		snprintf(why, RPC_WHY, "say contract and method, or, for a plain transfer, to and value");
		return false;
	}
	entry->to = in->to;
	snprintf(entry->method, sizeof entry->method, "pay");
	return true;
}

enum err on_chain_send(struct actor *actor, struct call *call, const struct chain_send *in,
		       struct chain_send_reply *out)
{
	struct chain *self = actor_state(actor);
	struct entry entry = {.once = in->once,
			      .node = in->node,
			      .value = in->value,
			      .gas = in->gas,
			      .asked_s = wall_s()},
		     *made;
	uint8_t *data = arena_take(call_arena(call), OUTBOX_DATA);
	char why[RPC_WHY] = "";
	unsigned state;
	bool same;
	snprintf(entry.purpose, sizeof entry.purpose, "%s", in->purpose);
	if (in->has_fee_cap)
		entry.fee_cap = in->fee_cap;
	if (!in->node)
		return refuse(call, ERR_BAD_VALUE, "node says whose wallet signs: 1, 2, …");
	if (in->contract[0] ? !method_call(self, call, in, &entry, data, why)
			    : !plain_transfer(in, &entry, why))
		return refuse(call, ERR_REFUSED, why);
	if (outbox_once(self->outbox, &entry, data, &out->id, &state, &same)) {
		if (!same)
			return refuse(call, ERR_REFUSED,
				      "this once was used for another transaction; each has its own");
		snprintf(out->state, sizeof out->state, "%s", outbox_state_name(state));
		return ERR_OK;
	}
	if (outbox_count(self->outbox) == OUTBOX_OPEN) {
		self->open_refused++;
		return refuse(call, ERR_BUSY, "as many transactions as the outbox holds are under way");
	}
	step_to_disk(self, outbox_add(self->outbox, &entry, data, &made));
	self->open = outbox_count(self->outbox);
	self->open_high = self->open > self->open_high ? self->open : self->open_high;
	out->id = made->id;
	snprintf(out->state, sizeof out->state, "%s", outbox_state_name(made->state));
	step_told(self, made);
	outbox_turn(self);
	return ERR_OK;
}

enum err on_chain_cancel(struct actor *actor, struct call *call, const struct chain_cancel *in,
			 struct chain_cancel_reply *out)
{
	struct chain *self = actor_state(actor);
	struct entry *entry = outbox_by_id(self->outbox, in->id);
	if (!entry)
		return refuse(call, ERR_NOT_FOUND,
			      "no such transaction is under way: warren call chain chain_outbox");
	if (entry->block)
		return refuse(call, ERR_REFUSED, "it is in a block already");
	if (!entry->cancelling) {
		entry->cancelling = true;
		step_to_disk(self, outbox_save(self->outbox, entry));
	}
	outbox_turn(self);
	entry = outbox_by_id(self->outbox, in->id);
	snprintf(out->state, sizeof out->state, "%s", entry ? outbox_state_name(entry->state) : "cancelled");
	return ERR_OK;
}

/* -- listing ----------------------------------------------------------------------------------- */

static void put_row(struct chain *self, const struct entry *entry, struct arena *arena,
		    struct chain_sent_row *row)
{
	const struct rpc_block *head = pool_head(&self->pool);
	size_t length = strlen(entry->why);
	char *why = arena_take(arena, length + 1);
	memcpy(why, entry->why, length);
	*row = (struct chain_sent_row){.id = entry->id,
				       .node = entry->node,
				       .to = entry->to,
				       .value = entry->value,
				       .has_nonce = entry->has_nonce,
				       .nonce = entry->nonce,
				       .attempts = entry->attempts,
				       .has_tx_hash = entry->has_hash,
				       .tx_hash = entry->hash,
				       .has_block = entry->block,
				       .block = entry->block,
				       .max_fee = entry->fee.max,
				       .fee_cap = entry->fee_cap,
				       .has_fee_paid = entry->block,
				       .fee_paid = entry->fee_paid,
				       .asked = entry->asked_s,
				       .why = {why, (uint32_t)length}};
	if (entry->block && head && head->number >= entry->block)
		row->confirmations = head->number - entry->block + 1;
	memcpy(row->purpose, entry->purpose, sizeof row->purpose);
	memcpy(row->method, entry->method, sizeof row->method);
	snprintf(row->state, sizeof row->state, "%s", outbox_state_name(entry->state));
}

enum err on_chain_outbox(struct actor *actor, struct call *call, const struct chain_outbox *in,
			 struct chain_outbox_reply *out)
{
	struct chain *self = actor_state(actor);
	struct entry *found = arena_take(call_arena(call), OUTBOX_LIST * sizeof *found);
	struct chain_sent_row *rows = arena_take(call_arena(call), OUTBOX_LIST * sizeof *rows);
	out->sent_count = outbox_list(self->outbox, in->has_node ? in->node : 0,
				      in->has_before ? in->before : 0, found);
	for (unsigned i = 0; i < out->sent_count; i++) {
		const struct entry *open = outbox_by_id(self->outbox, found[i].id);
		put_row(self, open ? open : &found[i], call_arena(call), &rows[i]);
	}
	out->sent = rows;
	return ERR_OK;
}
