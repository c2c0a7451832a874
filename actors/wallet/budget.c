/* What may be signed and what was spent of it in the last 24 hours, as text. Plain C in the process of wallet@N; reads
 * the books and the policy, and changes neither. */
#include "actors/wallet/budget.h"

#include <string.h>

static struct view kept(struct arena *arena, const char *text)
{
	size_t length = strlen(text);
	char *copy = arena_take(arena, length + 1);
	memcpy(copy, text, length);
	return (struct view){copy, (uint32_t)length};
}

static struct view coins(struct arena *arena, const struct u256 *amount)
{
	char text[U256_TEXT];
	return kept(arena, u256_text(amount, COIN_DECIMALS, text));
}

static void put_sums(struct arena *arena, const struct sums *sums, const struct u256 *value,
		     const struct u256 *fee, struct policy_row *row)
{
	row->signed_today = sums->count;
	row->value_today = coins(arena, &sums->value);
	row->value_per_day = coins(arena, value);
	row->fee_today = coins(arena, &sums->fee);
	row->fee_per_day = coins(arena, fee);
	row->last = sums->newest_s;
}

static void rule_row(const struct policy *policy, const struct spent *spent, const struct policy_rule *rule,
		     uint64_t now, struct arena *arena, struct policy_row *row)
{
	char text[U256_TEXT], methods[POLICY_METHODS_TEXT];
	row->chain_id = policy->chains[rule->chain].id;
	struct sums sums = spent_sums(spent, row->chain_id, rule->name, now);
	put_sums(arena, &sums, &rule->value_per_day, &rule->fee_per_day, row);
	memcpy(row->rule, rule->name, sizeof row->rule);
	row->to = rule->to;
	row->methods = kept(arena, policy_methods_text(rule, methods));
	row->count_per_day = rule->count_per_day;
	row->amount_word = rule->amount_word;
	row->amount_today = kept(arena, u256_text(&sums.amount, 0, text));
	row->amount_per_day = kept(arena, u256_text(&rule->amount_per_day, 0, text));
	row->spacing_s = rule->spacing_s;
}

static void chain_row(const struct spent *spent, const struct policy_chain *chain, uint64_t now,
		      struct arena *arena, struct policy_row *row)
{
	struct sums sums = spent_sums(spent, chain->id, NULL, now);
	put_sums(arena, &sums, &chain->value_per_day, &chain->fee_per_day, row);
	row->chain_id = chain->id;
	row->count_per_day = SPENT_SLOTS;
}

void budget_rows(const struct policy *policy, const struct spent *spent, uint64_t now, struct arena *arena,
		 struct wallet_policy_reply *out)
{
	char text[POLICY_WORDS_TEXT];
	struct policy_row *rows = arena_take(arena, (POLICY_CHAINS + POLICY_RULES) * sizeof *rows);
	for (unsigned i = 0; i < policy->chain_count; i++)
		chain_row(spent, &policy->chains[i], now, arena, &rows[out->rules_count++]);
	for (unsigned i = 0; i < policy->rule_count; i++)
		rule_row(policy, spent, &policy->rules[i], now, arena, &rows[out->rules_count++]);
	out->present = policy->present;
	out->rules = rows;
	out->statements = kept(arena, policy_statements_text(policy, text));
	out->hubs = kept(arena, policy_hubs_text(policy, text));
}
