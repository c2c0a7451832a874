/* What the files of the process (store.c, store_*.c) share: its one self. */
#ifndef WARREN_STORE_SELF_H
#define WARREN_STORE_SELF_H

#include "actors/base/actor.h"
#include "actors/base/crypto/crypto.h"
#include "actors/store/prove.h"
#include "actors/store/stream.h"

struct store_actor {
	struct store *store;
	struct streams *streams;
	struct provers *provers;
	bool proving; /* a timer is set for the next step */
	struct shards shards;
	char peer_id[PEER_ID_TEXT + 1], owner[ADDRESS_TEXT];
	struct key key;
	bool key_known, owner_known;
	unsigned answers_due; /* of the wallet */
	uint64_t ask_again_ms;
	uint64_t opened_ms, again_ms; /* again_ms: it ends, to be born anew; 0: it does not */
	bool checking_all, full;
	struct store_figures figures; /* what `warren limits` shows; refreshed each second */
};

static inline struct store_actor *self_of(struct actor *self)
{
	return actor_state(self);
}

#endif
