/* A policy, books in a folder, and transactions, for the tests of what may be signed. */
#ifndef WARREN_TESTS_BOOKS_H
#define WARREN_TESTS_BOOKS_H

#include "tests/unit/wallet/folder.h"

#include "actors/base/crypto/crypto.h"
#include "actors/wallet/verdict.h"

#include <stdio.h>

#define RELAY "f78f840ef0e321512b09e98c76ea0229affc4b73"
#define TOKEN "efd7b65676fcd4b6d242cbc067c2470df19df1de"
#define NOON  UINT64_C(1800000000)

/* 1 coin and 0.5 in fees a day; heartbeats; payments of up to 0.6 each 60 s; tokens to RELAY only, 100 a day. All
 * on one chain; of the other the policy has no rule. */
#define POLICY_LINE \
	"chain 1370 1000000000000000000 500000000000000000;" \
	"chain 2 1000000000000000000 500000000000000000;" \
	"rule heartbeat 1370 " RELAY " 0 400000000000000000 0 3 0 0 1248ab2b:1 -;" \
	"rule pay 1370 " RELAY " 600000000000000000 500000000000000000 60 100 0 0 pay -;" \
	"rule approve 1370 " TOKEN " 0 500000000000000000 0 100 2 100 095ea7b3:2 " \
	"1=000000000000000000000000" RELAY ";" \
	"say peer-proof;say hub-challenge;hub hub.example.org;."

struct books {
	struct folder folder;
	struct policy policy;
	struct spent *spent;
	uint64_t now;
	struct refusal refusal;
	uint64_t nonce;
};

static inline void books_make(struct books *books)
{
	bool made;
	folder_make(&books->folder);
	cr_assert(policy_parse(POLICY_LINE, &books->policy));
	cr_assert_eq(spent_open(books->folder.fd, &books->spent, &made), SPENT_OK);
	cr_assert(made);
	books->now = NOON;
}

static inline void books_remove(struct books *books)
{
	spent_free(&books->spent);
	folder_remove(&books->folder);
}

static inline struct u256 wei(const char *coins)
{
	struct u256 amount;
	cr_assert(u256_parse(coins, strlen(coins), 18, &amount));
	return amount;
}

/* 100,000 gas at 1e-6 coins each: 0.1 coins of fee. */
static inline struct transaction books_tx(struct books *books, const char *to, const char *value)
{
	struct transaction tx = {.type = TRANSACTION_FEE_MARKET,
				 .chain_id = 1370,
				 .nonce = books->nonce++,
				 .gas = 100000,
				 .max_fee = wei("0.000001"),
				 .value = wei(value)};
	bytes_of(to, tx.to.bytes, sizeof tx.to.bytes);
	return tx;
}

/* Judges, and enters what is allowed into the books and, as ink would, into the file. */
static inline bool books_sign(struct books *books, const struct transaction *tx)
{
	struct charge charge;
	uint8_t slot[SPENT_SLOT];
	uint64_t now = spent_now(books->spent, books->now);
	if (!verdict_transaction(&books->policy, books->spent, tx, now, &charge, &books->refusal))
		return false;
	random_bytes(charge.once.bytes, sizeof charge.once.bytes);
	uint64_t at = spent_add(books->spent, &charge, now, slot);
	cr_assert_eq(pwrite(spent_fd(books->spent), slot, sizeof slot, (off_t)at), (ssize_t)sizeof slot);
	return true;
}

/* What a kill and a new birth make of it. */
static inline enum spent_end books_reopen(struct books *books)
{
	bool made;
	spent_free(&books->spent);
	enum spent_end end = spent_open(books->folder.fd, &books->spent, &made);
	cr_expect_not(made);
	return end;
}

#endif
