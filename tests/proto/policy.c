/* The policy's line: what is written is read, and nothing else is. */
#include "proto/policy.h"
#include "proto/u256.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define LINE \
	"chain 1370 1000000000000000000 5;" \
	"chain 1 0 0;" \
	"rule heart-beat 1370 f78f840ef0e321512b09e98c76ea0229affc4b73 0 4 60 400 0 0 " \
	"1248ab2b:1,9f122dc1:2+,pay -;" \
	"rule approve 1 efd7b65676fcd4b6d242cbc067c2470df19df1de 0 5 0 100 2 100 095ea7b3:2 " \
	"1=0000000000000000000000000000000000000000000000000000000000000001," \
	"2=ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;" \
	"say peer-proof;say relay-proof;hub hub.example.org;hub a;."

Test(policy, a_line_is_read_and_written_again)
{
	static struct policy policy;
	char text[POLICY_TEXT];
	cr_assert(policy_parse(LINE, &policy));
	cr_expect_eq(policy.chain_count, 2);
	cr_expect_eq(policy.rule_count, 2);
	cr_expect_eq(policy.rules[0].method_count, 3);
	cr_expect_not(policy.rules[0].methods[1].exact);
	cr_expect(policy.rules[0].methods[2].pay);
	cr_expect_eq(policy.rules[1].chain, 1);
	cr_expect_eq(policy.rules[1].fixed_count, 2);
	cr_expect_eq(policy.statements, 5);
	cr_assert_eq(policy_print(&policy, text), strlen(LINE));
	cr_expect_str_eq(text, LINE);
	cr_assert(policy_parse(".", &policy));
	cr_expect_eq(policy.rule_count + policy.chain_count + policy.statements + policy.hub_count, 0);
}

/* No byte can be left out, put twice or be another without it being another policy, or none. */
Test(policy, a_change_is_another_policy_or_none)
{
	static struct policy policy;
	char text[POLICY_TEXT], again[POLICY_TEXT];
	const char *line = LINE, *bytes = "\n\"; ,.0aZ-+=:\x80";
	const size_t length = strlen(line);
	unsigned taken = 0;
	for (size_t at = 0; at < length; at++) {
		memcpy(text, LINE, at);
		memcpy(text + at, line + at + 1, length - at);
		taken += policy_parse(text, &policy) && policy_print(&policy, again) &&
			 strcmp(text, again) != 0;
		for (const char *with = bytes; *with; with++) {
			memcpy(text, LINE, length + 1);
			text[at] = *with;
			taken += policy_parse(text, &policy) && policy_print(&policy, again) &&
				 strcmp(text, again) != 0;
		}
		memcpy(text, LINE, length + 1);
		text[at] = '\0';
		cr_expect_not(policy_parse(text, &policy), "cut at %zu", at);
		cr_expect_eq(policy.rule_count + policy.chain_count, 0, "zeroed");
	}
	cr_expect_eq(taken, 0);
}

Test(policy, bounds)
{
#define CHAIN "chain 1 0 0;"
#define TO    "f78f840ef0e321512b09e98c76ea0229affc4b73"
#define SEVEN "pay,pay,pay,pay,pay,pay,pay"
	static const char *const wrong[] = {
		"chain 0 0 0;.",
		"chain 4294967296 0 0;.",
		"chain 1 0;.",
		"chain 1 0 0 0;.",
		"chain 01 0 0;.",
		CHAIN "chain 2 0 0;chain 3 0 0;chain 4 0 0;chain 5 0 0;.",
		"say nothing;.",
		"say peer-proof;say peer-proof;.",
		"hub Example.org;.",
		"hub -a;.",
		"hub a..b;.",
		"hub ;.",
		"bub a;.",
		"rule a 1 " TO " 0 0 0 0 0 0 pay -;.", /* no such chain */
		CHAIN "rule A 1 " TO " 0 0 0 0 0 0 pay -;.",
		CHAIN "rule a 1 " TO " 0 0 0 0 33 0 pay -;.",
		CHAIN "rule a 1 " TO " 0 0 0 0 0 0 1248ab2b:33 -;.",
		CHAIN "rule a 1 " TO " 0 0 0 0 0 0 " SEVEN " -;.",
		CHAIN "rule a 1 f78f 0 0 0 0 0 0 pay -;.",
	};
	static struct policy policy;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_expect_not(policy_parse(wrong[i], &policy), "%s", wrong[i]);
}

/* The largest there can be still fits into what a wallet is told; or policy_print() says that it does not. */
Test(policy, the_largest)
{
	static struct policy policy;
	static struct policy read;
	char text[POLICY_TEXT];
	policy.chain_count = POLICY_CHAINS;
	for (unsigned i = 0; i < POLICY_CHAINS; i++)
		policy.chains[i].id = UINT32_MAX - i;
	policy.rule_count = POLICY_RULES;
	for (unsigned i = 0; i < POLICY_RULES; i++) {
		struct policy_rule *rule = &policy.rules[i];
		memset(rule->name, 'a', POLICY_NAME);
		cr_assert(u256_parse("1000000000000000000000000000000", 31, 0, &rule->value_per_day));
		rule->fee_per_day = rule->amount_per_day = rule->value_per_day;
		rule->method_count = POLICY_METHODS;
		rule->fixed_count = POLICY_FIXED;
		for (unsigned j = 0; j < POLICY_FIXED; j++)
			rule->fixed[j].word = 1;
	}
	cr_assert_gt(policy_print(&policy, text), (size_t)0);
	cr_assert(policy_parse(text, &read));
	for (unsigned i = 0; i < POLICY_RULES; i++)
		memset(&policy.rules[i].value_per_day, 0xff, 32);
	for (unsigned i = 0; i < POLICY_RULES; i++)
		memset(&policy.rules[i].amount_per_day, 0xff, 32);
	for (unsigned i = 0; i < POLICY_RULES; i++)
		memset(&policy.rules[i].fee_per_day, 0xff, 32);
	cr_expect(policy_print(&policy, text) == 0 || policy_parse(text, &read));
}
