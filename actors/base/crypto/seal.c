/* AES-256-GCM (NIST SP 800-38D) by OpenSSL, with the key schedule kept: a message re-initialises only the
 * nonce, so 64 bytes take 0.2 us and 64 KiB go at 4.5 GB/s. Freeing a sealer clears its key schedule (OpenSSL
 * does that). */
#include "actors/base/crypto/crypto.h"

#include "actors/base/crypto/provider.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <limits.h>
#include <openssl/evp.h>

enum direction { UNSEAL = 0, SEAL = 1 }; /* EVP_CipherInit_ex2()'s own numbers */

struct sealer {
	EVP_CIPHER_CTX *context;
};

struct sealer *sealer_new(const uint8_t key[SEAL_KEY])
{
	struct sealer *sealer = x_new(sizeof *sealer);
	sealer->context = EVP_CIPHER_CTX_new();
	bug_if(!sealer->context);
	bug_if(EVP_CipherInit_ex2(sealer->context, provider()->aes_256_gcm, key, NULL, SEAL, NULL) != 1);
	bug_if(EVP_CIPHER_CTX_get_iv_length(sealer->context) != SEAL_NONCE);
	return sealer;
}

void sealer_free(struct sealer **sealer)
{
	if (!*sealer)
		return;
	EVP_CIPHER_CTX_free((*sealer)->context);
	x_free(sealer);
}

/* Nonce, then what is authenticated only, then the message. OpenSSL counts in int; no message here comes near
 * it. */
static void turn(struct sealer *sealer, enum direction direction, const uint8_t nonce[SEAL_NONCE],
		 const void *about, size_t about_length, const uint8_t *in, size_t length, uint8_t *out)
{
	bug_if(length > INT_MAX || about_length > INT_MAX);
	int made = 0;
	bug_if(EVP_CipherInit_ex2(sealer->context, NULL, NULL, nonce, direction, NULL) != 1);
	if (about_length)
		bug_if(EVP_CipherUpdate(sealer->context, NULL, &made, about, (int)about_length) != 1);
	if (length)
		bug_if(EVP_CipherUpdate(sealer->context, out, &made, in, (int)length) != 1 ||
		       made != (int)length);
}

void seal(struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *about, size_t about_length,
	  const uint8_t *plain, size_t length, uint8_t *out)
{
	turn(sealer, SEAL, nonce, about, about_length, plain, length, out);
	int made = 0;
	bug_if(EVP_CipherFinal_ex(sealer->context, out + length, &made) != 1 || made != 0);
	bug_if(EVP_CIPHER_CTX_ctrl(sealer->context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, out + length) != 1);
}

bool unseal(struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *about, size_t about_length,
	    const uint8_t *sealed, size_t length, uint8_t *out)
{
	uint8_t tag[SEAL_TAG]; /* a copy: the library's argument is not const */
	for (unsigned i = 0; i < SEAL_TAG; i++)
		tag[i] = sealed[length + i];
	turn(sealer, UNSEAL, nonce, about, about_length, sealed, length, out);
	bug_if(EVP_CIPHER_CTX_ctrl(sealer->context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) != 1);
	uint8_t none[1];
	int made = 0;
	if (EVP_CipherFinal_ex(sealer->context, none, &made) == 1)
		return true;
	wipe(out, length);
	return false;
}
