/* The texts of identities, against vectors that others made. */
#include "proto/ids.h"

#include <criterion/criterion.h>
#include <string.h>

/* SHA-256 of "hello bytecave\n" by sha256sum, and the CID that ByteCave gives those bytes. */
#define HELLO_HEX "360dc2bf4f61fdd2a456d38f45545b162f0143e417e1247f47e6631c3707b0e1"
#define HELLO_CID "bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e"

/* SHA-256 of no bytes (FIPS 180-4), and its CID as every IPFS implementation prints it. */
#define EMPTY_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY_CID "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

static bool parses(const char *text)
{
	struct cid cid;
	return cid_parse(text, strlen(text), &cid);
}

static void vector(const char *hex, const char *text)
{
	struct cid from_hex, from_text;
	char again[CID_TEXT], hex_again[CID_HEX];
	cr_assert(cid_parse(hex, strlen(hex), &from_hex), "%s", hex);
	cr_assert(cid_parse(text, strlen(text), &from_text), "%s", text);
	cr_assert_arr_eq(from_hex.bytes, from_text.bytes, 32, "%s", text);
	cr_assert_str_eq(cid_text(&from_hex, again), text);
	cr_assert_str_eq(hex_text(from_text.bytes, 32, hex_again), hex);
}

Test(cid, vectors)
{
	vector(HELLO_HEX, HELLO_CID);
	vector(EMPTY_HEX, EMPTY_CID);
}

Test(cid, every_digest_bit_there_and_back)
{
	for (unsigned bit = 0; bit < 256; bit++) {
		struct cid cid = {{0}}, again;
		char text[CID_TEXT];
		cid.bytes[bit / 8] = (uint8_t)(1U << bit % 8);
		cid_text(&cid, text);
		cr_assert_eq(strlen(text), CID_TEXT - 1);
		cr_assert(cid_parse(text, CID_TEXT - 1, &again), "bit %u: %s", bit, text);
		cr_assert_arr_eq(cid.bytes, again.bytes, 32, "bit %u", bit);
	}
}

/* 58 letters are 290 bits, a CID is 288: the last two must be zero, so that one CID has one text. */
Test(cid, spare_bits)
{
	char text[] = HELLO_CID;
	for (unsigned i = 0; letters[i]; i++) {
		text[CID_TEXT - 2] = letters[i];
		cr_assert_eq(parses(text), i % 4 == 0, "%s", text);
	}
}

/* No letter of a CID may be another one and still be the same CID, nor be of another alphabet. */
Test(cid, every_letter_counts)
{
	char text[] = HELLO_CID;
	struct cid right, other;
	cr_assert(cid_parse(text, strlen(text), &right));
	for (unsigned at = 0; at < CID_TEXT - 1; at++) {
		char was = text[at];
		for (int c = 0; c < 256; c++) {
			text[at] = (char)c;
			bool accepted = cid_parse(text, CID_TEXT - 1, &other);
			if (!accepted || (char)c == was)
				continue;
			cr_assert(at >= 6 && memchr(letters, c, 32), "'%c' at %u is accepted", c, at);
			cr_assert_arr_neq(right.bytes, other.bytes, 32, "'%c' at %u is the same CID", c, at);
		}
		text[at] = was;
	}
}

Test(cid, refused)
{
	static const char *const wrong[] = {
		"",
		"b",
		"BAFKREIBWBXBL6T3B7XJKIVWTR5CVIWYWF4AUHZAX4ESH6R7GMMODOB5Q4E",
		"Bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e", /* multibase of the other case
										*/
		"bAFKREIBWBXBL6T3B7XJKIVWTR5CVIWYWF4AUHZAX4ESH6R7GMMODOB5Q4E",
		"bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4",   /* one short */
		"bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4ea", /* one long */
		"bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4=",  /* padding */
		" bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e",
		"bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", /* dag-pb, not raw */
		"QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG",              /* CIDv0 */
		"360dc2bf4f61fdd2a456d38f45545b162f0143e417e1247f47e6631c3707b0e",
		"360dc2bf4f61fdd2a456d38f45545b162f0143e417e1247f47e6631c3707b0e1a",
		"360dc2bf4f61fdd2a456d38f45545b162f0143e417e1247f47e6631c3707b0eg",
		"0x0dc2bf4f61fdd2a456d38f45545b162f0143e417e1247f47e6631c3707b0e1",
	};
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_not(parses(wrong[i]), "%s", wrong[i]);
}

/* ByteCave's alias: 64 hex digits of either case. */
Test(cid, hex_alias)
{
	char upper[] = HELLO_HEX;
	struct cid from_lower, from_upper;
	for (char *c = upper; *c; c++)
		if (*c >= 'a' && *c <= 'f')
			*c = (char)(*c - 'a' + 'A');
	cr_assert(cid_parse(HELLO_HEX, 64, &from_lower));
	cr_assert(cid_parse(upper, 64, &from_upper));
	cr_assert_arr_eq(from_lower.bytes, from_upper.bytes, 32);
}

Test(cid, only_as_many_bytes_as_said)
{
	struct cid cid;
	char longer[] = HELLO_CID "/tail";
	cr_assert(cid_parse(longer, CID_TEXT - 1, &cid), "no NUL is needed");
	cr_assert_not(cid_parse(longer, sizeof longer - 1, &cid));
}

Test(hex, there_and_back)
{
	uint8_t bytes[256], again[256];
	char text[513];
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	hex_text(bytes, 256, text);
	cr_assert_eq(strlen(text), 512);
	cr_assert(hex_parse(text, 512, again, 256));
	cr_assert_arr_eq(bytes, again, 256);
	cr_assert_not(hex_parse(text, 511, again, 256));
	cr_assert_not(hex_parse(text, 512, again, 255));
	cr_assert(hex_parse("", 0, again, 0));
}

Test(hex, digits)
{
	uint8_t byte;
	for (int c = 0; c < 256; c++) {
		bool digit = c && strchr("0123456789abcdefABCDEF", c);
		cr_assert_eq(hex_parse((char[]){'0', (char)c}, 2, &byte, 1), digit, "character %d", c);
		cr_assert_eq(hex_parse((char[]){(char)c, '0'}, 2, &byte, 1), digit, "character %d", c);
	}
}

/* First eight bytes, big-endian, modulo the count. */
Test(shard, of_digest)
{
	uint8_t digest[32] = {0, 0, 0, 0, 0, 0, 0x12, 0x34, 0xff};
	cr_assert_eq(shard_of_digest(digest, 1024), 0x1234 % 1024);
	cr_assert_eq(shard_of_digest(digest, 65536), 0x1234);
	cr_assert_eq(shard_of_digest(digest, 1), 0);
	memset(digest, 0xff, sizeof digest);
	cr_assert_eq(shard_of_digest(digest, 1000), UINT64_MAX % 1000);
}
