/* What may be signed: each limit of a policy reached, and passed by one. */
#include "tests/unit/wallet/books.h"

static struct books books;

static void setup(void)
{
	books_make(&books);
}
static void teardown(void)
{
	books_remove(&books);
}
TestSuite(verdict, .init = setup, .fini = teardown);

#define expect_refused(tx, words) \
	do { \
		cr_assert_not(books_sign(&books, tx)); \
		cr_expect_not_null(strstr(books.refusal.why, words), "%s", books.refusal.why); \
	} while (0)

static void heartbeat(struct transaction *tx, uint8_t data[36])
{
	*tx = books_tx(&books, RELAY, "0");
	memset(data, 7, 36);
	memcpy(data, "\x12\x48\xab\x2b", 4);
	tx->data = data;
	tx->data_length = 36;
}

static void approve(struct transaction *tx, uint8_t data[68], uint64_t amount)
{
	struct u256 word = u256_of(amount);
	*tx = books_tx(&books, TOKEN, "0");
	memset(data, 0, 68);
	memcpy(data, "\x09\x5e\xa7\xb3", 4);
	bytes_of(RELAY, data + 16, 20);
	memcpy(data + 36, word.bytes, 32);
	tx->data = data;
	tx->data_length = 68;
}

Test(verdict, nothing_is_allowed_by_nothing)
{
	struct policy none = {0};
	struct transaction tx = books_tx(&books, RELAY, "0");
	struct charge charge;
	cr_expect_not(verdict_transaction(&none, books.spent, &tx, NOON, &charge, &books.refusal));
	cr_expect_not(verdict_peer_proof(&none, NOON, NOON, &books.refusal));
	cr_expect_not(verdict_hub_challenge(&none, "hub.example.org", NOON + 10, NOON, &books.refusal));
	cr_expect_not(verdict_relay_proof(&none, NOON, NOON, &books.refusal));
}

Test(verdict, contract_method_and_arguments)
{
	uint8_t data[100];
	struct transaction tx;
	heartbeat(&tx, data);
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
	heartbeat(&tx, data);
	tx.chain_id = 1;
	expect_refused(&tx, "no chain 1;");
	tx.chain_id = 2;
	expect_refused(&tx, "no rule of the policy");
	heartbeat(&tx, data);
	tx.to.bytes[19] ^= 1;
	expect_refused(&tx, "no rule of the policy");
	heartbeat(&tx, data);
	data[3] ^= 1;
	expect_refused(&tx, "method 1248ab2a");
	heartbeat(&tx, data);
	tx.data_length = 35;
	expect_refused(&tx, "35 bytes");
	tx.data_length = 37;
	expect_refused(&tx, "37 bytes");
	tx.data_length = 3;
	expect_refused(&tx, "3 bytes");
	approve(&tx, data, 100);
	data[16] ^= 1;
	expect_refused(&tx, "argument 1");
	approve(&tx, data, 100);
	data[4] = 1; /* above the address's 20 bytes */
	expect_refused(&tx, "argument 1");
	approve(&tx, data, 100);
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
	tx = books_tx(&books, TOKEN, "0");
	expect_refused(&tx, "no rule allows");
}

Test(verdict, value_of_a_day)
{
	struct transaction tx = books_tx(&books, RELAY, "0.6");
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
	books.now += 61;
	tx = books_tx(&books, RELAY, "0.000000000000000001");
	expect_refused(&tx, "rule pay: value would be 0.600000000000000001 in 24 hours; 0.6 may be");
	books.now = NOON + 86399;
	expect_refused(&tx, "value");
	books.now = NOON + 86400;
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
}

Test(verdict, fees_of_a_day_are_of_all_rules)
{
	uint8_t data[68];
	struct transaction tx;
	for (unsigned i = 0; i < 3; i++) {
		heartbeat(&tx, data);
		cr_assert(books_sign(&books, &tx), "%s", books.refusal.why);
	}
	heartbeat(&tx, data);
	expect_refused(&tx, "number 4");
	for (unsigned i = 0; i < 2; i++) {
		approve(&tx, data, 1);
		cr_assert(books_sign(&books, &tx), "%s", books.refusal.why);
	}
	approve(&tx, data, 1);
	expect_refused(&tx, "chain 1370: fees would be 0.6 in 24 hours; 0.5 may be");
}

Test(verdict, amounts_of_a_token)
{
	uint8_t data[68];
	struct transaction tx;
	approve(&tx, data, 101);
	expect_refused(&tx, "amount would be 101");
	approve(&tx, data, 60);
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
	approve(&tx, data, 41);
	expect_refused(&tx, "amount would be 101");
	approve(&tx, data, 40);
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
	approve(&tx, data, 0);
	memset(data + 36, 0xff, 32); /* with what there is: more than 256 bits */
	expect_refused(&tx, "amount");
}

Test(verdict, spacing)
{
	struct transaction tx = books_tx(&books, RELAY, "0.1");
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
	books.now += 59;
	tx = books_tx(&books, RELAY, "0.1");
	expect_refused(&tx, "59 s after");
	books.now++;
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
}

/* The same nonce again: charged once, at the highest; the other fee may be lower, spacing does not count. */
Test(verdict, a_nonce_is_charged_once_at_its_highest)
{
	struct transaction tx = books_tx(&books, RELAY, "0.3"), again = tx;
	cr_expect(books_sign(&books, &tx));
	again.max_fee = wei("0.000002");
	again.value = wei("0.1");
	cr_expect(books_sign(&books, &again), "%s", books.refusal.why);
	struct sums sums = spent_sums(books.spent, 1370, "pay", books.now);
	struct u256 value = wei("0.3"), fee = wei("0.2");
	cr_expect_eq(sums.count, 1);
	cr_expect_eq(u256_compare(&sums.value, &value), 0);
	cr_expect_eq(u256_compare(&sums.fee, &fee), 0);
	sums = spent_sums(books.spent, 1370, NULL, books.now);
	cr_expect_eq(sums.count, 1, "of the chain, too");
	cr_expect_eq(u256_compare(&sums.value, &value), 0);
	cr_expect_eq(u256_compare(&sums.fee, &fee), 0);
	again.max_fee = wei("0.000005000001");
	cr_expect_not(books_sign(&books, &again), "the fee of a replacement counts");
	again = tx;
	again.value = wei("0.6");
	cr_expect(books_sign(&books, &again), "%s", books.refusal.why);
	again.value = wei("0.600000000000000001");
	cr_expect_not(books_sign(&books, &again));
}

Test(verdict, what_no_transaction_may_be_is_refused_first)
{
	struct transaction tx = books_tx(&books, RELAY, "0.1");
	tx.type = 1;
	expect_refused(&tx, "type");
	tx = books_tx(&books, RELAY, "0.1");
	memset(&tx.max_fee, 0xff, sizeof tx.max_fee);
	expect_refused(&tx, "256 bits");
}

/* FEATURES D5: 299 s old is taken, 301 s is not, nor is the future. */
Test(verdict, statements_have_their_time)
{
	cr_expect(verdict_peer_proof(&books.policy, NOON - 299, NOON, &books.refusal));
	cr_expect(verdict_peer_proof(&books.policy, NOON + 300, NOON, &books.refusal));
	cr_expect_not(verdict_peer_proof(&books.policy, NOON - 301, NOON, &books.refusal));
	cr_expect_not(verdict_peer_proof(&books.policy, NOON + 301, NOON, &books.refusal));
	cr_expect(verdict_hub_challenge(&books.policy, "hub.example.org", NOON + 30, NOON, &books.refusal));
	cr_expect_not(
		verdict_hub_challenge(&books.policy, "hub.example.org", NOON + 31, NOON, &books.refusal));
	cr_expect_not(verdict_hub_challenge(&books.policy, "hub.example.org", NOON, NOON, &books.refusal));
	cr_expect_not(
		verdict_hub_challenge(&books.policy, "hub.example.com", NOON + 9, NOON, &books.refusal));
	cr_expect_not(verdict_relay_proof(&books.policy, NOON, NOON, &books.refusal),
		      "not allowed by this policy");
	books.policy.statements |= 1U << STATEMENT_RELAY_PROOF;
	cr_expect(verdict_relay_proof(&books.policy, NOON - 3600, NOON, &books.refusal));
	cr_expect_not(verdict_relay_proof(&books.policy, NOON - 3601, NOON, &books.refusal));
	cr_expect_not(verdict_relay_proof(&books.policy, NOON + 1, NOON, &books.refusal));
}

/* What is refused says by which limit, and when waiting would help. */
static void refused_by(struct transaction *tx, enum reason_code code, const char *rule, uint64_t when_s)
{
	cr_assert_not(books_sign(&books, tx));
	cr_expect_eq(books.refusal.code, code, "%d: %s", books.refusal.code, books.refusal.why);
	cr_expect_str_eq(books.refusal.rule, rule);
	cr_expect_eq(books.refusal.when_s, when_s, "%llu", (unsigned long long)books.refusal.when_s - NOON);
}

Test(verdict, says_which_limit_and_when)
{
	uint8_t data[68];
	struct transaction tx = books_tx(&books, RELAY, "0.4");
	cr_assert(books_sign(&books, &tx), "%s", books.refusal.why);
	tx = books_tx(&books, RELAY, "0.1");
	refused_by(&tx, REASON_POLICY_SPACING, "pay", NOON + 60);
	tx = books_tx(&books, RELAY, "0.3");
	refused_by(&tx, REASON_POLICY_SPACING, "pay", NOON + 86400); /* the value would still be too much */
	books.now = NOON + 100;
	tx = books_tx(&books, RELAY, "0.1");
	cr_assert(books_sign(&books, &tx), "%s", books.refusal.why);
	books.now = NOON + 200;
	tx = books_tx(&books, RELAY, "0.2");
	refused_by(&tx, REASON_POLICY_BUDGET, "pay", NOON + 86400);
	tx = books_tx(&books, RELAY, "0.6");
	refused_by(&tx, REASON_POLICY_BUDGET, "pay", NOON + 86500); /* when both are old */
	books.now = NOON + 86499;
	cr_expect_not(books_sign(&books, &tx));
	books.now = NOON + 86500;
	cr_expect(books_sign(&books, &tx), "%s", books.refusal.why);
	tx = books_tx(&books, RELAY, "0.7");
	refused_by(&tx, REASON_POLICY_SPACING, "pay", 0); /* never: it is more than a day's */
	tx = books_tx(&books, TOKEN, "0");
	refused_by(&tx, REASON_POLICY_NO_RULE, "", 0);
	approve(&tx, data, 100);
	data[16] ^= 1;
	refused_by(&tx, REASON_POLICY_NO_RULE, "approve", 0);
	cr_expect_not(verdict_relay_proof(&books.policy, NOON, NOON, &books.refusal));
	cr_expect_eq(books.refusal.code, REASON_POLICY_STATEMENT);
}
