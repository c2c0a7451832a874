/* AES-256-GCM (NIST SP 800-38D) by libgcrypt, with the key schedule kept: a message sets only the nonce, so 64
 * bytes take 0.1 us and 64 KiB go at 5.6 GB/s. Freeing a sealer clears its key schedule (libgcrypt does that).
 *
 * Why not OpenSSL, or nettle, which is here already: 64 KiB go at 4.5 GB/s with the first and at 2.3 with the
 * second, and OpenSSL's tables cost each process 400 KiB of its own memory, libgcrypt's 36. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/crypto/library.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <gcrypt.h>

struct sealer {
	gcry_cipher_hd_t cipher;
};

struct sealer *sealer_new(const uint8_t key[SEAL_KEY])
{
	library();
	struct sealer *sealer = x_new(sizeof *sealer);
	bug_if(gcry_cipher_open(&sealer->cipher, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0) != 0);
	bug_if(gcry_cipher_setkey(sealer->cipher, key, SEAL_KEY) != 0);
	return sealer;
}

void sealer_free(struct sealer **sealer)
{
	if (!*sealer)
		return;
	gcry_cipher_close((*sealer)->cipher);
	x_free(sealer);
}

static void begin(struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *about,
		  size_t about_length)
{
	bug_if(gcry_cipher_reset(sealer->cipher) != 0);
	bug_if(gcry_cipher_setiv(sealer->cipher, nonce, SEAL_NONCE) != 0);
	if (about_length)
		bug_if(gcry_cipher_authenticate(sealer->cipher, about, about_length) != 0);
}

void seal(struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *about, size_t about_length,
	  const uint8_t *plain, size_t length, uint8_t *out)
{
	begin(sealer, nonce, about, about_length);
	if (length)
		bug_if(gcry_cipher_encrypt(sealer->cipher, out, length, plain, length) != 0);
	bug_if(gcry_cipher_gettag(sealer->cipher, out + length, SEAL_TAG) != 0);
}

bool unseal(struct sealer *sealer, const uint8_t nonce[SEAL_NONCE], const void *about, size_t about_length,
	    const uint8_t *sealed, size_t length, uint8_t *out)
{
	begin(sealer, nonce, about, about_length);
	if (length)
		bug_if(gcry_cipher_decrypt(sealer->cipher, out, length, sealed, length) != 0);
	gcry_error_t differs = gcry_cipher_checktag(sealer->cipher, sealed + length, SEAL_TAG);
	if (!differs)
		return true;
	bug_if(gcry_err_code(differs) != GPG_ERR_CHECKSUM);
	wipe(out, length);
	return false;
}
