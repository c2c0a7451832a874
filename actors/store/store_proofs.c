/* store@N, the calls about proofs: the store reads the blob and draws the leaves (prove.c), the wallet signs what it understood,
 * and the asker gets both. Part of the process: runs as it, dies with it. */
#include "actors/store/store_self.h"
#include "proto/store.h"
#include "proto/wallet.h"

#include <stdio.h>
#include <string.h>

struct proving {
	struct actor *actor;
	struct call *call;
	struct prover *prover;
	struct hash root;
};

static void proving_end(struct proving *proving, enum err err)
{
	prover_end(&proving->prover, err);
	if (err != ERR_OK)
		call_fail(proving->call, err);
	x_free(&proving);
}

static void on_signed(struct actor *self, void *context, enum err err,
		      const struct wallet_sign_storage_proof_reply *reply)
{
	(void)self;
	struct proving *proving = context;
	const struct proof *proof = prover_proof(proving->prover);
	struct sample_row rows[PROOF_SAMPLES];
	if (err != ERR_OK || memcmp(&reply->node, &proof->node, sizeof reply->node) != 0) {
		proving_end(proving, ERR_UNAVAILABLE);
		return;
	}
	for (unsigned i = 0; i < proof->count; i++) {
		const struct proof_sample *sample = &proof->samples[i];
		rows[i] = (struct sample_row){sample->leaf,
					      {sample->bytes, (uint32_t)sample->length},
					      {sample->path, (uint32_t)(32 * sample->steps)}};
	}
	reply_store_prove(proving->call, &(struct store_prove_reply){.size = proof->size,
								     .tree = proof->tree,
								     .root = proving->root,
								     .node = reply->node,
								     .time = reply->time,
								     .signature = reply->signature,
								     .samples = rows,
								     .samples_count = proof->count});
	proving_end(proving, ERR_OK);
}

static void on_proved(void *context, struct prover *prover, enum err err)
{
	struct proving *proving = context;
	const struct proof *proof = prover_proof(prover);
	proving->prover = prover;
	if (err != ERR_OK) {
		proving_end(proving, err);
		return;
	}
	struct wallet_sign_storage_proof in = {
		.cid = proof->cid, .size = proof->size, .challenge = proof->challenge};
	proof_answer(proof, &in.answer);
	proof_root(proof->size, &proof->tree, &in.root);
	proving->root = in.root;
	if (ask_wallet_sign_storage_proof(proving->actor, actor_node(proving->actor), &in, on_signed,
					  proving) != ERR_OK)
		proving_end(proving, ERR_UNAVAILABLE);
}

/* A step each time around the loop: puts and gets have their turn in between. */
static void prove(struct actor *self, void *context)
{
	(void)context;
	struct store_actor *store = self_of(self);
	store->proving = provers_turn(store->provers);
	if (store->proving)
		actor_after(self, 0, prove, NULL);
}

enum err on_store_prove(struct actor *self, struct call *call, const struct store_prove *in,
			struct store_prove_reply *out)
{
	(void)out;
	struct store_actor *store = self_of(self);
	if (!store->key_known)
		return ERR_NOT_READY;
	if (!in->samples)
		return ERR_BAD_VALUE;
	struct proving *proving = x_new(sizeof *proving);
	*proving = (struct proving){.actor = self, .call = call};
	const struct prove_wanted wanted = {in->cid, store->key, in->challenge, in->samples};
	enum err err = prover_begin(store->provers, &wanted, on_proved, proving);
	if (err != ERR_KEPT)
		x_free(&proving);
	else if (!store->proving)
		prove(self, NULL);
	return err;
}

enum err on_store_proofs(struct actor *self, struct call *call, const struct store_proofs *in,
			 struct store_proofs_reply *out)
{
	const struct provers *provers = self_of(self)->provers;
	const struct proofs_told *told = proofs_told(provers);
	struct proof_sum *sums = arena_take(call_arena(call), PROVE_ERRS * sizeof *sums);
	struct proof_row *rows = arena_take(call_arena(call), PROOFS_REMEMBERED * sizeof *rows);
	const struct proof_past *past;
	for (unsigned err = 0; err < PROVE_ERRS; err++) {
		if (!told->failed_by[err])
			continue;
		struct proof_sum *sum = &sums[out->failed_count++];
		sum->count = told->failed_by[err];
		snprintf(sum->end, sizeof sum->end, "%s", err_name(err));
	}
	for (unsigned i = 0; (past = proof_past(provers, i)); i++) {
		if (in->has_cid && memcmp(&in->cid, &past->cid, sizeof in->cid) != 0)
			continue;
		struct proof_row *row = &rows[out->proofs_count++];
		*row = (struct proof_row){
			.cid = past->cid, .challenge = past->challenge, .at = past->at, .ms = past->ms};
		snprintf(row->end, sizeof row->end, "%s", err_name(past->err));
	}
	out->proved = told->proved;
	out->failed = sums;
	out->proofs = rows;
	return ERR_OK;
}
