/* HKDF with SHA-256 (RFC 5869), extract and expand in one, by OpenSSL. It clears what it derived from on its
 * way out. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/crypto/provider.h"
#include "actors/base/log/log.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/* OpenSSL's parameters are not const, but are only read; and it wants a pointer even where there are no
 * bytes. */
static OSSL_PARAM bytes_param(const char *name, const void *bytes, size_t length)
{
	static uint8_t none;
	return OSSL_PARAM_construct_octet_string(name, length ? (void *)bytes : &none, length);
}

void hkdf_sha256(const uint8_t *key, size_t key_length, const void *salt, size_t salt_length,
		 const void *info, size_t info_length, uint8_t *out, size_t out_length)
{
	bug_if(out_length == 0 || out_length > 255 * 32); /* RFC 5869, 2.3 */
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(provider()->hkdf);
	bug_if(!context);
	char digest[] = "SHA256";
	const OSSL_PARAM with[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		bytes_param(OSSL_KDF_PARAM_KEY, key, key_length),
		bytes_param(OSSL_KDF_PARAM_SALT, salt, salt_length),
		bytes_param(OSSL_KDF_PARAM_INFO, info, info_length),
		OSSL_PARAM_construct_end(),
	};
	bug_if(EVP_KDF_derive(context, out, out_length, with) != 1);
	EVP_KDF_CTX_free(context);
}
