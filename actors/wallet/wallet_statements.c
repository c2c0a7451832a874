/* wallet@N, the calls that sign statements: what root's policy allows with the wallet's key, and proofs of storage with the
 * node's. Part of the process: runs as it, dies with it. */
#include "actors/base/crypto/crypto.h"
#include "actors/base/proof/proof.h"
#include "actors/base/reasons/reasons.h"
#include "actors/wallet/saying.h"
#include "actors/wallet/wallet_self.h"

#include <sodium.h>
#include <string.h>

static struct view in_arena(struct call *call, const char *text)
{
	size_t length = strlen(text);
	char *kept = arena_take(call_arena(call), length + 1);
	memcpy(kept, text, length);
	return (struct view){kept, (uint32_t)length};
}

static void say(struct wallet *wallet, struct call *call, const char *text, struct view *statement,
		struct signature *signature)
{
	reason_over(REASON_POLICY_STATEMENT, NULL);
	*statement = in_arena(call, text);
	sign_personal(wallet->signer, wallet->keys->wallet_secret, text, strlen(text), signature);
}

enum err on_wallet_sign_peer_proof(struct actor *self, struct call *call,
				   const struct wallet_sign_peer_proof *in,
				   struct wallet_sign_peer_proof_reply *out)
{
	struct wallet *wallet = actor_state(self);
	struct refusal refusal;
	char text[SAYING_TEXT];
	if (!verdict_peer_proof(&wallet->policy, in->timestamp, wall_clock(), &refusal))
		return wallet_refuse(self, call, "wallet_sign_peer_proof", &refusal);
	saying_peer_proof(&wallet->keys->address, in->timestamp, text);
	say(wallet, call, text, &out->statement, &out->signature);
	return ERR_OK;
}

enum err on_wallet_sign_hub_challenge(struct actor *self, struct call *call,
				      const struct wallet_sign_hub_challenge *in,
				      struct wallet_sign_hub_challenge_reply *out)
{
	struct wallet *wallet = actor_state(self);
	struct refusal refusal;
	char text[SAYING_TEXT];
	if (!verdict_hub_challenge(&wallet->policy, in->hub, in->expires, wall_clock(), &refusal))
		return wallet_refuse(self, call, "wallet_sign_hub_challenge", &refusal);
	const struct hub_challenge challenge = {in->hub, in->challenge, in->has_session, in->session,
						in->expires};
	saying_hub_challenge(&wallet->keys->address, &challenge, text);
	say(wallet, call, text, &out->statement, &out->signature);
	return ERR_OK;
}

enum err on_wallet_sign_relay_proof(struct actor *self, struct call *call,
				    const struct wallet_sign_relay_proof *in,
				    struct wallet_sign_relay_proof_reply *out)
{
	struct wallet *wallet = actor_state(self);
	struct refusal refusal;
	if (!verdict_relay_proof(&wallet->policy, in->timestamp, wall_clock(), &refusal))
		return wallet_refuse(self, call, "wallet_sign_relay_proof", &refusal);
	reason_over(REASON_POLICY_STATEMENT, NULL);
	saying_relay_proof(&in->message_hash, &in->node_id, in->timestamp, &in->relay_nonce, &out->said);
	sign_personal(wallet->signer, wallet->keys->wallet_secret, (const char *)out->said.bytes,
		      sizeof out->said.bytes, &out->signature);
	return ERR_OK;
}

/* No policy: it is worth nothing without the bytes, which the verifier checks; a taken store can sign nothing else with it. */
enum err on_wallet_sign_storage_proof(struct actor *self, struct call *call,
				      const struct wallet_sign_storage_proof *in,
				      struct wallet_sign_storage_proof_reply *out)
{
	(void)call;
	const struct wallet *wallet = actor_state(self);
	const struct proof_said said = {.node = wallet->keys->node_key,
					.cid = in->cid,
					.size = in->size,
					.root = in->root,
					.challenge = in->challenge,
					.answer = in->answer,
					.time = wall_clock()};
	char text[PROOF_TEXT];
	size_t length = proof_statement(&said, text);
	bug_if(crypto_sign_detached(out->signature.bytes, NULL, (const uint8_t *)text, length,
				    wallet->keys->node_secret) != 0);
	secret_wipe_stack();
	out->node = said.node;
	out->time = said.time;
	return ERR_OK;
}
