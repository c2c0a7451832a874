/* Which chain this machine speaks to, as its configuration says: told to the steward when it is born, so that one may ask also while
 * the process that speaks to it is away. */
#include "actors/base/actor.h"
#include "actors/base/memory/memory.h"
#include "proto/chain_profile.h"
#include "proto/steward.h"

#include <stdio.h>
#include <string.h>

/* The path of a URL may hold a key that somebody pays for: it is the operators' to see. */
static struct view shown_url(struct arena *arena, const char *url, bool whole)
{
	size_t host = strcspn(url, ":") + 3, length = host + strcspn(url + host, "/?#");
	bool cut = !whole && url[length] && strcmp(url + length, "/") != 0;
	size_t room = strlen(url) + 8;
	char *text = arena_take(arena, room);
	int wrote = cut ? snprintf(text, room, "%.*s/…", (int)length, url) : snprintf(text, room, "%s", url);
	return (struct view){text, (uint32_t)wrote};
}

enum err on_steward_chain(struct actor *actor, struct call *call, const struct steward_chain *in,
			  struct steward_chain_reply *out)
{
	(void)in;
	struct chain_profile profile;
	if (!chain_profile_parse(actor_setting(actor, "chain_profile"), &profile))
		return ERR_OK; /* none: nothing is set */
	struct arena *arena = call_arena(call);
	bool whole = call_asker(call).kind == OPERATOR;
	struct profile_url *urls = arena_take(arena, CHAIN_URLS * sizeof *urls);
	struct profile_contract *contracts = arena_take(arena, CHAIN_CONTRACT_COUNT * sizeof *contracts);
	for (unsigned i = 0; i < profile.rpc_count; i++)
		urls[i].url = shown_url(arena, profile.rpc[i], whole);
	for (unsigned i = 0; i < CHAIN_CONTRACT_COUNT; i++) {
		if (!(profile.known & 1U << i))
			continue;
		struct profile_contract *contract = &contracts[out->contracts_count++];
		*contract = (struct profile_contract){.address = profile.contracts[i]};
		snprintf(contract->name, sizeof contract->name, "%s", chain_contract_name(i));
	}
	snprintf(out->name, sizeof out->name, "%s", profile.name);
	snprintf(out->fee, sizeof out->fee, "%s", chain_fee_name(profile.fee));
	out->id = profile.id;
	out->confirmations = profile.confirmations;
	out->block_s = profile.block_s;
	out->urls = urls;
	out->urls_count = profile.rpc_count;
	out->contracts = contracts;
	return ERR_OK;
}
