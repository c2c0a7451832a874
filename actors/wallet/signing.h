/* secp256k1 as Ethereum uses it: an address from a secret, and EIP-191 "personal_sign". A signature is over a
 * text that the wallet wrote itself; there is no way to have a bare digest signed. */
#ifndef WARREN_SIGNING_H
#define WARREN_SIGNING_H

#include "proto/ids.h"

enum { WALLET_SECRET = 32, PERSONAL_TEXT = 512 }; /* the longest text, bytes */

struct signer; /* libsecp256k1's blinded context; x_new'd. It allocates nothing after signer_new(). */
struct signer *signer_new(void);
void signer_free(struct signer **signer); /* NULL is fine */

/* The address of a secret: last 20 bytes of Keccak-256 of the public key's x and y. False when it is no
 * secret of the curve: zero, or not below the group's order. */
bool signer_address(struct signer *signer, const uint8_t secret[WALLET_SECRET], struct address *address);

/* EIP-191, version 0x45: Keccak-256 of "\x19Ethereum Signed Message:\n", the length in decimal, and the text.
 * `length` is at most PERSONAL_TEXT. */
void personal_digest(const char *text, size_t length, uint8_t digest[32]);

/* Signs with the nonce of RFC 6979 and low s, so the same text gives the same 65 bytes; recovers its own
 * result before it lets it go. `secret` is one that signer_address() accepted; anything else is a bug(). */
void sign_personal(struct signer *signer, const uint8_t secret[WALLET_SECRET], const char *text,
		   size_t length, struct signature *signature);

/* Who signed it. False for a signature that is none, whose s is high (EIP-2: it would be a second form of
 * another one), or whose v is not 27 or 28; and for a text longer than PERSONAL_TEXT. Needs no secret and no
 * signer. */
bool personal_signer(const char *text, size_t length, const struct signature *signature,
		     struct address *address);

#endif
