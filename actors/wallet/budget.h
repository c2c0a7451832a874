/* The policy and what is left of it, as rows for people. */
#ifndef WARREN_BUDGET_H
#define WARREN_BUDGET_H

#include "actors/base/memory/memory.h"
#include "actors/wallet/spent.h"
#include "proto/wallet.h"

/* Fills the reply; its texts and rows lie in the arena, which must have room for them. */
void budget_rows(const struct policy *policy, const struct spent *spent, uint64_t now, struct arena *arena,
		 struct wallet_policy_reply *out);

#endif
