/* Ethereum transactions of the two kinds that we sign: legacy with a chain id (EIP-155), and fee market (EIP-2718 type 2,
 * EIP-1559, with an empty access list). The bytes are always built here, from fields that were looked at. */
#ifndef WARREN_TRANSACTION_H
#define WARREN_TRANSACTION_H

#include "actors/wallet/signing.h"
#include "proto/u256.h"

enum {
	TRANSACTION_LEGACY = 0,
	TRANSACTION_FEE_MARKET = 2,
	TRANSACTION_DATA = 3072, /* the longest call data, bytes */
	TRANSACTION_RAW = 4096,  /* the longest signed transaction */
	TRANSACTION_GAS = 21000, /* the least that any costs (Yellow Paper, G_transaction) */
};

struct transaction {
	uint8_t type;
	uint64_t chain_id, nonce, gas;
	struct u256 max_fee;      /* wei for each gas; a legacy one's gas price */
	struct u256 max_priority; /* of it, at most so much to whoever includes it; 0 in a legacy one */
	struct address to;        /* always somebody: we make no contracts */
	struct u256 value;        /* wei */
	const uint8_t *data;
	size_t data_length;
};

/* What is wrong with it, whoever asks and whatever is allowed; NULL when nothing is. */
const char *transaction_wrong(const struct transaction *tx);

/* The most it can cost in fees: gas × max_fee. False: more than 256 bits. */
bool transaction_fee(const struct transaction *tx, struct u256 *fee);

/* What is signed: Keccak-256 of the unsigned transaction. Two transactions with the same digest are the same. Of one that
 * transaction_wrong() finds nothing wrong with; so is the next. */
void transaction_digest(const struct transaction *tx, uint8_t digest[32]);

/* Signs (RFC 6979, low s) and returns the length of what a node takes as raw transaction; *hash is its name on the chain. */
size_t transaction_sign(const struct transaction *tx, struct signer *signer, const uint8_t secret[WALLET_SECRET],
			uint8_t raw[TRANSACTION_RAW], struct hash *hash);

#endif
