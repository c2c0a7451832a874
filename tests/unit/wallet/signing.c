/* Addresses and EIP-191 signatures against what other wallets publish. */
#include "tests/unit/wallet/each_signer.h"

#include "actors/wallet/signing.h"

TestSuite(signing, .init = setup, .fini = teardown);

/* 1, 2 and n−1 are in every Ethereum library's tests; 0xac09… is the first account of hardhat and anvil. */
Test(signing, address_of_a_secret)
{
	static const struct {
		const char *secret, *address;
	} vectors[] = {
		{"0000000000000000000000000000000000000000000000000000000000000001",
		 "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"},
		{"0000000000000000000000000000000000000000000000000000000000000002",
		 "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"},
		{"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
		 "0x80C0dbf239224071c59dD8970ab9d542E3414aB2"},
		{"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
		 "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"},
		{FIXED_SECRET, FIXED_ADDRESS},
	};
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		uint8_t secret[WALLET_SECRET];
		struct address address;
		char text[ADDRESS_TEXT];
		bytes_of(vectors[i].secret, secret, sizeof secret);
		cr_assert(signer_address(signer, secret, &address));
		cr_expect_str_eq(address_text(&address, text), vectors[i].address);
	}
}

/* 0, the group's order n, n+1 and the highest number. */
Test(signing, no_secret_of_the_curve)
{
	static const char *const secrets[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
		"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		uint8_t secret[WALLET_SECRET];
		struct address address;
		bytes_of(secrets[i], secret, sizeof secret);
		cr_expect_not(signer_address(signer, secret, &address), "%s", secrets[i]);
	}
}

/* web3.js, web3.eth.accounts.sign("Some data", …): digest and signature are in its documentation. */
Test(signing, personal_sign_published)
{
	uint8_t secret[WALLET_SECRET], digest[32];
	struct signature signature;
	personal_digest("Some data", 9, digest);
	expect_bytes(digest, 32, "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655");
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	for (unsigned again = 0; again < 3;
	     again++) { /* newly blinded each time, and yet the same (RFC 6979) */
		sign_personal(signer, secret, "Some data", 9, &signature);
		expect_bytes(signature.bytes, sizeof signature.bytes,
			     "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
			     "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c");
	}
}

static bool is_by(const char *text, size_t length, const struct signature *signature, const char *address)
{
	struct address found;
	char found_text[ADDRESS_TEXT];
	return personal_signer(text, length, signature, &found) &&
	       strcmp(address_text(&found, found_text), address) == 0;
}

Test(signing, who_signed)
{
	uint8_t secret[WALLET_SECRET];
	char text[PERSONAL_TEXT + 1];
	struct signature signature;
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	for (size_t length = 0; length <= PERSONAL_TEXT; length += 1 + length / 8) {
		memset(text, 'w', length);
		sign_personal(signer, secret, text, length, &signature);
		cr_expect(signature.bytes[64] == 27 || signature.bytes[64] == 28);
		cr_assert(is_by(text, length, &signature, FIXED_ADDRESS), "%zu", length);
		cr_assert_not(is_by(text, length + 1, &signature, FIXED_ADDRESS), "%zu", length);
	}
	memset(text, 'w', sizeof text);
	cr_expect_not(is_by(text, PERSONAL_TEXT + 1, &signature, FIXED_ADDRESS), "too long to be ours");
}

/* Never the same signer again: a flipped bit gives another address or none. */
Test(signing, any_flipped_bit_is_somebody_else)
{
	uint8_t secret[WALLET_SECRET];
	char text[] = "Some data";
	struct signature signature;
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	sign_personal(signer, secret, text, 9, &signature);
	for (size_t bit = 0; bit < 8 * sizeof signature.bytes; bit++) {
		signature.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(is_by(text, 9, &signature, FIXED_ADDRESS), "signature bit %zu", bit);
		signature.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * 9; bit++) {
		text[bit / 8] ^= (char)(1 << bit % 8);
		cr_assert_not(is_by(text, 9, &signature, FIXED_ADDRESS), "text bit %zu", bit);
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
	cr_expect(is_by(text, 9, &signature, FIXED_ADDRESS));
}

/* n − s with the other v is the same signature in another shape: ecrecover takes it, we do not (EIP-2). */
Test(signing, the_high_twin_is_refused)
{
	static const uint8_t n[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				      0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
				      0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
	uint8_t secret[WALLET_SECRET];
	struct signature signature;
	struct address address;
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	sign_personal(signer, secret, "Some data", 9, &signature);
	cr_assert(personal_signer("Some data", 9, &signature, &address));
	int borrow = 0;
	for (int i = 31; i >= 0; i--) {
		int difference = n[i] - signature.bytes[32 + i] - borrow;
		borrow = difference < 0;
		signature.bytes[32 + i] = (uint8_t)difference;
	}
	signature.bytes[64] = (uint8_t)(27 + 28 - signature.bytes[64]);
	cr_expect_not(personal_signer("Some data", 9, &signature, &address));
}

Test(signing, only_v_27_and_28)
{
	uint8_t secret[WALLET_SECRET];
	struct signature signature;
	struct address address;
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	sign_personal(signer, secret, "Some data", 9, &signature);
	for (unsigned v = 0; v < 256; v++) {
		signature.bytes[64] = (uint8_t)v;
		bool taken = personal_signer("Some data", 9, &signature, &address);
		cr_expect(v == 27 || v == 28 || !taken, "v %u", v);
	}
	memset(&signature, 0, sizeof signature);
	signature.bytes[64] = 27;
	cr_expect_not(personal_signer("Some data", 9, &signature, &address), "r and s are zero");
}
