/* Every primitive once, against its vector, before a process closes its seal. A processor, an emulator or a
 * library that computes wrongly is found here and not in a blob that nobody can open again. About 0.5 ms. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/log/log.h"

#include <sodium.h>

/* Sources: FIPS 180-4 ("abc"), Keccak team (""), RFC 5869 test case 3, RFC 4231 test case 2 (a key is padded
 * with zeros, so its four bytes are also 32), GCM specification (McGrew, Viega) test case 14. */
static const char sha256_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char keccak_none[] = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
static const char hkdf_case_3[] = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d";
static const char hmac_case_2[] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
static const char gcm_case_14[] = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";

static void expect(const uint8_t got[32], const char *hex)
{
	uint8_t want[32];
	bug_if(!hex_parse(hex, 64, want, sizeof want));
	bug_if(!same_bytes(got, want, sizeof want));
}

static void warm_digests(void)
{
	uint8_t out[32];
	struct sha256 *digest = sha256_begin();
	sha256_add(digest, "ab", 2);
	sha256_add(digest, "c", 1);
	sha256_end(&digest, out);
	expect(out, sha256_abc);
	sha256("abc", 3, out);
	expect(out, sha256_abc);

	keccak256("", 0, out);
	expect(out, keccak_none);

	const uint8_t jefe[32] = {'J', 'e', 'f', 'e'};
	hmac_sha256(jefe, "what do ya want for nothing?", 28, out);
	expect(out, hmac_case_2);

	uint8_t key[22];
	for (unsigned i = 0; i < sizeof key; i++)
		key[i] = 0x0b;
	hkdf_sha256(key, sizeof key, NULL, 0, NULL, 0, out, sizeof out);
	expect(out, hkdf_case_3);
}

static void warm_seal(void)
{
	const uint8_t key[SEAL_KEY] = {0}, nonce[SEAL_NONCE] = {0}, plain[16] = {0};
	uint8_t sealed[sizeof plain + SEAL_TAG], opened[sizeof plain];
	struct sealer *sealer = sealer_new(key);
	seal(sealer, nonce, NULL, 0, plain, sizeof plain, sealed);
	expect(sealed, gcm_case_14);
	bug_if(!unseal(sealer, nonce, NULL, 0, sealed, sizeof plain, opened));
	bug_if(!same_bytes(opened, plain, sizeof plain));
	sealed[0] ^= 1;
	bug_if(unseal(sealer, nonce, NULL, 0, sealed, sizeof plain, opened));
	sealer_free(&sealer);
}

void crypto_warm(void)
{
	bug_if(sodium_init() < 0);
	uint64_t unused;
	random_bytes(&unused, sizeof unused);
	warm_digests();
	warm_seal();
}
