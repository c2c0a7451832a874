/* The rows of reasons.def. */
#include "proto/reasons.h"
#include "proto/actor.h"

#include <criterion/criterion.h>
#include <string.h>

Test(reason_rows, each_is_its_own_and_fits_the_bus)
{
	const struct reason_rule *rule, *other;
	unsigned count = 0;
	for (; (rule = reason_rule_at(count)); count++) {
		cr_expect(strlen(rule->name) > 0 && strlen(rule->name) <= 32, "%s", rule->name);
		cr_expect(strlen(rule->rule) > 10, "%s has a rule", rule->name);
		cr_expect(rule->code > 0);
		cr_expect_eq(reason_rule(rule->code), rule, "%s: its code is its own", rule->name);
		for (unsigned i = 0; i < count && (other = reason_rule_at(i)); i++)
			cr_expect_str_neq(other->name, rule->name);
	}
	cr_expect_gt(count, 40);
}

Test(reason_rows, a_record_becomes_a_row)
{
	struct reason reason = {
		.code = REASON_PORT_TAKEN, .kind = GATEWAY, .node = 2, .count = 3, .next_ms = 77};
	struct reason_row row;
	memcpy(reason.inputs, "port 5001", 10);
	reason_to_row(&reason, &row);
	cr_expect_str_eq(row.name, "port-taken");
	cr_expect_str_eq(row.actor, "gateway");
	cr_expect_eq(row.node, 2);
	cr_expect_eq(row.inputs.length, 9);
	cr_expect_eq(row.next_ms, 77);
	reason.kind = 0;
	reason_to_row(&reason, &row);
	cr_expect_str_eq(row.actor, "", "of the whole node");
}
