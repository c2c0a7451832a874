/* The inside of this folder: what OpenSSL is asked for once. A fetch costs a search by name and a lock; a
 * digest of 4 KiB costs 2.4 us, so nothing is fetched twice. */
#ifndef WARREN_CRYPTO_PROVIDER_H
#define WARREN_CRYPTO_PROVIDER_H

#include <openssl/types.h>

struct provider {
	EVP_MD *sha256;
	EVP_MAC_CTX *hmac_sha256; /* without a key: to be copied */
	EVP_KDF *hkdf;
	EVP_CIPHER *aes_256_gcm;
};

/* Fetched at the first call, by whichever thread comes first, and constant from then on. */
const struct provider *provider(void);

#endif
