/* Web3 Secret Storage, version 3: how other Ethereum programs keep one secret under a passphrase. Only for import and export; at
 * rest we have keyfile.h. Format: ethereum.org, "Web3 secret storage definition".
 *
 * Its parameters come from a stranger, so they are bounded before any memory is taken: scrypt needs 128 × N × r bytes. */
#ifndef WARREN_KEYSTORE_H
#define WARREN_KEYSTORE_H

#include "actors/wallet/signing.h"

enum {
	KEYSTORE_BYTES = 16 * 1024, /* of the JSON text */
	KEYSTORE_SALT = 64,
	KEYSTORE_N = 262144, /* the highest; with r = 8, 256 MiB */
	KEYSTORE_R = 8,
	KEYSTORE_P = 8, /* the lighter forms of other programs have r = 1, p = 8 or N = 4096, p = 6 */
	KEYSTORE_ROUNDS = 10 * 1000 * 1000, /* of PBKDF2 */
	KEYSTORE_WHY = 160,
};

enum keystore_kdf { KDF_SCRYPT, KDF_PBKDF2 };

struct keystore { /* what the JSON says; nothing of it is secret */
	enum keystore_kdf kdf;
	uint32_t n, r, p; /* scrypt */
	uint32_t rounds;  /* PBKDF2-HMAC-SHA-256 */
	uint8_t salt[KEYSTORE_SALT];
	size_t salt_length;
	uint8_t iv[16], ciphertext[32], mac[32];
	bool has_address;
	struct address address;
};

/* Reads the JSON, strictly. False, and what is wrong as a sentence. */
bool keystore_parse(const char *json, size_t length, struct keystore *keystore, char why[KEYSTORE_WHY]);

/* The JSON of it, with an id of its own (UUID 4); ended by NUL. Returns the length. */
enum { KEYSTORE_TEXT = 1024 };
size_t keystore_print(const struct keystore *keystore, char json[KEYSTORE_TEXT]);

/* Where keys pass through. All of it lives in secret memory. */
struct keystore_work {
	uint8_t derived[32];
};

/* Derives and decrypts: 256 MiB and a second or two at the highest parameters. False when the passphrase does not fit or the file
 * was changed: nobody can tell which. Then `secret` is wiped. */
bool keystore_open(const struct keystore *keystore, const char *passphrase, struct keystore_work *work,
		   uint8_t secret[WALLET_SECRET]);

/* Seals with new salt and iv, scrypt N = 262144, r = 8, p = 1 (`n` 0), or a smaller N for tests. */
void keystore_seal(const uint8_t secret[WALLET_SECRET], const struct address *address, const char *passphrase, uint32_t n,
		   struct keystore_work *work, struct keystore *keystore);

#endif
