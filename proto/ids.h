/* Identities, each its own type, so that mixing two up does not compile; and their texts. */
#ifndef WARREN_PROTO_IDS_H
#define WARREN_PROTO_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cid { /* SHA-256 of the bytes received: CIDv1, raw (0x55), sha2-256 (0x12 0x20); FEATURES K8 */
	uint8_t bytes[32];
};
struct hash { /* any other 32-byte digest */
	uint8_t bytes[32];
};
struct address { /* secp256k1 wallet: last 20 bytes of Keccak-256 of the public key (EIP-55 is its text) */
	uint8_t bytes[20];
};
struct key { /* Ed25519 public key of a node, RFC 8032 */
	uint8_t bytes[32];
};
struct signature { /* secp256k1: r, s, v (27 or 28), as EIP-191 tools expect it */
	uint8_t bytes[65];
};
struct ed_signature { /* Ed25519, RFC 8032 */
	uint8_t bytes[64];
};
struct ticket { /* opens one stream, once (proto/stream.h) */
	uint8_t bytes[16];
};
struct u256 { /* big-endian, as chains write it */
	uint8_t bytes[32];
};

enum {
	CID_TEXT = 60, /* "b" + 58 letters of RFC 4648 base32 in lower case, unpadded, and the NUL */
	CID_HEX = 65,
};

const char *cid_text(const struct cid *cid, char text[CID_TEXT]);

/* Reads the canonical text, or the 64-hex alias of ByteCave (either case). False for anything else; `length` bytes are
 * looked at and no NUL is needed. Non-canonical spare bits are refused: one CID has one base32 text. */
bool cid_parse(const char *text, size_t length, struct cid *cid);

/* The shard that owns a CID: first 8 bytes, big-endian, of SHA-256 of the canonical text, modulo `count`. The digest is the
 * caller's to compute (proto knows no hash); this does the rest. */
uint32_t shard_of_digest(const uint8_t digest[32], uint32_t count);

/* Lower-case hex; `text` holds 2 * length + 1 bytes. */
const char *hex_text(const uint8_t *bytes, size_t length, char *text);

/* Exactly 2 * length digits, of either case. */
bool hex_parse(const char *text, size_t text_length, uint8_t *bytes, size_t length);

#endif
