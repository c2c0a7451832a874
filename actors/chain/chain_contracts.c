/* The contracts of the profile: where they are, and what their code can do; part of the process chain. What a deployed contract lacks is
 * switched off, method by method, and said once. */
#include "actors/chain/chain_self.h"

#include <stdio.h>
#include <string.h>

enum { PROBE_AGAIN_MS = 30000 };

int chain_contract_of(struct chain *self, const char *name, char why[RPC_WHY])
{
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++) {
		if (strcmp(chain_contract_name(i), name) != 0)
			continue;
		if (self->profile.known & 1U << i)
			return (int)i;
		snprintf(why, RPC_WHY, "the profile %s has no %s; name its address in etc/chain-%s.conf",
			 self->profile.name, name, self->profile.name);
		return -1;
	}
	snprintf(why, RPC_WHY, "no contract is called %.40s; warren call chain chain_contracts names them",
		 name);
	return -1;
}

bool chain_can(struct chain *self, int contract, const struct abi_method *method, char why[RPC_WHY])
{
	const struct probe *probe = &self->probes[contract];
	if (!probe->done)
		snprintf(why, RPC_WHY, "its code was not looked at yet; ask again shortly");
	else if (!probe->there)
		snprintf(why, RPC_WHY, "there is no contract at the address of %s on this chain",
			 method->contract);
	else if (!probe_has(probe, method))
		snprintf(why, RPC_WHY, "the %s that is deployed has no %s: that feature is off",
			 method->contract, method->name);
	else
		return true;
	return false;
}

static void look_at_code(struct chain *self, unsigned contract, const struct rpc_reply *reply)
{
	static uint8_t code[PROBE_CODE]; /* one at a time, and too much for a stack */
	size_t length;
	char missing[400];
	const char *name = chain_contract_name(contract);
	if (reply->kind != RPC_RESULT || !rpc_bytes(reply->result, code, sizeof code, &length))
		return;
	struct probe *probe = &self->probes[contract];
	bool first = !probe->done;
	probe_code(probe, name, code, length);
	if (!probe->there && first)
		log_warn("chain.no_contract", "contract=%s why=\"no code at its address\"", name);
	unsigned lacks = probe->there ? probe_missing(probe, name, missing, sizeof missing) : 0;
	if (lacks)
		log_warn("chain.lacks", "contract=%s methods=%u off=\"%s\"", name, lacks, missing);
}

static void on_code(struct chain *self, void *context, const struct rpc_answer *answer, unsigned server,
		    const char *why)
{
	(void)context, (void)server, (void)why;
	unsigned place = 1;
	self->probing = false;
	for (unsigned i = 0; answer && i < CHAIN_CONTRACT_COUNT; i++)
		if (self->profile.known & 1U << i)
			look_at_code(self, i, &answer->replies[place++]);
}

static bool all_probed(const struct chain *self)
{
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++)
		if (self->profile.known & 1U << i && !(self->probes[i].done && self->probes[i].there))
			return false;
	return true;
}

/* Code does not change; what was not there may come. */
void contracts_turn(struct chain *self)
{
	char hex[48], text[POOL_WHY];
	if (self->probing || all_probed(self) || chain_trouble(self, text) ||
	    (self->probed_ms && now_ms() - self->probed_ms < PROBE_AGAIN_MS))
		return;
	struct job *job = job_new(self, on_code, NULL);
	if (!job)
		return;
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++)
		if (self->profile.known & 1U << i)
			rpc_add(job_batch(job), "eth_getCode", "%s,\"latest\"",
				rpc_hex(&self->profile.contracts[i], sizeof self->profile.contracts[i], hex));
	self->probing = true;
	self->probed_ms = now_ms();
	job_go(job);
}

enum err on_chain_contracts(struct actor *actor, struct call *call, const struct chain_contracts *in,
			    struct chain_contracts_reply *out)
{
	(void)in;
	enum { MISSING = 4000 };
	struct chain *self = actor_state(actor);
	struct chain_contract_row *rows = arena_take(call_arena(call), CHAIN_CONTRACT_COUNT * sizeof *rows);
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++) {
		const struct probe *probe = &self->probes[i];
		char *missing = arena_take(call_arena(call), MISSING);
		if (!(self->profile.known & 1U << i))
			continue;
		struct chain_contract_row *row = &rows[out->contracts_count++];
		unsigned lacks = probe_missing(probe, chain_contract_name(i), missing, MISSING);
		*row = (struct chain_contract_row){.address = self->profile.contracts[i],
						   .probed = probe->done,
						   .there = probe->there,
						   .methods = probe->methods - lacks,
						   .missing = {missing, (uint32_t)strlen(missing)}};
		snprintf(row->contract, sizeof row->contract, "%s", chain_contract_name(i));
	}
	out->contracts = rows;
	return ERR_OK;
}
