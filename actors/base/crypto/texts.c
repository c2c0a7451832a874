/* Texts of identities that need a digest or a big number. Pure. */
#include "actors/base/crypto/crypto.h"

#include "actors/base/log/log.h"

#include <string.h>

const char *address_text(const struct address *address, char text[ADDRESS_TEXT])
{
	text[0] = '0';
	text[1] = 'x';
	char *digits = text + 2;
	hex_text(address->bytes, sizeof address->bytes, digits);
	/* EIP-55: a letter is a capital when the same nibble of the digest of the lower-case digits is 8 or
	 * more. */
	uint8_t digest[32];
	keccak256(digits, 40, digest);
	for (unsigned i = 0; i < 40; i++) {
		unsigned nibble = digest[i / 2] >> (i % 2 ? 0 : 4) & 15;
		if (digits[i] >= 'a' && nibble >= 8)
			digits[i] = (char)(digits[i] - 'a' + 'A');
	}
	return text;
}

/* base58btc: the bytes as one number in base 58, a '1' for each zero byte in front. Returns the text's
 * length. */
static size_t base58(const uint8_t *bytes, size_t length, char *text, size_t room)
{
	static const char letters[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	uint8_t digits[PEER_ID_TEXT]; /* least significant first */
	size_t count = 0, zeros = 0;
	while (zeros < length && bytes[zeros] == 0)
		zeros++;
	for (size_t i = zeros; i < length; i++) {
		unsigned carry = bytes[i];
		for (size_t d = 0; d < count || carry; d++) {
			bug_if(d == sizeof digits);
			if (d == count)
				digits[count++] = 0;
			carry += digits[d] * 256U;
			digits[d] = (uint8_t)(carry % 58);
			carry /= 58;
		}
	}
	bug_if(zeros + count >= room);
	memset(text, '1', zeros);
	for (size_t d = 0; d < count; d++)
		text[zeros + d] = letters[digits[count - 1 - d]];
	text[zeros + count] = '\0';
	return zeros + count;
}

const char *peer_id_text(const struct key *key, char text[PEER_ID_TEXT])
{
	/* multihash: identity, 36 bytes; protobuf PublicKey: Type = Ed25519 (1), Data = 32 bytes (libp2p,
	 * "Peer Ids") */
	static const uint8_t prefix[] = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20};
	uint8_t raw[sizeof prefix + sizeof key->bytes];
	memcpy(raw, prefix, sizeof prefix);
	memcpy(raw + sizeof prefix, key->bytes, sizeof key->bytes);
	base58(raw, sizeof raw, text, PEER_ID_TEXT);
	return text;
}

uint32_t cid_shard(const struct cid *cid, uint32_t count)
{
	char text[CID_TEXT];
	uint8_t digest[32];
	sha256(cid_text(cid, text), CID_TEXT - 1, digest);
	return shard_of_digest(digest, count);
}
