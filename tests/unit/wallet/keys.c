/* Keys in memory: Ed25519 against RFC 8032, new keys, secrets that are none. */
#include "tests/unit/wallet/each_signer.h"

#include <sodium.h>

TestSuite(keys, .init = setup, .fini = teardown);

/* RFC 8032, 7.1, tests 1 to 3. */
Test(keys, ed25519_published)
{
	static const struct {
		const char *seed, *public, *message, *signature;
	} vectors[] = {
		{FIXED_SEED, FIXED_NODE_KEY, "",
		 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
		 "9b46b"
		 "d25bf5f0595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
		 "11d8c"
		 "387b2eaeb4302aeeb00d291612bb0c00"},
		{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
		 "dc659"
		 "4a7c15e9716ed28dc027beceea1ec40a"},
	};
	enum secret_wall got;
	struct wallet_keys *keys = keys_new(SECRET_HIDDEN, &got);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		uint8_t secret[WALLET_SECRET] = {1}, seed[NODE_SEED], message[8];
		struct ed_signature signature;
		bytes_of(vectors[i].seed, seed, sizeof seed);
		size_t length = bytes_of(vectors[i].message, message, sizeof message);
		cr_assert(keys_from(keys, signer, secret, seed));
		expect_bytes(keys->node_key.bytes, 32, vectors[i].public);
		crypto_sign_detached(signature.bytes, NULL, message, length, keys->node_secret);
		expect_bytes(signature.bytes, sizeof signature.bytes, vectors[i].signature);
	}
	keys_free(&keys);
	cr_expect_null(keys);
	keys_free(&keys);
}

Test(keys, from_their_own_place)
{
	struct wallet_keys *keys = fixed_keys(signer);
	uint8_t before[sizeof *keys];
	memcpy(before, keys, sizeof before);
	cr_expect(keys_from(keys, signer, keys->wallet_secret, keys->node_secret));
	cr_expect_arr_eq(keys, before, sizeof before);
	char text[ADDRESS_TEXT];
	cr_expect_str_eq(address_text(&keys->address, text), FIXED_ADDRESS);
	keys_free(&keys);
}

Test(keys, a_secret_that_is_none_leaves_nothing)
{
	struct wallet_keys *keys = fixed_keys(signer);
	uint8_t none[WALLET_SECRET] = {0}, seed[NODE_SEED] = {1}, zero[sizeof *keys] = {0};
	cr_expect_not(keys_from(keys, signer, none, seed));
	cr_expect_arr_eq(keys, zero, sizeof zero);
	keys_free(&keys);
}

/* 32 makings: all secrets differ, and each is a whole pair of keys. */
Test(keys, made_ones_differ)
{
	enum { MADE = 32 };
	enum secret_wall got;
	struct wallet_keys *keys[MADE];
	for (unsigned i = 0; i < MADE; i++) {
		keys[i] = keys_new(SECRET_HIDDEN, &got);
		keys_make(keys[i], signer);
		struct address address;
		struct key public;
		uint8_t secret[NODE_SECRET];
		cr_expect(signer_address(signer, keys[i]->wallet_secret, &address));
		cr_expect_arr_eq(&address, &keys[i]->address, sizeof address);
		crypto_sign_seed_keypair(public.bytes, secret, keys[i]->node_secret);
		cr_expect_arr_eq(secret, keys[i]->node_secret, sizeof secret);
		cr_expect_arr_eq(&public, &keys[i]->node_key, sizeof public);
		for (unsigned j = 0; j < i; j++) {
			cr_expect_arr_neq(keys[i]->wallet_secret, keys[j]->wallet_secret, WALLET_SECRET);
			cr_expect_arr_neq(keys[i]->node_secret, keys[j]->node_secret, NODE_SEED);
		}
		cr_expect_arr_neq(keys[i]->wallet_secret, keys[i]->node_secret, 32);
	}
	for (unsigned i = 0; i < MADE; i++)
		keys_free(&keys[i]);
}
