/* Asking contracts what changes nothing; part of the process chain. An answer is of the newest block of one good server, and says which. */
#include "actors/chain/chain_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	DATA = 4096,    /* call data of a read */
	ANSWER = 65536, /* bytes of an answer that are decoded */
	TEXT = 16000,   /* of proto/chain.h */
};

/* -- arguments --------------------------------------------------------------------------------- */

/* Where the next "name=" of an argument of this method begins; NULL: nowhere. What is between belongs to a value with spaces. */
static const char *next_argument(const struct abi_method *method, const char *text)
{
	for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' '))
		for (const struct abi_field *field = method->in; field->kind != ABI_END; field++) {
			size_t length = strlen(field->name);
			if (strncmp(at + 1, field->name, length) == 0 && at[1 + length] == '=')
				return at;
		}
	return NULL;
}

static bool all_said(const struct abi_method *method, const bool *said, char why[RPC_WHY])
{
	for (unsigned i = 0; method->in[i].kind != ABI_END; i++)
		if (!said[i]) {
			snprintf(why, RPC_WHY, "%s.%s needs %s=…", method->contract, method->name,
				 method->in[i].name);
			return false;
		}
	return true;
}

size_t encode_words(const struct abi_method *method, const struct view *words, struct arena *arena,
		    uint8_t *data, size_t room, char why[RPC_WHY])
{
	char *text = arena_take(arena, words->length + 1);
	void *in = arena_take(arena, method->in_size + 1U);
	bool said[64] = {false};
	if (words->length)
		memcpy(text, words->at, words->length);
	while (text && *text) {
		char *next = (char *)next_argument(method, text);
		if (next)
			*next = '\0';
		if (abi_set(method, in, text, arena, why))
			return 0;
		size_t name = strcspn(text, "=");
		for (unsigned i = 0; method->in[i].kind != ABI_END && i < 64; i++)
			said[i] = said[i] || (strlen(method->in[i].name) == name &&
					      memcmp(method->in[i].name, text, name) == 0);
		text = next ? next + 1 : NULL;
	}
	if (!all_said(method, said, why))
		return 0;
	size_t length = abi_encode(method, in, data, room);
	if (!length)
		snprintf(why, RPC_WHY, "a value is out of its bounds, or they are too long together");
	return length;
}

/* -- asking ------------------------------------------------------------------------------------ */

struct reading {
	struct call *call;
	const struct abi_method *method;
	uint64_t block;
	void (*reply)(struct chain *self, struct reading *reading, const void *out);
};

static void end_with(struct reading *reading, enum err err, const char *why)
{
	call_fail_why(reading->call, err, why);
	x_free(&reading);
}

static void on_read(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server,
		    const char *why)
{
	struct reading *reading = context;
	const struct rpc_reply *reply = answer ? &answer->replies[2] : NULL;
	(void)server;
	if (!reply || answer->replies[1].kind != RPC_RESULT ||
	    !rpc_u64(answer->replies[1].result, &reading->block)) {
		end_with(reading, ERR_UNAVAILABLE, *why ? why : "no server of the chain answers that");
		return;
	}
	uint8_t *bytes = x_new(ANSWER);
	void *out = x_new(reading->method->out_size + 1U);
	char text[RPC_WHY];
	size_t length = 0;
	if (reply->kind == RPC_ERROR) {
		bool said = reply->data && rpc_bytes(reply->data, bytes, ANSWER, &length);
		end_with(reading, ERR_REFUSED,
			 said ? abi_revert_text(bytes, length, text, sizeof text) : reply->message);
	} else if (!rpc_bytes(reply->result, bytes, ANSWER, &length) ||
		   !abi_decode(reading->method, bytes, length, out)) {
		end_with(reading, ERR_UNAVAILABLE, "what the contract answers is not what its ABI says");
	} else {
		reading->reply(self, reading, out);
		x_free(&reading);
	}
	x_free(&out);
	x_free(&bytes);
}

static enum err ask(struct chain *self, struct call *call, int contract, const struct abi_method *method,
		    const uint8_t *data, size_t length,
		    void (*reply)(struct chain *, struct reading *, const void *))
{
	char to[48], *hex = arena_take(call_arena(call), 2 * length + 5);
	struct reading *reading = x_new(sizeof *reading);
	*reading = (struct reading){.call = call, .method = method, .reply = reply};
	struct job *job = job_new(self, on_read, reading);
	if (!job) {
		x_free(&reading);
		return ERR_BUSY;
	}
	rpc_add(job_batch(job), "eth_blockNumber", "%s", "");
	rpc_add(job_batch(job), "eth_call", "{\"to\":%s,\"data\":%s},\"latest\"",
		rpc_hex(&self->profile.contracts[contract], sizeof self->profile.contracts[contract], to),
		rpc_hex(data, length, hex));
	job_go(job);
	return ERR_KEPT;
}

static enum err fail(struct call *call, enum err err, const char *why)
{
	call_fail_why(call, err, why);
	return ERR_KEPT;
}

/* -- any method -------------------------------------------------------------------------------- */

static void reply_text(struct chain *self, struct reading *reading, const void *out)
{
	(void)self;
	char *text = arena_take(call_arena(reading->call), TEXT);
	size_t length = abi_print(reading->method->out, out, text, TEXT);
	reply_chain_read(reading->call, &(struct chain_read_reply){reading->block, {text, (uint32_t)length}});
}

enum err on_chain_read(struct actor *actor, struct call *call, const struct chain_read *in,
		       struct chain_read_reply *out)
{
	(void)out;
	struct chain *self = actor_state(actor);
	char why[RPC_WHY] = "";
	uint8_t *data = arena_take(call_arena(call), DATA);
	int contract = chain_contract_of(self, in->contract, why);
	if (contract < 0)
		return fail(call, ERR_NOT_FOUND, why);
	const struct abi_method *method = abi_method(in->contract, in->method);
	if (!method || method->effect != ABI_VIEW) {
		snprintf(why, sizeof why,
			 method ? "%s.%.60s changes something: warren call chain chain_send"
				: "%s has no method %.60s",
			 in->contract, in->method);
		return fail(call, ERR_NOT_FOUND, why);
	}
	if (!chain_can(self, contract, method, why))
		return fail(call, ERR_UNAVAILABLE, why);
	size_t length = encode_words(method, &in->args, call_arena(call), data, DATA, why);
	if (!length)
		return fail(call, ERR_BAD_VALUE, why);
	return ask(self, call, contract, method, data, length, reply_text);
}

/* -- a node ------------------------------------------------------------------------------------ */

/* The highest number for what is more than 64 bits: no time or count of a sound contract is. */
static uint64_t small(const struct u256 *number)
{
	uint64_t low = 0;
	for (int i = 0; i < 24; i++)
		if (number->bytes[i])
			return UINT64_MAX;
	for (int i = 24; i < 32; i++)
		low = low << 8 | number->bytes[i];
	return low;
}

static void reply_node(struct chain *self, struct reading *reading, const void *out)
{
	(void)self;
	const struct RelayManager_getNodeByNodeId_out *node = out;
	static const struct address nobody;
	if (memcmp(&node->walletAddress, &nobody, sizeof nobody) == 0) {
		call_fail_why(reading->call, ERR_NOT_FOUND, "no node of that id is registered");
		return;
	}
	struct chain_node_reply reply = {.block = reading->block,
					 .wallet = node->walletAddress,
					 .tier = (uint8_t)node->tier,
					 .stake = node->stakedAmount,
					 .active = node->isActive,
					 .online = node->isOnline,
					 .uptime_today = small(&node->dailyUptimeSeconds),
					 .storage_mb = small(&node->storageMB),
					 .registered = small(&node->registeredAt),
					 .instance = small(&node->instanceNumber),
					 .relayed = small(&node->messagesRelayed),
					 .rewards = node->rewardsEarned,
					 .endpoint = node->endpoint};
	if (reply.endpoint.length > 512)
		reply.endpoint.length = 512;
	reply_chain_node(reading->call, &reply);
}

enum err on_chain_node(struct actor *actor, struct call *call, const struct chain_node *in,
		       struct chain_node_reply *out)
{
	(void)out;
	struct chain *self = actor_state(actor);
	struct RelayManager_getNodeByNodeId asked = {in->node_id};
	const struct abi_method *method = &abi_RelayManager_getNodeByNodeId;
	uint8_t data[64];
	char why[RPC_WHY];
	int contract = chain_contract_of(self, "RelayManager", why);
	if (contract < 0 || !chain_can(self, contract, method, why))
		return fail(call, ERR_UNAVAILABLE, why);
	size_t length = abi_encode(method, &asked, data, sizeof data);
	return ask(self, call, contract, method, data, length, reply_node);
}
