/* The inside of signing: the one function that takes a digest. Only files that computed the digest themselves, from fields they
 * understood, include this: signing.c (texts) and transaction.c. Nothing that is sent can reach it as it is. */
#ifndef WARREN_SIGNING_INSIDE_H
#define WARREN_SIGNING_INSIDE_H

#include "actors/wallet/signing.h"

struct signed_digest {
	uint8_t r[32], s[32], parity; /* parity: 0 or 1 */
};

/* RFC 6979, low s; recovered before it is let out. `secret` is one that signer_address() accepted; else a bug(). */
struct signed_digest sign_digest(struct signer *signer, const uint8_t secret[WALLET_SECRET], const uint8_t digest[32]);

#endif
