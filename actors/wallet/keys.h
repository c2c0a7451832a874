/* The lasting keys of one node: the wallet's secp256k1 secret and the node's Ed25519 key, and what they
 * derive to. */
#ifndef WARREN_KEYS_H
#define WARREN_KEYS_H

#include "actors/base/secret/secret.h"
#include "actors/wallet/signing.h"

enum { NODE_SEED = 32, NODE_SECRET = 64 };

/* Lives in secret memory only: keys_new(). */
struct wallet_keys {
	uint8_t wallet_secret[WALLET_SECRET]; /* secp256k1, big-endian, 0 < k < n */
	uint8_t node_secret[NODE_SECRET];     /* Ed25519 as libsodium has it: the seed of RFC 8032, then the
						 public key */
	struct address address;
	struct key node_key;
};

/* Empty keys in secret memory; see secret_new() for `best` and `got`. */
struct wallet_keys *keys_new(enum secret_wall best, enum secret_wall *got);
void keys_free(struct wallet_keys **keys); /* wipes; NULL is fine */

/* New random keys. */
void keys_make(struct wallet_keys *keys, struct signer *signer);

/* The keys that these secrets are. False, with *keys wiped, when `wallet_secret` is none of the curve. Either
 * argument may lie in *keys, at its own place. */
bool keys_from(struct wallet_keys *keys, struct signer *signer, const uint8_t wallet_secret[WALLET_SECRET],
	       const uint8_t node_seed[NODE_SEED]);

#endif
