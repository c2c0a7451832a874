/* Texts of identities: EIP-55, libp2p peer ids, the shard of a CID. */
#include "tests/unit/crypto/vectors.h"

#include "actors/base/crypto/crypto.h"

#include <ctype.h>

/* The examples of EIP-55, all of them. */
Test(texts, eip_55)
{
	static const char *const addresses[] = {
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	};
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct address address;
		char text[ADDRESS_TEXT];
		bytes_of(addresses[i] + 2, address.bytes, sizeof address.bytes);
		cr_expect_str_eq(address_text(&address, text), addresses[i]);
	}
}

/* The key under both of its published names: as a peer id, and in base 36 as
 * k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uz yxzyqj2xjonzllnv0v8, from which these bytes are (IPFS gateway
 * conformance, TestRedirectCanonicalIPNS). */
Test(texts, peer_id_published)
{
	struct key key;
	char text[PEER_ID_TEXT];
	bytes_of("e4680b2f8c8d21090e6aa327f1bb342ab8e7d9238f1e35831a54d6a8f5c91124", key.bytes,
		 sizeof key.bytes);
	cr_expect_str_eq(peer_id_text(&key, text), "12D3KooWRBy97UB99e3J6hiPesre1MZeuNQvfan4gBziswrRJsNK");
}

/* Every Ed25519 peer id has 52 letters and the same beginning, whatever the key is. */
Test(texts, peer_id_of_extreme_keys)
{
	struct key key;
	char lowest[PEER_ID_TEXT], highest[PEER_ID_TEXT];
	memset(key.bytes, 0x00, sizeof key.bytes);
	peer_id_text(&key, lowest);
	memset(key.bytes, 0xff, sizeof key.bytes);
	peer_id_text(&key, highest);
	cr_expect_eq(strlen(lowest), (size_t)52);
	cr_expect_eq(strlen(highest), (size_t)52);
	cr_expect(strncmp(lowest, "12D3KooW", 8) == 0, "%s", lowest);
	cr_expect(strncmp(highest, "12D3KooW", 8) == 0, "%s", highest);
	cr_expect_str_neq(lowest, highest);
}

Test(texts, cid_and_shard)
{
	struct cid cid;
	char text[CID_TEXT];
	sha256("hello bytecave\n", 15, cid.bytes);
	cr_expect_str_eq(cid_text(&cid, text), "bafkreibwbxbl6t3b7xjkivwtr5cviwywf4auhzax4esh6r7gmmodob5q4e");
	cr_expect_eq(cid_shard(&cid, 1024), 971U);
	cr_expect_eq(cid_shard(&cid, 1), 0U);
}

/* 100,000 CIDs over 1,024 shards: chi-squared below its 1 % point for 1,023 degrees of freedom. The CIDs are
 * always the same, so the result is too. */
Test(texts, shards_are_even)
{
	static unsigned held[1024];
	for (uint32_t i = 0; i < 100000; i++) {
		struct cid cid;
		sha256(&i, sizeof i, cid.bytes);
		uint32_t shard = cid_shard(&cid, 1024);
		cr_assert_lt(shard, 1024U);
		held[shard]++;
	}
	double expected = 100000.0 / 1024, sum = 0;
	for (unsigned shard = 0; shard < 1024; shard++)
		sum += (held[shard] - expected) * (held[shard] - expected) / expected;
	cr_expect_lt(sum, 1131.2, "chi-squared %f", sum);
}
