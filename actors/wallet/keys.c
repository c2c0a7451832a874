/* Keys in memory: making them, deriving what is public. Runs as wallet@N, in secret memory; when the process
 * dies they are gone until the sealed file is opened again. */
#include "actors/wallet/keys.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <sodium.h>
#include <string.h>

struct wallet_keys *keys_new(enum secret_wall best, enum secret_wall *got)
{
	return secret_new(sizeof(struct wallet_keys), best, got);
}

void keys_free(struct wallet_keys **keys)
{
	secret_free(keys, sizeof **keys);
}

bool keys_from(struct wallet_keys *keys, struct signer *signer, const uint8_t wallet_secret[WALLET_SECRET],
	       const uint8_t node_seed[NODE_SEED])
{
	/* libsodium writes the secret key before it has done with the seed: the two may not overlap. */
	uint8_t seed[NODE_SEED];
	memcpy(seed, node_seed, sizeof seed);
	memmove(keys->wallet_secret, wallet_secret, WALLET_SECRET);
	bool valid = signer_address(signer, keys->wallet_secret, &keys->address);
	if (valid)
		bug_if(crypto_sign_seed_keypair(keys->node_key.bytes, keys->node_secret, seed) != 0);
	else
		wipe(keys, sizeof *keys);
	wipe(seed, sizeof seed);
	secret_wipe_stack();
	return valid;
}

void keys_make(struct wallet_keys *keys, struct signer *signer)
{
	do { /* one in 2^127 is out of range */
		random_bytes(keys->wallet_secret, WALLET_SECRET);
		random_bytes(keys->node_secret, NODE_SEED);
	} while (!keys_from(keys, signer, keys->wallet_secret, keys->node_secret));
}
