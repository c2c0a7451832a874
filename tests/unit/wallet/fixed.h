/* Keys that everybody knows, for tests: the wallet of web3.js's documentation, RFC 8032's first test key. */
#ifndef WARREN_TESTS_FIXED_H
#define WARREN_TESTS_FIXED_H

#include "tests/unit/crypto/vectors.h"

#include "actors/wallet/keys.h"

#define FIXED_SECRET   "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
#define FIXED_ADDRESS  "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
#define FIXED_SEED     "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define FIXED_NODE_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

static inline struct wallet_keys *fixed_keys(struct signer *signer)
{
	enum secret_wall got;
	uint8_t secret[WALLET_SECRET], seed[NODE_SEED];
	struct wallet_keys *keys = keys_new(SECRET_HIDDEN, &got);
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	bytes_of(FIXED_SEED, seed, sizeof seed);
	cr_assert(keys_from(keys, signer, secret, seed));
	return keys;
}

#endif
