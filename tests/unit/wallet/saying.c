/* The texts of statements: exact, and each of its own kind. */
#include "tests/unit/wallet/fixed.h"

#include "actors/base/crypto/crypto.h"
#include "actors/wallet/saying.h"
#include "proto/u256.h"

#define RELAY_PROOF_SAID "57f868b4633034d429b3f8a2d3bb63cc738a660e5008850e61d69a7992b57df1"
#define RELAY_PROOF_SIGNATURE \
	"b8468d98394cb15a1aa04852e899739f2ec18667de5cfbc55435ac8b9c49a8250c" \
	"f4537daeaea09675034c931daedfcf53ce5fc35b15554cf8cae15034791abd1c"

static struct address address;

static void setup(void)
{
	crypto_warm();
	bytes_of("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", address.bytes, sizeof address.bytes);
}
TestSuite(saying, .init = setup);

/* The node id is FEATURES D2's vector, the form seed 002's. */
Test(saying, peer_proof)
{
	char text[SAYING_TEXT];
	cr_expect_eq(saying_peer_proof(&address, 1700000000, text), strlen(text));
	cr_expect_str_eq(text, "mumblechat:peer:793f88740e3ced5d3b007ab91feb3feb22d76afe:1700000000");
}

Test(saying, hub_challenge)
{
	char text[SAYING_TEXT];
	struct hub_challenge challenge = {.hub = "hub.example.org", .expires = 1700000030};
	memset(&challenge.challenge, 0xab, sizeof challenge.challenge);
	cr_expect_eq(saying_hub_challenge(&address, &challenge, text), strlen(text));
	cr_expect_str_eq(text, "Warren hub challenge\nversion 1\nhub hub.example.org\n"
			       "wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n"
			       "challenge abababababababababababababababababababababababababababababababab\n"
			       "session none\nexpires 1700000030\n");
	challenge.has_session = true;
	memset(&challenge.session, 0xcd, sizeof challenge.session);
	challenge.hub = "hub-with-a-name-of-sixty-four-letters-which-is-the-most.an.examp";
	cr_expect_eq(strlen(challenge.hub), 64);
	cr_expect_lt(saying_hub_challenge(&address, &challenge, text), (size_t)SAYING_TEXT);
	cr_expect_not_null(strstr(text, "\nsession cdcd"));
}

/* Made with ethers 6.17: solidityPackedKeccak256 of bytes32, bytes32, uint256, uint256; then signMessage of the 32 bytes. */
Test(saying, relay_proof)
{
	struct hash message, node, said;
	struct u256 nonce = u256_of(7);
	struct signature signature;
	uint8_t secret[WALLET_SECRET];
	struct signer *signer = signer_new();
	memset(&message, 0x11, sizeof message);
	memset(&node, 0x22, sizeof node);
	saying_relay_proof(&message, &node, 1700000000, &nonce, &said);
	expect_bytes(said.bytes, 32, RELAY_PROOF_SAID);
	bytes_of(FIXED_SECRET, secret, sizeof secret);
	sign_personal(signer, secret, (const char *)said.bytes, 32, &signature);
	expect_bytes(signature.bytes, 65, RELAY_PROOF_SIGNATURE);
	signer_free(&signer);
}
