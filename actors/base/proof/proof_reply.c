/* A message becomes a proof. Pure. */
#include "actors/base/proof/proof_reply.h"

void proof_of_reply(const struct store_prove *asked, const struct store_prove_reply *reply,
		    struct proof *proof)
{
	*proof = (struct proof){.cid = asked->cid,
				.size = reply->size,
				.tree = reply->tree,
				.challenge = asked->challenge,
				.node = reply->node,
				.time = reply->time,
				.signature = reply->signature,
				.count = reply->samples_count};
	for (unsigned i = 0; i < proof->count; i++) {
		const struct sample_row *row = &reply->samples[i];
		proof->samples[i] = (struct proof_sample){.leaf = row->leaf,
							  .bytes = row->bytes.at,
							  .length = row->bytes.length,
							  .path = row->path.at,
							  .steps = row->path.length / 32};
	}
}
