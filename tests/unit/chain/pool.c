/* Whom of the servers it believes. */
#include "actors/chain/fees.h"
#include "actors/chain/pool.h"

#include <criterion/criterion.h>
#include <string.h>

enum { CHAIN_ID = 1370, NOW_S = 2000000 };

static struct pool pool;
static char text[POOL_WHY];

static struct rpc_block block(uint64_t number, uint8_t fork)
{
	struct rpc_block made = {.number = number, .time = NOW_S};
	memset(&made.hash, fork, sizeof made.hash);
	memset(&made.parent, fork, sizeof made.parent);
	made.hash.bytes[0] = (uint8_t)number;
	made.parent.bytes[0] = (uint8_t)(number - 1);
	return made;
}

static bool says(unsigned server, uint64_t head, uint8_t fork)
{
	const struct pool_said said = {
		.chain_id = CHAIN_ID, .head = block(head, fork), .mark = block(pool.mark, fork)};
	return pool_heard(&pool, server, &said, 1000, 7);
}

static void begin(unsigned servers)
{
	pool_begin(&pool, CHAIN_ID, servers, 2);
	pool_round(&pool);
}

static bool troubled(const char *because)
{
	const char *trouble = pool_trouble(&pool, NOW_S, text);
	return trouble && strstr(trouble, because);
}

Test(pool, nothing_is_signed_before_all_were_heard_and_compared)
{
	begin(2);
	cr_assert(troubled("none has answered yet"));
	cr_assert_eq(pool_pick(&pool, 0), -1);
	says(0, 100, 1);
	cr_assert(troubled("not every server"));
	says(1, 100, 1);
	cr_assert_null(pool_trouble(&pool, NOW_S, text), "block 0 was compared: %s", text);
	cr_assert_eq(pool_pick(&pool, 0), 0);
	cr_assert_eq(pool_pick(&pool, 1), 1);
	cr_assert_eq(pool_pick(&pool, 3), -1);
}

Test(pool, two_that_disagree_are_believed_again_when_they_agree)
{
	begin(2);
	says(0, 100, 1), says(1, 100, 1);
	cr_assert_eq(pool_round(&pool), 100);
	says(0, 101, 1), says(1, 101, 2);
	cr_assert(troubled("servers 2 and 1 disagree about block 100: 0x64"));
	pool_round(&pool);
	says(0, 102, 1);
	cr_assert(troubled("disagree"), "one alone proves nothing");
	pool_failed(&pool, 1, "gone", 1000);
	cr_assert(troubled("disagree"), "nor does the other's silence");
	says(1, 102, 1);
	cr_assert_null(pool_trouble(&pool, NOW_S, text));
}

Test(pool, one_that_is_behind_is_not_asked_and_still_compared)
{
	begin(2);
	says(0, 100, 1), says(1, 100 - POOL_BEHIND, 1);
	cr_assert_eq(pool_good(&pool), 3);
	cr_assert_eq(pool_round(&pool), 97);
	says(0, 101, 1), says(1, 97, 1);
	cr_assert_eq(pool_good(&pool), 1);
	cr_assert(strstr(pool.servers[1].why, "4 blocks behind"));
	pool_round(&pool);
	says(0, 101, 1), says(1, 97, 9);
	cr_assert(troubled("disagree"));
}

Test(pool, another_chain_is_not_believed_whatever_its_id)
{
	begin(1);
	struct pool_said said = {
		.chain_id = 1, .head = block(5, 1), .mark = block(0, 1), .has_genesis = true};
	pool_heard(&pool, 0, &said, 1000, 1);
	cr_assert_eq(pool.servers[0].state, POOL_OTHER);
	cr_assert(strstr(pool.servers[0].why, "of chain 1, not 1370") && troubled("no server"));
	pool.has_genesis = true;
	said.chain_id = CHAIN_ID;
	pool_heard(&pool, 0, &said, 1000, 1);
	cr_assert_eq(pool.servers[0].state, POOL_GOOD);
	said.genesis.bytes[0] = 1;
	pool_heard(&pool, 0, &said, 1000, 1);
	cr_assert_eq(pool.servers[0].state, POOL_OTHER);
	cr_assert(strstr(pool.servers[0].why, "another chain of the same id"));
}

Test(pool, a_failure_waits_longer_each_time_up_to_a_minute)
{
	begin(1);
	uint64_t now = 5000, waits[8];
	for (int i = 0; i < 8; i++) {
		pool_failed(&pool, 0, "HTTP status 429", now);
		waits[i] = pool.servers[0].not_before_ms - now;
		cr_assert(!pool_due(&pool, 0, now + waits[i] - 1) && pool_due(&pool, 0, now + waits[i]));
	}
	cr_assert(waits[0] == 1000 && waits[1] == 2000 && waits[5] == 32000 && waits[7] == 60000);
	cr_assert(pool_wants_genesis(&pool, 0), "it may be another one afterwards");
	says(0, 1, 1);
	pool_failed(&pool, 0, "once", now);
	cr_assert_eq(pool.servers[0].not_before_ms - now, 1000);
}

Test(pool, an_old_block_is_too_old_to_sign_for)
{
	begin(1);
	says(0, 100, 1);
	cr_assert_null(pool_trouble(&pool, NOW_S + 60, text));
	cr_assert(pool_trouble(&pool, NOW_S + 61, text));
	pool_begin(&pool, CHAIN_ID, 1, 0);
	says(0, 100, 1);
	cr_assert_null(pool_trouble(&pool, NOW_S + 1000000, text),
		       "where blocks come only when there is something");
}

Test(pool, a_block_that_is_taken_back_is_noticed)
{
	begin(1);
	cr_assert_not(says(0, 100, 1));
	pool_round(&pool);
	cr_assert_not(says(0, 101, 1));
	pool_round(&pool);
	cr_assert(says(0, 101, 2), "the same number");
	pool_round(&pool);
	cr_assert_not(says(0, 102, 2));
	pool_round(&pool);
	struct pool_said said = {.chain_id = CHAIN_ID, .head = block(103, 3), .mark = block(102, 3)};
	cr_assert(pool_heard(&pool, 0, &said, 1000, 1), "what it said of the last one");
	cr_assert_eq(pool.taken_back, 2);
}

/* -- offers for gas ------------------------------------------------------------------------------------ */

Test(fees, each_offer_is_a_quarter_more_until_the_cap)
{
	struct u256 base = u256_of(1000), tip = u256_of(100), cap;
	struct fee fee = fee_first(&base, &tip), none = {0};
	char number[U256_TEXT];
	cr_assert_str_eq(u256_text(&fee.max, 0, number), "2100");
	cap = fee_default_cap(&fee);
	cr_assert_str_eq(u256_text(&cap, 0, number), "21000");
	cr_assert(fee_higher(&fee, &none, &cap));
	cr_assert_str_eq(u256_text(&fee.max, 0, number), "2626");
	cr_assert_str_eq(u256_text(&fee.priority, 0, number), "126");
	unsigned times = 1;
	while (times < 50 && fee_higher(&fee, &none, &cap))
		times++;
	cr_assert(times >= 9 && times <= 10, "%u", times);
	cr_assert_leq(u256_compare(&fee.max, &cap), 0);
	struct fee was = fee, high = {.max = cap, .priority = cap};
	cr_assert_not(fee_higher(&fee, &high, &cap));
	cr_assert_eq(memcmp(&fee, &was, sizeof fee), 0, "as it was");
	struct fee low = fee_first(&base, &tip);
	cr_assert(fee_higher(&low, &high, &cap), "what the chain wants now, at most the cap");
	cr_assert_eq(u256_compare(&low.max, &cap), 0);
	cr_assert_leq(u256_compare(&low.priority, &low.max), 0);
}

Test(fees, a_price_without_priority_stays_without)
{
	struct u256 price = u256_of(3), cap = u256_of(1000);
	struct fee fee = fee_first_legacy(&price), none = {0};
	cr_assert(fee_higher(&fee, &none, &cap));
	cr_assert(u256_is_zero(&fee.priority) && fee.max.bytes[31] == 4);
}
