/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), computed by nettle: 1.5 GB/s where the processor helps,
 * four times what libsodium's plain C does. What is dropped or ended is wiped: some of it was made of keys. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/memory/memory.h"

#include <nettle/hmac.h>
#include <nettle/sha2.h>

struct sha256 {
	struct sha256_ctx context;
};

struct sha256 *sha256_begin(void)
{
	struct sha256 *digest = x_new(sizeof *digest);
	sha256_init(&digest->context);
	return digest;
}

void sha256_add(struct sha256 *digest, const void *bytes, size_t length)
{
	if (length)
		sha256_update(&digest->context, length, bytes);
}

void sha256_end(struct sha256 **digest, uint8_t out[32])
{
	sha256_digest(&(*digest)->context, SHA256_DIGEST_SIZE, out);
	sha256_drop(digest);
}

void sha256_drop(struct sha256 **digest)
{
	if (!*digest)
		return;
	wipe(*digest, sizeof **digest);
	x_free(digest);
}

void sha256(const void *bytes, size_t length, uint8_t out[32])
{
	struct sha256 once;
	sha256_init(&once.context);
	sha256_add(&once, bytes, length);
	sha256_digest(&once.context, SHA256_DIGEST_SIZE, out);
	wipe(&once, sizeof once);
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
