/* SHA-256, HMAC, Keccak-256 against published vectors. */
#include "tests/unit/crypto/vectors.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

static const struct {
	const char *text, *digest;
} sha256_vectors[] = {
	/* FIPS 180-4 examples and NIST's empty message */
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
	 "mnopqrstnopqrstu",
	 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

Test(digests, sha256_published)
{
	uint8_t out[32];
	for (size_t i = 0; i < sizeof sha256_vectors / sizeof *sha256_vectors; i++) {
		sha256(sha256_vectors[i].text, strlen(sha256_vectors[i].text), out);
		expect_bytes(out, 32, sha256_vectors[i].digest);
	}
}

Test(digests, sha256_million)
{
	uint8_t out[32];
	char *as = x_new(1000000);
	memset(as, 'a', 1000000);
	sha256(as, 1000000, out);
	x_free(&as);
	expect_bytes(out, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(digests, sha256_in_any_pieces)
{
	uint8_t bytes[200], whole[32], pieces[32];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	sha256(bytes, sizeof bytes, whole);
	for (size_t cut = 0; cut <= sizeof bytes; cut++) {
		struct sha256 *digest = sha256_begin();
		sha256_add(digest, bytes, cut);
		sha256_add(digest, bytes + cut, sizeof bytes - cut);
		sha256_end(&digest, pieces);
		cr_expect_null(digest);
		cr_assert_arr_eq(pieces, whole, 32, "cut at %zu", cut);
	}
}

Test(digests, sha256_two_at_once)
{
	uint8_t out[32];
	struct sha256 *one = sha256_begin(), *two = sha256_begin(), *dropped = sha256_begin();
	sha256_add(dropped, "x", 1);
	sha256_add(one, "a", 1);
	sha256_drop(&dropped);
	cr_expect_null(dropped);
	sha256_drop(&dropped);
	sha256_add(one, "bc", 2);
	sha256_end(&two, out);
	expect_bytes(out, 32, sha256_vectors[0].digest);
	sha256_end(&one, out);
	expect_bytes(out, 32, sha256_vectors[1].digest);
}

/* RFC 4231; HMAC pads a key with zeros, so a shorter one is also a key of 32 bytes. */
Test(digests, hmac_published)
{
	uint8_t key[32] = {0}, out[32];
	memset(key, 0x0b, 20);
	hmac_sha256(key, "Hi There", 8, out);
	expect_bytes(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");

	memcpy(memset(key, 0, 32), "Jefe", 4);
	hmac_sha256(key, "what do ya want for nothing?", 28, out);
	expect_bytes(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

	uint8_t dd[50];
	memset(dd, 0xdd, sizeof dd);
	memset(memset(key, 0, 32), 0xaa, 20);
	hmac_sha256(key, dd, sizeof dd, out);
	expect_bytes(out, 32, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

/* The Keccak team's "" ; "abc" and the fox as Ethereum's tools give them. */
Test(digests, keccak_published)
{
	static const struct {
		const char *text, *digest;
	} vectors[] = {
		{"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
		{"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
		{"The quick brown fox jumps over the lazy dog",
		 "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"},
	};
	uint8_t out[32];
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		keccak256(vectors[i].text, strlen(vectors[i].text), out);
		expect_bytes(out, 32, vectors[i].digest);
	}
	keccak256(NULL, 0, out);
	expect_bytes(out, 32, vectors[0].digest);
}

/* Around the block of 136 bytes, where the padding changes shape. Bytes 0, 1 … 250, 0, 1 …; the digests come
 * from a second implementation, written from the specification, which gives Python's SHA3-256 when it pads
 * with 0x06. */
Test(digests, keccak_at_block_edges)
{
	static const struct {
		size_t length;
		const char *digest;
	} vectors[] = {
		{135, "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62"},
		{136, "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e"},
		{137, "ac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db"},
		{271, "27eceb59ebc3dc8a04a5b135be641591a7278540e4556a2ba9f408194e666ec3"},
		{272, "8e2476e65823b24d96ebe239f2c1534cdf763e689e2410c3b1cb0c74e6177bfc"},
		{273, "3f02f134370e4debb95140ef49ddd3aed8c65ff1ed83a43f1b269421f179c5f9"},
		{1000, "af692982e84a5a9688359025660a7857cd28ee7c8d867cfa1677baf2e6d1f63b"},
	};
	uint8_t bytes[1000], out[32];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i % 251);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		keccak256(bytes, vectors[i].length, out);
		expect_bytes(out, 32, vectors[i].digest);
	}
}
