/* wallet@N, the call that shows the policy and what was spent under it. Part of the process: runs as it, dies with it. */
#include "actors/wallet/wallet_self.h"

static struct view coins(struct call *call, const struct u256 *amount)
{
	char text[U256_TEXT];
	return in_arena(call, u256_text(amount, COIN_DECIMALS, text));
}

static void put_sums(struct call *call, const struct sums *sums, const struct u256 *value,
		     const struct u256 *fee, struct policy_row *row)
{
	row->signed_today = sums->count;
	row->value_today = coins(call, &sums->value);
	row->value_per_day = coins(call, value);
	row->fee_today = coins(call, &sums->fee);
	row->fee_per_day = coins(call, fee);
	row->last = sums->newest_s;
}

static void rule_row(const struct wallet *wallet, struct call *call, const struct policy_rule *rule,
		     uint64_t now, struct policy_row *row)
{
	char text[U256_TEXT], methods[POLICY_METHODS_TEXT];
	row->chain_id = wallet->policy.chains[rule->chain].id;
	struct sums sums = spent_sums(wallet->spent, row->chain_id, rule->name, now);
	put_sums(call, &sums, &rule->value_per_day, &rule->fee_per_day, row);
	memcpy(row->rule, rule->name, sizeof row->rule);
	row->to = rule->to;
	row->methods = in_arena(call, policy_methods_text(rule, methods));
	row->count_per_day = rule->count_per_day;
	row->amount_word = rule->amount_word;
	row->amount_today = in_arena(call, u256_text(&sums.amount, 0, text));
	row->amount_per_day = in_arena(call, u256_text(&rule->amount_per_day, 0, text));
	row->spacing_s = rule->spacing_s;
}

static void chain_row(const struct wallet *wallet, struct call *call, const struct policy_chain *chain,
		      uint64_t now, struct policy_row *row)
{
	struct sums sums = spent_sums(wallet->spent, chain->id, NULL, now);
	put_sums(call, &sums, &chain->value_per_day, &chain->fee_per_day, row);
	row->chain_id = chain->id;
	row->count_per_day = SPENT_SLOTS;
}

enum err on_wallet_policy(struct actor *self, struct call *call, const struct wallet_policy *in,
			  struct wallet_policy_reply *out)
{
	(void)in;
	struct wallet *wallet = actor_state(self);
	const struct policy *policy = &wallet->policy;
	uint64_t now = spent_now(wallet->spent, wall_clock());
	char text[POLICY_WORDS_TEXT];
	struct policy_row *rows = arena_take(call_arena(call), (POLICY_CHAINS + POLICY_RULES) * sizeof *rows);
	for (unsigned i = 0; i < policy->chain_count; i++)
		chain_row(wallet, call, &policy->chains[i], now, &rows[out->rules_count++]);
	for (unsigned i = 0; i < policy->rule_count; i++)
		rule_row(wallet, call, &policy->rules[i], now, &rows[out->rules_count++]);
	out->present = policy->present;
	out->rules = rows;
	out->statements = in_arena(call, policy_statements_text(policy, text));
	out->hubs = in_arena(call, policy_hubs_text(policy, text));
	return ERR_OK;
}
