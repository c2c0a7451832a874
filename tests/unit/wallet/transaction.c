/* Transactions against what is published, and everything that no transaction may be. */
#include "tests/unit/wallet/each_signer.h"

#include "actors/wallet/transaction.h"

#define FEE_MARKET_RAW \
	"02f87982055a09843b9aca008504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7" \
	"640000841248ab2bc001a00a25cdec633ee41bc5bbd3550c05d56b12b28043218994759ffb6c43e56d47c5a0531c2179" \
	"c77bf5ba2f37f547c499874a691f3ab7b3680c3d8780fedc1328cf29"
#define FEE_MARKET_HASH "ab0bfa132a875f6692f8056d61da66e01903fe3052826e48daa9e27c4bd05ef3"

TestSuite(transaction, .init = setup, .fini = teardown);

static struct u256 decimal(const char *text)
{
	struct u256 number;
	cr_assert(u256_parse(text, strlen(text), 0, &number));
	return number;
}

/* The example of EIP-155: nonce 9, 20 gwei, 21000 gas, one coin to 0x3535…, chain 1. */
static struct transaction example(void)
{
	struct transaction tx = {.type = TRANSACTION_LEGACY,
				 .chain_id = 1,
				 .nonce = 9,
				 .gas = 21000,
				 .max_fee = decimal("20000000000"),
				 .value = decimal("1000000000000000000")};
	memset(tx.to.bytes, 0x35, sizeof tx.to.bytes);
	return tx;
}

Test(transaction, eip155_example)
{
	uint8_t secret[WALLET_SECRET], digest[32], raw[TRANSACTION_RAW];
	struct transaction tx = example();
	struct hash hash;
	memset(secret, 0x46, sizeof secret);
	transaction_digest(&tx, digest);
	expect_bytes(digest, 32, "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
	size_t length = transaction_sign(&tx, signer, secret, raw, &hash);
	expect_bytes(raw, length,
		     "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000"
		     "8025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f"
		     "761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
}

/* Made with ethers 6.17 (Wallet.signTransaction); tests/peers does the same for hundreds. */
Test(transaction, fee_market_example)
{
	uint8_t secret[WALLET_SECRET], raw[TRANSACTION_RAW];
	static const uint8_t data[] = {0x12, 0x48, 0xab, 0x2b};
	struct transaction tx = example();
	struct hash hash;
	tx.type = TRANSACTION_FEE_MARKET;
	tx.chain_id = 1370;
	tx.max_priority = decimal("1000000000");
	tx.data = data;
	tx.data_length = sizeof data;
	memset(secret, 0x46, sizeof secret);
	size_t length = transaction_sign(&tx, signer, secret, raw, &hash);
	expect_bytes(raw, length, FEE_MARKET_RAW);
	expect_bytes(hash.bytes, 32, FEE_MARKET_HASH);
}

Test(transaction, its_cost_is_gas_times_fee)
{
	struct transaction tx = example();
	struct u256 fee, expected = decimal("420000000000000");
	cr_assert(transaction_fee(&tx, &fee));
	cr_expect_eq(u256_compare(&fee, &expected), 0);
}

Test(transaction, what_no_transaction_may_be)
{
	struct transaction good = example(), tx;
	cr_expect_null(transaction_wrong(&good));
#define WRONG(change) \
	tx = good; \
	change; \
	cr_expect_not_null(transaction_wrong(&tx), #change)
	WRONG(tx.type = 1);
	WRONG(tx.type = 3);
	WRONG(tx.chain_id = 0);
	WRONG(tx.chain_id = UINT64_C(1) << 32);
	WRONG(tx.nonce = UINT64_MAX);
	WRONG(tx.gas = 20999);
	WRONG(tx.max_priority = u256_of(1)); /* legacy */
	WRONG(tx.type = 2; tx.max_priority = decimal("20000000001"));
	WRONG(memset(&tx.to, 0, sizeof tx.to));
	WRONG(tx.data_length = TRANSACTION_DATA + 1);
	WRONG(memset(&tx.max_fee, 0xff, 32));
	WRONG(memset(&tx.value, 0xff, 32));
#undef WRONG
}

/* The longest that passes fits into what is promised, of either kind. */
Test(transaction, the_longest_fits)
{
	static uint8_t data[TRANSACTION_DATA];
	uint8_t secret[WALLET_SECRET], raw[TRANSACTION_RAW];
	struct hash hash;
	memset(data, 0xff, sizeof data);
	memset(secret, 0x46, sizeof secret);
	for (uint8_t type = 0; type <= 2; type += 2) {
		struct transaction tx = example();
		tx.type = type;
		tx.chain_id = UINT32_MAX;
		tx.nonce = UINT64_MAX - 1;
		tx.gas = UINT64_MAX;
		memset(tx.max_fee.bytes + 9, 0xff, 23);
		memset(tx.value.bytes + 1, 0xff, 31);
		tx.data = data;
		tx.data_length = sizeof data;
		cr_assert_null(transaction_wrong(&tx));
		cr_expect_leq(transaction_sign(&tx, signer, secret, raw, &hash), (size_t)TRANSACTION_RAW);
	}
}

/* Any field that changes changes what is signed. */
Test(transaction, every_field_is_signed)
{
	static const uint8_t data[] = {1};
	uint8_t digest[32], other[32];
	for (uint8_t type = 0; type <= 2; type += 2) {
		struct transaction good = example(), tx;
		good.type = type;
		transaction_digest(&good, digest);
#define CHANGED(change) \
	tx = good; \
	change; \
	transaction_digest(&tx, other); \
	cr_expect(memcmp(digest, other, 32) != 0, #change)
		CHANGED(tx.type = (uint8_t)(2 - type));
		CHANGED(tx.chain_id++);
		CHANGED(tx.nonce++);
		CHANGED(tx.gas++);
		CHANGED(tx.max_fee.bytes[31] ^= 1);
		CHANGED(tx.to.bytes[0] ^= 1);
		CHANGED(tx.value.bytes[31] ^= 1);
		CHANGED(tx.data = data; tx.data_length = 1);
		if (type == TRANSACTION_FEE_MARKET) {
			CHANGED(tx.max_priority.bytes[31] ^= 1);
		}
#undef CHANGED
	}
}
