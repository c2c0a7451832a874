/* The judge: what is asked against the policy and the books. Plain C; touches nothing but what it is given. */
#include "actors/wallet/verdict.h"

#include "actors/base/crypto/crypto.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static bool no(struct refusal *refusal, enum reason_code code,
						     const char *format, ...)
{
	va_list arguments;
	*refusal = (struct refusal){.code = code};
	va_start(arguments, format);
	vsnprintf(refusal->why, sizeof refusal->why, format, arguments);
	va_end(arguments);
	return false;
}

/* -- what it does: contract and method ----------------------------------------------------------- */

static bool method_fits(const struct policy_method *method, const struct transaction *tx)
{
	if (method->pay)
		return tx->data_length == 0;
	size_t head = 4 + 32 * (size_t)method->words;
	return tx->data_length >= 4 && memcmp(tx->data, method->selector, 4) == 0 &&
	       (method->exact ? tx->data_length == head
			      : tx->data_length >= head && tx->data_length % 32 == 4);
}

static bool has_method(const struct policy_rule *rule, const struct transaction *tx)
{
	for (unsigned i = 0; i < rule->method_count; i++)
		if (method_fits(&rule->methods[i], tx))
			return true;
	return false;
}

/* Argument `word`, from 1; false when the data ends before it. */
static bool argument(const struct transaction *tx, unsigned word, struct hash *value)
{
	if (tx->data_length < 4 + 32 * (size_t)word)
		return false;
	memcpy(value->bytes, tx->data + 4 + 32 * (size_t)(word - 1), 32);
	return true;
}

static bool arguments_fit(const struct policy_rule *rule, const struct transaction *tx, struct u256 *amount,
			  struct refusal *refusal)
{
	struct hash value;
	for (unsigned i = 0; i < rule->fixed_count; i++)
		if (!argument(tx, rule->fixed[i].word, &value) ||
		    memcmp(&value, &rule->fixed[i].is, sizeof value) != 0)
			return no(refusal, REASON_POLICY_NO_RULE,
				  "rule %s: argument %u is not the one it allows", rule->name,
				  rule->fixed[i].word);
	*amount = u256_of(0);
	if (rule->amount_word == 0)
		return true;
	if (!argument(tx, rule->amount_word, &value))
		return no(refusal, REASON_POLICY_NO_RULE,
			  "rule %s: there is no argument %u, which is its amount", rule->name,
			  rule->amount_word);
	memcpy(amount->bytes, value.bytes, sizeof amount->bytes);
	return true;
}

/* -- what it costs: the day's budgets ------------------------------------------------------------ */

static bool within(const char *of, const char *what, const struct u256 *sum, const struct u256 *most,
		   unsigned decimals, struct refusal *refusal)
{
	char is[U256_TEXT], may[U256_TEXT];
	return u256_compare(sum, most) <= 0 ||
	       no(refusal, REASON_POLICY_BUDGET, "%s: %s would be %s in 24 hours; %s may be", of, what,
		  u256_text(sum, decimals, is), u256_text(most, decimals, may));
}

static bool rule_pays(const struct policy_rule *rule, const struct spent *spent, const struct charge *charge,
		      uint64_t now, struct refusal *refusal)
{
	char of[POLICY_NAME + 8];
	struct sums sums = spent_with(spent, charge, true, now);
	snprintf(of, sizeof of, "rule %s", rule->name);
	if (sums.newest_s && sums.newest_s + rule->spacing_s > now)
		return no(refusal, REASON_POLICY_SPACING,
			  "%s: %" PRIu64 " s after the last one; %u s must lie between", of,
			  now - sums.newest_s, rule->spacing_s);
	if (sums.count > rule->count_per_day)
		return no(refusal, REASON_POLICY_BUDGET, "%s: it would be number %u in 24 hours; %u may be",
			  of, sums.count, rule->count_per_day);
	return within(of, "value", &sums.value, &rule->value_per_day, COIN_DECIMALS, refusal) &&
	       within(of, "fees", &sums.fee, &rule->fee_per_day, COIN_DECIMALS, refusal) &&
	       (!rule->amount_word || within(of, "amount", &sums.amount, &rule->amount_per_day, 0, refusal));
}

static bool chain_pays(const struct policy_chain *chain, const struct spent *spent,
		       const struct charge *charge, uint64_t now, struct refusal *refusal)
{
	char of[32];
	struct sums sums = spent_with(spent, charge, false, now);
	snprintf(of, sizeof of, "chain %" PRIu64, chain->id);
	return within(of, "value", &sums.value, &chain->value_per_day, COIN_DECIMALS, refusal) &&
	       within(of, "fees", &sums.fee, &chain->fee_per_day, COIN_DECIMALS, refusal);
}

/* Whose money, for what. */
struct purse {
	const struct policy *policy;
	const struct policy_rule *rule;
	const struct spent *spent;
	const struct charge *charge;
};

static bool pays(const struct purse *purse, uint64_t now)
{
	struct refusal unheard;
	return !spent_full(purse->spent, now) &&
	       rule_pays(purse->rule, purse->spent, purse->charge, now, &unheard) &&
	       chain_pays(&purse->policy->chains[purse->rule->chain], purse->spent, purse->charge, now,
			  &unheard);
}

/* When it would be allowed, were nothing else signed: what counts against it only becomes less. 0: never. */
static uint64_t would_pay(const struct purse *purse, uint64_t now)
{
	uint64_t not = now, then = now + SPENT_DAY_S + purse->rule->spacing_s;
	if (!pays(purse, then))
		return 0;
	while (then - not > 1) {
		uint64_t middle = not +(then - not ) / 2;
		if (pays(purse, middle))
			then = middle;
		else
			not = middle;
	}
	return then;
}

/* -- the whole ----------------------------------------------------------------------------------- */

/* How near a rule came; a refusal is explained by the nearest. */
enum nearness { NOWHERE, CONTRACT, METHOD, ARGUMENTS, ALLOWED };

static enum nearness try_rule(const struct policy *policy, const struct policy_rule *rule,
			      const struct spent *spent, const struct transaction *tx, uint64_t now,
			      struct charge *charge, struct refusal *refusal)
{
	char to[ADDRESS_TEXT];
	if (policy->chains[rule->chain].id != tx->chain_id || memcmp(&rule->to, &tx->to, sizeof tx->to) != 0)
		return NOWHERE;
	if (!has_method(rule, tx)) {
		no(refusal, REASON_POLICY_NO_RULE,
		   "no rule allows this call of %s: %s%02x%02x%02x%02x with %zu bytes",
		   address_text(&tx->to, to), tx->data_length < 4 ? "plain transfer, not " : "method ",
		   tx->data_length < 4 ? 0 : tx->data[0], tx->data_length < 4 ? 0 : tx->data[1],
		   tx->data_length < 4 ? 0 : tx->data[2], tx->data_length < 4 ? 0 : tx->data[3],
		   tx->data_length);
		return CONTRACT;
	}
	if (!arguments_fit(rule, tx, &charge->amount, refusal))
		return METHOD;
	memset(charge->rule, 0, sizeof charge->rule);
	memcpy(charge->rule, rule->name, strlen(rule->name));
	return rule_pays(rule, spent, charge, now, refusal) &&
			       chain_pays(&policy->chains[rule->chain], spent, charge, now, refusal)
		       ? ALLOWED
		       : ARGUMENTS;
}

static bool possible(const struct policy *policy, const struct spent *spent, const struct transaction *tx,
		     uint64_t now, struct refusal *refusal)
{
	const char *wrong = transaction_wrong(tx);
	if (!policy->present)
		return no(refusal, REASON_POLICY_ABSENT,
			  "there is no policy for this node; root writes etc/policy.conf");
	if (wrong)
		return no(refusal, REASON_POLICY_MALFORMED, "%s", wrong);
	if (policy_chain_find(policy, tx->chain_id) < 0)
		return no(refusal, REASON_POLICY_NO_RULE,
			  "the policy knows no chain %" PRIu64 "; root writes it into etc/policy.conf",
			  tx->chain_id);
	uint64_t until = spent_restored(spent, now);
	if (until) {
		no(refusal, REASON_BOOKS_RESTORED,
		   "this wallet was restored from a backup and does not know what it signed since: it signs "
		   "no "
		   "transaction for %" PRIu64 " s more",
		   until - now);
		refusal->when_s = until;
		return false;
	}
	return !spent_full(spent, now) || no(refusal, REASON_POLICY_BUDGET,
					     "%d signatures in 24 hours are all there may be", SPENT_SLOTS);
}

bool verdict_transaction(const struct policy *policy, const struct spent *spent, const struct transaction *tx,
			 uint64_t now, struct charge *charge, struct refusal *refusal)
{
	enum nearness nearest = NOWHERE;
	const struct policy_rule *by = NULL;
	struct refusal of_rule;
	struct charge costs;
	char to[ADDRESS_TEXT];
	*charge = (struct charge){.chain = tx->chain_id, .nonce = tx->nonce, .value = tx->value};
	if (!possible(policy, spent, tx, now, refusal))
		return false;
	transaction_fee(tx, &charge->fee);
	transaction_digest(tx, charge->digest.bytes);
	no(refusal, REASON_POLICY_NO_RULE, "no rule of the policy allows anything with %s on chain %" PRIu64,
	   address_text(&tx->to, to), tx->chain_id);
	for (unsigned i = 0; i < policy->rule_count; i++) {
		enum nearness near = try_rule(policy, &policy->rules[i], spent, tx, now, charge, &of_rule);
		if (near == ALLOWED)
			return true;
		if (near > nearest) {
			nearest = near;
			by = &policy->rules[i];
			costs = *charge;
			*refusal = of_rule;
		}
	}
	if (nearest > CONTRACT)
		memcpy(refusal->rule, by->name, sizeof refusal->rule);
	if (nearest == ARGUMENTS)
		refusal->when_s = would_pay(&(struct purse){policy, by, spent, &costs}, now);
	return false;
}

/* -- statements ---------------------------------------------------------------------------------- */

static bool may_say(const struct policy *policy, enum policy_statement statement, struct refusal *refusal)
{
	return policy->statements & 1U << statement ||
	       no(refusal, REASON_POLICY_STATEMENT,
		  "the policy allows no %s; root writes it into etc/policy.conf",
		  policy_statement_name(statement));
}

bool verdict_peer_proof(const struct policy *policy, uint64_t timestamp, uint64_t wall,
			struct refusal *refusal)
{
	if (!may_say(policy, STATEMENT_PEER_PROOF, refusal))
		return false;
	uint64_t apart = timestamp > wall ? timestamp - wall : wall - timestamp;
	return apart <= PEER_PROOF_S ||
	       no(refusal, REASON_POLICY_STATEMENT,
		  "a peer proof is for now: %" PRIu64 " s apart, %d s may be", apart, PEER_PROOF_S);
}

bool verdict_hub_challenge(const struct policy *policy, const char *hub, uint64_t expires, uint64_t wall,
			   struct refusal *refusal)
{
	bool known = false;
	if (!may_say(policy, STATEMENT_HUB_CHALLENGE, refusal))
		return false;
	for (unsigned i = 0; i < policy->hub_count; i++)
		known = known || strcmp(policy->hubs[i], hub) == 0;
	if (!known)
		return no(refusal, REASON_POLICY_STATEMENT, "the policy names no hub \"%.64s\"", hub);
	return (expires > wall && expires - wall <= HUB_CHALLENGE_S) ||
	       no(refusal, REASON_POLICY_STATEMENT,
		  "a hub's challenge ends within %d s from now, and not before", HUB_CHALLENGE_S);
}

bool verdict_relay_proof(const struct policy *policy, uint64_t timestamp, uint64_t wall,
			 struct refusal *refusal)
{
	return may_say(policy, STATEMENT_RELAY_PROOF, refusal) &&
	       ((timestamp <= wall && wall - timestamp <= RELAY_PROOF_S) ||
		no(refusal, REASON_POLICY_STATEMENT,
		   "a relay proof is of the last hour, and not of the future"));
}
