/* secp256k1 signatures for the wallet. Runs as wallet@N; holds no key, uses the one it is given, and leaves
 * nothing of it on the stack. */
#include "actors/wallet/signing_inside.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/secret/secret.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <string.h>

struct signer {
	secp256k1_context *context;
};

/* The form of a public key that is hashed: 0x04, x, y. */
enum { POINT = 65, V_FIRST = 27 };

/* Other numbers inside for the same result, so that time and power tell less about the secret. */
static void blind(struct signer *signer)
{
	uint8_t seed[32];
	random_bytes(seed, sizeof seed);
	bug_if(secp256k1_context_randomize(signer->context, seed) != 1);
	wipe(seed, sizeof seed);
}

struct signer *signer_new(void)
{
	struct signer *signer = x_new(sizeof *signer);
	signer->context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	bug_if(!signer->context);
	blind(signer);
	return signer;
}

void signer_free(struct signer **signer)
{
	if (!*signer)
		return;
	secp256k1_context_destroy((*signer)->context);
	x_free(signer);
}

static void point_address(const secp256k1_pubkey *point, struct address *address)
{
	uint8_t bytes[POINT], digest[32];
	size_t length = sizeof bytes;
	bug_if(secp256k1_ec_pubkey_serialize(secp256k1_context_static, bytes, &length, point,
					     SECP256K1_EC_UNCOMPRESSED) != 1);
	keccak256(bytes + 1, POINT - 1, digest);
	memcpy(address->bytes, digest + 12, sizeof address->bytes);
}

bool signer_address(struct signer *signer, const uint8_t secret[WALLET_SECRET], struct address *address)
{
	secp256k1_pubkey point;
	blind(signer);
	bool valid = secp256k1_ec_pubkey_create(signer->context, &point, secret) == 1;
	secret_wipe_stack();
	if (valid)
		point_address(&point, address);
	return valid;
}

void personal_digest(const char *text, size_t length, uint8_t digest[32])
{
	bug_if(length > PERSONAL_TEXT);
	char whole[40 + PERSONAL_TEXT];
	int head = snprintf(whole, sizeof whole,
			    "\x19"
			    "Ethereum Signed Message:\n%zu",
			    length);
	bug_if(head < 0 || (size_t)head + length > sizeof whole);
	memcpy(whole + head, text, length);
	keccak256(whole, (size_t)head + length, digest);
}

/* Who made this signature over a digest; false when nobody can have. */
static bool digest_signer(const uint8_t digest[32], const uint8_t compact[64], int parity,
			  struct address *address)
{
	const secp256k1_context *context = secp256k1_context_static;
	secp256k1_ecdsa_recoverable_signature given;
	if (secp256k1_ecdsa_recoverable_signature_parse_compact(context, &given, compact, parity) != 1)
		return false;
	secp256k1_ecdsa_signature plain;
	secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &given);
	if (secp256k1_ecdsa_signature_normalize(context, NULL, &plain) == 1)
		return false; /* high s */
	secp256k1_pubkey point;
	if (secp256k1_ecdsa_recover(context, &point, &given, digest) != 1)
		return false;
	point_address(&point, address);
	return true;
}

struct signed_digest sign_digest(struct signer *signer, const uint8_t secret[WALLET_SECRET],
				 const uint8_t digest[32])
{
	blind(signer);
	secp256k1_ecdsa_recoverable_signature made;
	bool signed_ok = secp256k1_ecdsa_sign_recoverable(signer->context, &made, digest, secret,
							  secp256k1_nonce_function_rfc6979, NULL) == 1;
	secret_wipe_stack();
	bug_if(!signed_ok);
	uint8_t compact[64];
	int parity = 0;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, compact, &parity,
								&made);

	/* A fault in the middle of signing can give the key away: what does not recover is not let out. */
	struct address own, recovered;
	bug_if(parity < 0 || parity > 1);
	bug_if(!signer_address(signer, secret, &own));
	bug_if(!digest_signer(digest, compact, parity, &recovered));
	bug_if(memcmp(own.bytes, recovered.bytes, sizeof own.bytes) != 0);
	struct signed_digest whole = {.parity = (uint8_t)parity};
	memcpy(whole.r, compact, sizeof whole.r);
	memcpy(whole.s, compact + 32, sizeof whole.s);
	return whole;
}

void sign_personal(struct signer *signer, const uint8_t secret[WALLET_SECRET], const char *text,
		   size_t length, struct signature *signature)
{
	uint8_t digest[32];
	personal_digest(text, length, digest);
	struct signed_digest made = sign_digest(signer, secret, digest);
	memcpy(signature->bytes, made.r, 32);
	memcpy(signature->bytes + 32, made.s, 32);
	signature->bytes[64] = (uint8_t)(V_FIRST + made.parity);
}

bool personal_signer(const char *text, size_t length, const struct signature *signature,
		     struct address *address)
{
	uint8_t digest[32];
	int parity = signature->bytes[64] - V_FIRST;
	if (length > PERSONAL_TEXT || parity < 0 || parity > 1)
		return false;
	personal_digest(text, length, digest);
	return digest_signer(digest, signature->bytes, parity, address);
}
