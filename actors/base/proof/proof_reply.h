/* What a store answers to store_prove, as a proof: for those who print it. */
#ifndef WARREN_PROOF_REPLY_H
#define WARREN_PROOF_REPLY_H

#include "actors/base/proof/proof.h"
#include "proto/store.h"

/* The samples point into the reply. */
void proof_of_reply(const struct store_prove *asked, const struct store_prove_reply *reply, struct proof *proof);

#endif
