/* Whether a transaction or a statement may be signed: a policy, the books, the clock, and what is asked. Pure but for reading the
 * books; a refusal is a sentence with its inputs. */
#ifndef WARREN_VERDICT_H
#define WARREN_VERDICT_H

#include "actors/wallet/spent.h"
#include "actors/wallet/transaction.h"
#include "proto/reasons.h"

enum { VERDICT_TEXT = 240 };

struct refusal {
	enum reason_code code;      /* REASON_POLICY_… */
	char rule[POLICY_NAME + 1]; /* the rule whose limit it met; "" for none */
	uint64_t when_s; /* since 1970: when it would be allowed, were nothing else signed; 0: not by waiting */
	char why[VERDICT_TEXT];
};

/* True: *charge is what it costs, all but `once`. False: *refusal. The first rule that allows it is the one it is charged to;
 * when none does, the sentence is of the rule that came nearest. */
bool verdict_transaction(const struct policy *policy, const struct spent *spent, const struct transaction *tx, uint64_t now,
			 struct charge *charge, struct refusal *refusal);

enum {
	PEER_PROOF_S = 300,   /* FEATURES D5: older or more ahead than this, nobody takes it */
	HUB_CHALLENGE_S = 30, /* FEATURES H2 */
	RELAY_PROOF_S = 3600, /* FEATURES 1.3: timestamp ≤ now and at most an hour old */
};
bool verdict_peer_proof(const struct policy *policy, uint64_t timestamp, uint64_t wall, struct refusal *refusal);
bool verdict_hub_challenge(const struct policy *policy, const char *hub, uint64_t expires, uint64_t wall,
			   struct refusal *refusal);
bool verdict_relay_proof(const struct policy *policy, uint64_t timestamp, uint64_t wall, struct refusal *refusal);

#endif
