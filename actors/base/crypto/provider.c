/* OpenSSL's algorithms, fetched once for the life of the process. openssl.cnf (and whatever OPENSSL_CONF
 * names) is not read: it could bring in engines and providers, other code, because a file says so; what is
 * compiled in is what computes. This holds for the whole process, so TLS there has OpenSSL's own defaults.
 * Runs in every process; after the first call it touches nothing outside its memory. */
#include "actors/base/crypto/provider.h"

#include "actors/base/log/log.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>

/* Written once, under `once`; constants that only the library can make. */
static struct provider fetched;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch_all(void)
{
	bug_if(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1);
	fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	fetched.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	fetched.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	fetched.hmac_sha256 = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	bug_if(!fetched.sha256 || !fetched.hkdf || !fetched.aes_256_gcm || !fetched.hmac_sha256);

	char digest[] = "SHA256";
	const OSSL_PARAM with[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
				   OSSL_PARAM_construct_end()};
	bug_if(EVP_MAC_CTX_set_params(fetched.hmac_sha256, with) != 1);
	EVP_MAC_free(hmac); /* the context keeps its own reference */
}

const struct provider *provider(void)
{
	bug_if(pthread_once(&once, fetch_all) != 0);
	return &fetched;
}
