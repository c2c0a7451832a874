/* SHA-256 (FIPS 180-4) by libgcrypt: 1.8 GB/s where the processor helps. HMAC-SHA-256 (RFC 2104) by nettle, whose state
 * is a struct in our hands: it was made of a key, so we wipe it. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/crypto/library.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <gcrypt.h>
#include <nettle/hmac.h>
#include <string.h>

struct sha256 {
	gcry_md_hd_t digest;
};

struct sha256 *sha256_begin(void)
{
	library();
	struct sha256 *digest = x_new(sizeof *digest);
	bug_if(gcry_md_open(&digest->digest, GCRY_MD_SHA256, 0) != 0);
	return digest;
}

void sha256_add(struct sha256 *digest, const void *bytes, size_t length)
{
	gcry_md_write(digest->digest, bytes, length);
}

void sha256_end(struct sha256 **digest, uint8_t out[32])
{
	memcpy(out, gcry_md_read((*digest)->digest, GCRY_MD_SHA256), 32);
	sha256_drop(digest);
}

void sha256_drop(struct sha256 **digest)
{
	if (!*digest)
		return;
	gcry_md_close((*digest)->digest);
	x_free(digest);
}

void sha256(const void *bytes, size_t length, uint8_t out[32])
{
	library();
	gcry_md_hash_buffer(GCRY_MD_SHA256, out, bytes, length);
}

void hmac_sha256(const uint8_t key[32], const void *bytes, size_t length, uint8_t out[32])
{
	struct hmac_sha256_ctx context;
	hmac_sha256_set_key(&context, 32, key);
	if (length)
		hmac_sha256_update(&context, length, bytes);
	hmac_sha256_digest(&context, SHA256_DIGEST_SIZE, out);
	wipe(&context, sizeof context);
}
