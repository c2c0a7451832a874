/* What the files of the process (wallet.c, wallet_*.c) share: its one self. */
#ifndef WARREN_WALLET_SELF_H
#define WARREN_WALLET_SELF_H

#include "actors/base/actor.h"
#include "actors/base/age/age.h"
#include "actors/base/crypto/crypto.h"
#include "actors/wallet/ink.h"
#include "actors/wallet/keys.h"
#include "actors/wallet/spent.h"
#include "actors/wallet/statement.h"
#include "actors/wallet/transaction.h"
#include "actors/wallet/verdict.h"
#include "proto/policy.h"
#include "proto/wallet.h"

#include <time.h>

/* A call whose charge is on its way to the disk. */
struct waiting {
	struct call *call;
	struct transaction tx; /* its data lies in the call's arena */
	char rule[POLICY_NAME + 1], purpose[65];
	uint64_t put; /* it is dry when so many slots are */
};

struct wallet {
	struct wallet_keys *keys; /* secret memory */
	struct signer *signer;
	char address[ADDRESS_TEXT];
	char peer_id[PEER_ID_TEXT];
	struct statement statement;
	struct policy policy;
	struct spent *spent;
	struct age age; /* by which budgets come back */
	struct ink *ink;
	uint64_t put;                            /* slots given to the ink */
	struct waiting waiting[SPENT_UNDER_WAY]; /* in the order they came */
	uint64_t waiting_count, waiting_high, waiting_busy;
};

/* Ends the call with a reason: for the asker, the log, `warren why` and whoever hears alerts. */
enum err wallet_refuse(struct actor *self, struct call *call, const char *name, const struct refusal *refusal);

static inline uint64_t wall_clock(void)
{
	return (uint64_t)time(NULL);
}

#endif
