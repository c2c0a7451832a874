/* The cryptography of a V3 keystore. Runs in `warren-wallet --init` alone, never on the bus: scrypt takes 256 MiB. What
 * a library needed of a passphrase or a key it clears itself; our own copies are the caller's, in secret memory. */
#include "actors/wallet/keystore.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/secret/secret.h"

#include <nettle/aes.h>
#include <nettle/ctr.h>
#include <nettle/pbkdf2.h>
#include <sodium.h>
#include <string.h>

static void derive(const struct keystore *keystore, const char *passphrase, uint8_t derived[32])
{
	size_t length = strlen(passphrase);
	const uint8_t *bytes = (const uint8_t *)passphrase;
	bool done = true;
	if (keystore->kdf == KDF_SCRYPT)
		done = crypto_pwhash_scryptsalsa208sha256_ll(bytes, length, keystore->salt,
							     keystore->salt_length, keystore->n, keystore->r,
							     keystore->p, derived, 32) == 0;
	else
		pbkdf2_hmac_sha256(length, bytes, keystore->rounds, keystore->salt_length, keystore->salt, 32,
				   derived);
	bug_if(!done); /* parameters were bounded; what is left is no memory */
	secret_wipe_stack();
}

/* nettle's functions have contexts of their own types; ctr_crypt() gives its own back as it was given. */
static void block(const void *context, size_t length, uint8_t *out, const uint8_t *in)
{
	aes128_encrypt(context, length, out, in);
}

/* AES-128-CTR: the same both ways. */
static void encrypt(const uint8_t key[16], const uint8_t iv[16], const uint8_t in[32], uint8_t out[32])
{
	struct aes128_ctx context;
	uint8_t counter[16];
	memcpy(counter, iv, sizeof counter);
	aes128_set_encrypt_key(&context, key);
	ctr_crypt(&context, block, sizeof counter, counter, 32, out, in);
	wipe(&context, sizeof context);
	secret_wipe_stack();
}

/* Keccak-256 of the second half of the derived key and the ciphertext. */
static void authenticate(const uint8_t derived[32], const uint8_t ciphertext[32], uint8_t mac[32])
{
	uint8_t both[48];
	memcpy(both, derived + 16, 16);
	memcpy(both + 16, ciphertext, 32);
	keccak256(both, sizeof both, mac);
	wipe(both, sizeof both);
	secret_wipe_stack();
}

bool keystore_open(const struct keystore *keystore, const char *passphrase, struct keystore_work *work,
		   uint8_t secret[WALLET_SECRET])
{
	uint8_t mac[32];
	derive(keystore, passphrase, work->derived);
	authenticate(work->derived, keystore->ciphertext, mac);
	bool same = same_bytes(mac, keystore->mac, sizeof mac);
	if (same)
		encrypt(work->derived, keystore->iv, keystore->ciphertext, secret);
	else
		wipe(secret, WALLET_SECRET);
	wipe(work, sizeof *work);
	return same;
}

void keystore_seal(const uint8_t secret[WALLET_SECRET], const struct address *address, const char *passphrase,
		   uint32_t n, struct keystore_work *work, struct keystore *keystore)
{
	*keystore = (struct keystore){.kdf = KDF_SCRYPT,
				      .n = n ? n : KEYSTORE_N,
				      .r = KEYSTORE_R,
				      .p = 1,
				      .salt_length = 32,
				      .has_address = true,
				      .address = *address};
	random_bytes(keystore->salt, keystore->salt_length);
	random_bytes(keystore->iv, sizeof keystore->iv);
	derive(keystore, passphrase, work->derived);
	encrypt(work->derived, keystore->iv, secret, keystore->ciphertext);
	authenticate(work->derived, keystore->ciphertext, keystore->mac);

	uint8_t again[WALLET_SECRET]; /* what does not open is not given out */
	encrypt(work->derived, keystore->iv, keystore->ciphertext, again);
	bug_if(!same_bytes(again, secret, sizeof again));
	wipe(again, sizeof again);
	wipe(work, sizeof *work);
}
