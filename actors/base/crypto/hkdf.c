/* HKDF with SHA-256 (RFC 5869), extract and expand in one, by nettle. What it derived from is wiped on the way
 * out. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <nettle/hkdf.h>
#include <nettle/hmac.h>

/* nettle's macros would call these through pointers to functions of other types. */
static void update(void *context, size_t length, const uint8_t *bytes)
{
	hmac_sha256_update(context, length, bytes);
}

static void digest(void *context, size_t length, uint8_t *out)
{
	hmac_sha256_digest(context, length, out);
}

void hkdf_sha256(const uint8_t *key, size_t key_length, const void *salt, size_t salt_length,
		 const void *info, size_t info_length, uint8_t *out, size_t out_length)
{
	static const uint8_t none; /* the library copies from where there is nothing to copy */
	bug_if(out_length == 0 || out_length > 255 * SHA256_DIGEST_SIZE); /* RFC 5869, 2.3 */
	struct hmac_sha256_ctx context;
	uint8_t extracted[SHA256_DIGEST_SIZE];

	hmac_sha256_set_key(&context, salt_length, salt_length ? salt : &none);
	hkdf_extract(&context, update, digest, sizeof extracted, key_length, key_length ? key : &none,
		     extracted);
	hmac_sha256_set_key(&context, sizeof extracted, extracted);
	hkdf_expand(&context, update, digest, sizeof extracted, info_length, info_length ? info : &none,
		    out_length, out);
	wipe(extracted, sizeof extracted);
	wipe(&context, sizeof context);
}
