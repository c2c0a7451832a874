/* Transactions: looked at, built, signed. Plain C; runs as wallet@N, uses the secret it is given and keeps nothing. */
#include "actors/wallet/transaction.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/wallet/rlp.h"
#include "actors/wallet/signing_inside.h"

#include <string.h>

enum { V_CHAIN = 35 }; /* EIP-155: v = chain id × 2 + 35 + parity */

const char *transaction_wrong(const struct transaction *tx)
{
	static const struct address nobody;
	struct u256 fee, cost;
	if (tx->type != TRANSACTION_LEGACY && tx->type != TRANSACTION_FEE_MARKET)
		return "there is no such type of transaction: 0 (legacy) or 2 (fee market)";
	if (tx->chain_id == 0 || tx->chain_id > UINT32_MAX)
		return "a transaction without a chain id counts on every chain; give one (EIP-155)";
	if (tx->nonce == UINT64_MAX)
		return "no nonce can be so high (EIP-2681)";
	if (tx->gas < TRANSACTION_GAS)
		return "no transaction costs less than 21000 gas";
	if (u256_compare(&tx->max_priority, &tx->max_fee) > 0)
		return "max_priority is above max_fee (EIP-1559)";
	if (tx->type == TRANSACTION_LEGACY && !u256_is_zero(&tx->max_priority))
		return "a legacy transaction has no max_priority";
	if (memcmp(&tx->to, &nobody, sizeof nobody) == 0)
		return "it is for nobody: this wallet makes no contracts and burns nothing";
	if (tx->data_length > TRANSACTION_DATA)
		return "its data is longer than 3072 bytes";
	if (!transaction_fee(tx, &fee) || !u256_add(&cost, &fee, &tx->value))
		return "its cost does not fit in 256 bits";
	return NULL;
}

bool transaction_fee(const struct transaction *tx, struct u256 *fee)
{
	return u256_multiply(fee, &tx->max_fee, tx->gas);
}

/* The fields that are signed, in their order. */
static void put_fields(struct rlp *list, const struct transaction *tx)
{
	bool legacy = tx->type == TRANSACTION_LEGACY;
	if (!legacy)
		rlp_number(list, tx->chain_id);
	rlp_number(list, tx->nonce);
	if (!legacy)
		rlp_u256(list, &tx->max_priority);
	rlp_u256(list, &tx->max_fee);
	rlp_number(list, tx->gas);
	rlp_bytes(list, tx->to.bytes, sizeof tx->to.bytes);
	rlp_u256(list, &tx->value);
	rlp_bytes(list, tx->data, tx->data_length);
	if (!legacy)
		rlp_empty_list(list);
}

/* Type byte, head, items. */
static size_t wrap(const struct transaction *tx, const struct rlp *list, uint8_t raw[TRANSACTION_RAW])
{
	size_t used = 0;
	uint8_t head[RLP_HEAD];
	size_t length = rlp_list_head(list->used, head);
	bug_if(list->full || 1 + length + list->used > TRANSACTION_RAW);
	if (tx->type != TRANSACTION_LEGACY)
		raw[used++] = tx->type;
	memcpy(raw + used, head, length);
	memcpy(raw + used + length, list->at, list->used);
	return used + length + list->used;
}

void transaction_digest(const struct transaction *tx, uint8_t digest[32])
{
	uint8_t items[TRANSACTION_RAW], raw[TRANSACTION_RAW];
	struct rlp list = {.at = items, .room = sizeof items};
	bug_if(transaction_wrong(tx));
	put_fields(&list, tx);
	if (tx->type == TRANSACTION_LEGACY) { /* EIP-155: chain id, 0, 0 */
		rlp_number(&list, tx->chain_id);
		rlp_number(&list, 0);
		rlp_number(&list, 0);
	}
	keccak256(raw, wrap(tx, &list, raw), digest);
}

size_t transaction_sign(const struct transaction *tx, struct signer *signer,
			const uint8_t secret[WALLET_SECRET], uint8_t raw[TRANSACTION_RAW], struct hash *hash)
{
	uint8_t digest[32], items[TRANSACTION_RAW];
	struct rlp list = {.at = items, .room = sizeof items};
	struct u256 r, s;
	transaction_digest(tx, digest);
	struct signed_digest made = sign_digest(signer, secret, digest);
	memcpy(r.bytes, made.r, sizeof r.bytes);
	memcpy(s.bytes, made.s, sizeof s.bytes);
	put_fields(&list, tx);
	if (tx->type == TRANSACTION_LEGACY)
		rlp_number(&list, 2 * tx->chain_id + V_CHAIN + made.parity);
	else
		rlp_number(&list, made.parity);
	rlp_u256(&list, &r);
	rlp_u256(&list, &s);
	size_t length = wrap(tx, &list, raw);
	keccak256(raw, length, hash->bytes);
	return length;
}
