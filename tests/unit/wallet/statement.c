/* The binding statement: byte for byte what other tools make of it, and nothing else is believed. */
#include "tests/unit/wallet/fixed.h"

#include "actors/base/crypto/crypto.h"
#include "actors/wallet/statement.h"

#include <sodium.h>
#include <stdio.h>

static struct signer *signer;
static struct wallet_keys *keys;
static struct statement made;

static void setup(void)
{
	crypto_warm();
	signer = signer_new();
	keys = fixed_keys(signer);
	statement_make(keys, signer, &made);
}

static void teardown(void)
{
	keys_free(&keys);
	signer_free(&signer);
}

TestSuite(statement, .init = setup, .fini = teardown);

static const char fixed_text[] = "Warren node binding\n"
				 "version 1\n"
				 "wallet " FIXED_ADDRESS "\n"
				 "node-key " FIXED_NODE_KEY "\n"
				 "peer-id 12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV\n";

static enum statement_end verify(const struct statement *statement, struct binding *binding)
{
	return statement_verify(statement->text, statement->length, &statement->by_wallet,
				&statement->by_node, binding);
}

/* Signed by ethers 6.17 (signMessage) and by Node's crypto.sign: the same bytes. */
Test(statement, as_other_tools_make_it)
{
	cr_expect_str_eq(made.text, fixed_text);
	cr_expect_eq(made.length, strlen(fixed_text));
	expect_bytes(made.by_wallet.bytes, sizeof made.by_wallet.bytes,
		     "f4c9ea482da195c894b710360125625673b5b1c4fbc2a45ca90116e26f3e2390"
		     "588f84a274ca5f93ec817c27650fd63d9628395d0777ef01aba083c727979cd61b");
	expect_bytes(made.by_node.bytes, sizeof made.by_node.bytes,
		     "048633f523e01fef482e39227e8386bae546342665ca56a2c16732ecfedf7ba9"
		     "5caee5439aa74df5ec41d3417964d43c92d26fd157947f64b2a51bd6d4db3005");
}

Test(statement, binds_the_two)
{
	struct binding binding;
	cr_assert_eq(verify(&made, &binding), STATEMENT_OK);
	cr_expect_arr_eq(&binding.wallet, &keys->address, sizeof binding.wallet);
	cr_expect_arr_eq(&binding.node, &keys->node_key, sizeof binding.node);
}

static void expect_end(const struct statement *statement, enum statement_end end, const char *what,
		       size_t where)
{
	struct binding binding, zero = {0};
	memset(&binding, 0xa5, sizeof binding);
	cr_expect_eq(verify(statement, &binding), end, "%s %zu", what, where);
	cr_expect_arr_eq(&binding, &zero, sizeof zero, "%s %zu", what, where);
}

Test(statement, any_flipped_bit_is_refused)
{
	for (size_t bit = 0; bit < 8 * sizeof made.by_wallet.bytes; bit++) {
		struct statement other = made;
		other.by_wallet.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_end(&other, STATEMENT_NOT_BY_WALLET, "wallet signature bit", bit);
	}
	for (size_t bit = 0; bit < 8 * sizeof made.by_node.bytes; bit++) {
		struct statement other = made;
		other.by_node.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_end(&other, STATEMENT_NOT_BY_NODE, "node signature bit", bit);
	}
	for (size_t bit = 0; bit < 8 * made.length; bit++) {
		struct statement other = made;
		struct binding binding;
		other.text[bit / 8] ^= (char)(1 << bit % 8);
		cr_expect_neq(verify(&other, &binding), STATEMENT_OK, "text bit %zu", bit);
	}
}

Test(statement, any_other_length_is_refused)
{
	struct statement other = made;
	for (other.length = 0; other.length < STATEMENT_TEXT - 1; other.length++)
		if (other.length != made.length)
			expect_end(&other, STATEMENT_MALFORMED, "length", other.length);
}

/* s + L is the same number to a careless verifier (RFC 8032, 8.4). */
Test(statement, the_ed25519_twin_is_refused)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
					  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
					  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
	struct statement other = made;
	unsigned carry = 0;
	for (unsigned i = 0; i < 32; i++) {
		carry += other.by_node.bytes[32 + i] + order[i];
		other.by_node.bytes[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	cr_assert_eq(carry, 0U);
	expect_end(&other, STATEMENT_NOT_BY_NODE, "s + L", 0);
}

/* Right signatures of both keys over a text that is not the statement: the signatures alone prove nothing. */
static void expect_malformed(const char *text)
{
	struct statement other;
	other.length = (size_t)snprintf(other.text, sizeof other.text, "%s", text);
	sign_personal(signer, keys->wallet_secret, other.text, other.length, &other.by_wallet);
	crypto_sign_detached(other.by_node.bytes, NULL, (uint8_t *)other.text, other.length,
			     keys->node_secret);
	expect_end(&other, STATEMENT_MALFORMED, text, 0);
}

#define TEXT(domain, version, wallet, peer, end) \
	domain "version " version "\nwallet " wallet "\nnode-key " FIXED_NODE_KEY "\npeer-id " peer end
#define DOMAIN "Warren node binding\n"
#define PEER   "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV"

Test(statement, one_text_and_no_other)
{
	cr_assert_str_eq(TEXT(DOMAIN, "1", FIXED_ADDRESS, PEER, "\n"), fixed_text, "the control");
	expect_malformed(TEXT("Warren node bonding\n", "1", FIXED_ADDRESS, PEER, "\n"));
	expect_malformed(TEXT("Warren node binding\r\n", "1", FIXED_ADDRESS, PEER, "\n"));
	expect_malformed(TEXT(" " DOMAIN, "1", FIXED_ADDRESS, PEER, "\n"));
	expect_malformed(TEXT(DOMAIN, "2", FIXED_ADDRESS, PEER, "\n"));
	expect_malformed(TEXT(DOMAIN, "1", FIXED_ADDRESS, PEER, ""));
	expect_malformed(TEXT(DOMAIN, "1", FIXED_ADDRESS, PEER, "\n\n"));
	expect_malformed(TEXT(DOMAIN, "1", FIXED_ADDRESS, "1" PEER, "\n"));
	/* without EIP-55's capitals */
	expect_malformed(TEXT(DOMAIN, "1", "0x2c7536e3605d9c16a7a3d7b1898e529396a65c23", PEER, "\n"));
}

/* A statement that names others than those who signed it. */
Test(statement, each_must_sign_for_itself)
{
	enum secret_wall got;
	struct statement theirs, mixed = made;
	struct wallet_keys *others = keys_new(SECRET_HIDDEN, &got);
	keys_make(others, signer);
	statement_make(others, signer, &theirs);

	mixed.by_wallet = theirs.by_wallet;
	expect_end(&mixed, STATEMENT_NOT_BY_WALLET, "another wallet's signature", 0);
	sign_personal(signer, others->wallet_secret, made.text, made.length, &mixed.by_wallet);
	expect_end(&mixed, STATEMENT_NOT_BY_WALLET, "another wallet's, over this text", 0);
	mixed = made;
	crypto_sign_detached(mixed.by_node.bytes, NULL, (uint8_t *)made.text, made.length,
			     others->node_secret);
	expect_end(&mixed, STATEMENT_NOT_BY_NODE, "another node's, over this text", 0);

	struct binding stolen = {.wallet = keys->address, .node = others->node_key};
	mixed.length = statement_text(&stolen, mixed.text);
	sign_personal(signer, others->wallet_secret, mixed.text, mixed.length, &mixed.by_wallet);
	crypto_sign_detached(mixed.by_node.bytes, NULL, (uint8_t *)mixed.text, mixed.length,
			     others->node_secret);
	expect_end(&mixed, STATEMENT_NOT_BY_WALLET, "somebody else's wallet claimed", 0);
	keys_free(&others);
}

/* The longest that any keys can make still fits in the reply (proto/wallet.h) and can be signed. */
Test(statement, fits)
{
	struct binding binding;
	char text[STATEMENT_TEXT];
	memset(&binding, 0xff, sizeof binding);
	cr_expect_eq(statement_text(&binding, text), strlen(text));
	cr_expect_lt(strlen(text), (size_t)PERSONAL_TEXT);
}
