/* Texts of identities. Pure. */
#include "proto/ids.h"

#include <string.h>

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
static const uint8_t cid_prefix[4] = {0x01, 0x55, 0x12, 0x20}; /* CIDv1, raw, sha2-256, 32 bytes */

enum { CID_BYTES = sizeof cid_prefix + 32, CID_LETTERS = (CID_BYTES * 8 + 4) / 5 };
_Static_assert(CID_LETTERS + 2 == CID_TEXT, "multibase letter, letters, NUL");

const char *cid_text(const struct cid *cid, char text[CID_TEXT])
{
	uint8_t raw[CID_BYTES];
	memcpy(raw, cid_prefix, sizeof cid_prefix);
	memcpy(raw + sizeof cid_prefix, cid->bytes, 32);
	char *out = text;
	*out++ = 'b';
	unsigned window = 0, bits = 0;
	for (size_t i = 0; i < sizeof raw; i++) {
		window = window << 8 | raw[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = base32[window >> (bits - 5) & 31];
		window &= (1U << bits) - 1;
	}
	if (bits)
		*out++ = base32[window << (5 - bits) & 31];
	*out = '\0';
	return text;
}

static bool cid_parse_base32(const char *text, struct cid *cid)
{
	uint8_t raw[CID_BYTES];
	unsigned window = 0, bits = 0;
	size_t filled = 0;
	for (size_t i = 1; i <= CID_LETTERS; i++) {
		const char *letter = text[i] ? memchr(base32, text[i], 32) : NULL;
		if (!letter)
			return false;
		window = window << 5 | (unsigned)(letter - base32);
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			raw[filled++] = (uint8_t)(window >> bits);
			window &= (1U << bits) - 1;
		}
	}
	if (window != 0 || memcmp(raw, cid_prefix, sizeof cid_prefix) != 0)
		return false;
	memcpy(cid->bytes, raw + sizeof cid_prefix, 32);
	return true;
}

bool cid_parse(const char *text, size_t length, struct cid *cid)
{
	if (length == CID_HEX - 1)
		return hex_parse(text, length, cid->bytes, 32);
	return length == CID_TEXT - 1 && text[0] == 'b' && cid_parse_base32(text, cid);
}

uint32_t shard_of_digest(const uint8_t digest[32], uint32_t count)
{
	uint64_t head = 0;
	for (unsigned i = 0; i < 8; i++)
		head = head << 8 | digest[i];
	return (uint32_t)(head % count);
}

const char *hex_text(const uint8_t *bytes, size_t length, char *text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * length] = '\0';
	return text;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_parse(const char *text, size_t text_length, uint8_t *bytes, size_t length)
{
	if (text_length != 2 * length)
		return false;
	for (size_t i = 0; i < length; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
