/* The cryptography that several actors need, each primitive from a packaged library: libgcrypt (SHA-256, AES-256-GCM), nettle
 * (HMAC, HKDF, Keccak-f under our sponge), the kernel (random), libsodium (comparing). Signatures are not here: who
 * holds a key calls libsodium or libsecp256k1 itself. Nothing here does I/O. No function fails except unseal(): a library
 * that refuses known-good arguments is a bug() and aborts. All may be called from any thread. */
#ifndef WARREN_CRYPTO_H
#define WARREN_CRYPTO_H

#include "proto/ids.h"

/* Uses every primitive once and compares it with its published vector (aborts when one differs), and initialises libsodium.
 * Whatever the libraries load late is loaded after this, so that all works behind a seal. Before the seal; twice is harmless. */
void crypto_warm(void);

/* -- digests -------------------------------------------------------------------------------------------------------- */

struct sha256; /* a running digest; x_new'd */
struct sha256 *sha256_begin(void);
void sha256_add(struct sha256 *digest, const void *bytes, size_t length);
void sha256_end(struct sha256 **digest, uint8_t out[32]); /* frees it and leaves NULL */
void sha256_drop(struct sha256 **digest);                 /* frees it without a result; NULL is fine */
void sha256(const void *bytes, size_t length, uint8_t out[32]);

/* Ethereum's Keccak-256 (padding 0x01, not SHA-3's 0x06). Vector: "" is c5d24601…5d85a470. */
void keccak256(const void *bytes, size_t length, uint8_t out[32]);

void hmac_sha256(const uint8_t key[32], const void *bytes, size_t length, uint8_t out[32]);

/* HKDF-SHA-256, RFC 5869, with salt and info as given. */
void hkdf_sha256(const uint8_t *key, size_t key_length, const void *salt, size_t salt_length, const void *info,
		 size_t info_length, uint8_t *out, size_t out_length);

/* -- sealing -------------------------------------------------------------------------------------------------------- */

enum { SEAL_KEY = 32, SEAL_NONCE = 12, SEAL_TAG = 16 };

struct sealer; /* AES-256-GCM with one key: the key schedule is computed once. x_new'd. */
struct sealer *sealer_new(const uint8_t key[SEAL_KEY]);
void sealer_free(struct sealer **sealer);

/* out holds length + SEAL_TAG bytes: ciphertext, then tag. `out` may be `plain`. A nonce is never used twice with a key. */
void seal(struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *about, size_t about_length,
	  const uint8_t *plain, size_t length, uint8_t *out);

/* `sealed` is length + SEAL_TAG bytes, out holds length. False when the tag does not match; out is then zeroed. */
bool unseal(struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *about, size_t about_length,
	    const uint8_t *sealed, size_t length, uint8_t *out);

/* -- random, compare ------------------------------------------------------------------------------------------------ */

void random_bytes(void *at, size_t length); /* getrandom(2); aborts if the kernel has none */
bool same_bytes(const void *a, const void *b, size_t length); /* in constant time */

/* -- texts that need a digest --------------------------------------------------------------------------------------- */

enum { ADDRESS_TEXT = 43, PEER_ID_TEXT = 64 };

/* EIP-55: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed". */
const char *address_text(const struct address *address, char text[ADDRESS_TEXT]);

/* libp2p peer id of an Ed25519 key: base58btc of 0x00 0x24 0x08 0x01 0x12 0x20 and the key; begins 12D3KooW. */
const char *peer_id_text(const struct key *key, char text[PEER_ID_TEXT]);

/* The shard that owns a CID (FEATURES K8). Vector: "hello bytecave\n" is in shard 971 of 1024. */
uint32_t cid_shard(const struct cid *cid, uint32_t count);

#endif
