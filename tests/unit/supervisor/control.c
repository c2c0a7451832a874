/* What the supervisor lets pass of what the steward hands on. */
#include "supervisor/control_check.h"

#include <criterion/criterion.h>

static bool declared[NODES_MAX + 1] = {[2] = true, [512] = true};

static enum err check(uint8_t verb, uint8_t kind, uint16_t node, uint8_t authority)
{
	struct control_ask ask = {.verb = verb, .kind = kind, .node = node, .authority = authority};
	struct why why;
	return control_check(&ask, sizeof ask, declared, &why);
}

Test(control, a_reader_may_look_and_nothing_else)
{
	cr_assert_eq(check(CONTROL_STATUS, 0, 0, READER), ERR_OK);
	for (uint8_t verb = CONTROL_START; verb <= CONTROL_RELOAD; verb++) {
		uint16_t node = verb == CONTROL_RELOAD ? 0 : 2;
		cr_assert_eq(check(verb, 0, node, READER), ERR_DENIED, "verb %u", verb);
		cr_assert_eq(check(verb, 0, node, OPERATOR), ERR_OK, "verb %u", verb);
	}
}

Test(control, an_authority_that_is_none_is_malformed)
{
	for (unsigned authority = 0; authority < 256; authority++)
		if (authority != READER && authority != OPERATOR)
			cr_assert_eq(check(CONTROL_STATUS, 0, 0, (uint8_t)authority), ERR_MALFORMED, "%u",
				     authority);
}

Test(control, a_verb_that_is_none_is_malformed)
{
	for (unsigned verb = 0; verb < 256; verb++)
		if (verb < CONTROL_STATUS || verb >= CONTROL_VERBS)
			cr_assert_eq(check((uint8_t)verb, 0, 2, OPERATOR), ERR_MALFORMED, "%u", verb);
}

Test(control, every_other_length_is_malformed)
{
	struct {
		struct control_ask ask;
		char more[8];
	} in = {.ask = {.verb = CONTROL_STOP, .node = 2, .authority = OPERATOR}};
	struct why why;
	for (size_t length = 0; length < sizeof in; length++)
		cr_assert_eq(control_check(&in.ask, length, declared, &why),
			     length == sizeof in.ask ? ERR_OK : ERR_MALFORMED, "%zu", length);
}

Test(control, padding_must_be_zero)
{
	struct why why;
	for (int i = 0; i < 3; i++) {
		struct control_ask ask = {.verb = CONTROL_STOP, .node = 2, .authority = OPERATOR};
		ask.padding[i] = 1;
		cr_assert_eq(control_check(&ask, sizeof ask, declared, &why), ERR_MALFORMED);
	}
}

Test(control, only_declared_nodes_and_kinds_can_be_meant)
{
	cr_assert_eq(check(CONTROL_STOP, STORE, 2, OPERATOR), ERR_OK);
	cr_assert_eq(check(CONTROL_STOP, STORE, 512, OPERATOR), ERR_OK);
	cr_assert_eq(check(CONTROL_STOP, STORE, 3, OPERATOR), ERR_NOT_FOUND);
	cr_assert_eq(check(CONTROL_STOP, STORE, 0, OPERATOR), ERR_NOT_FOUND);
	cr_assert_eq(check(CONTROL_STOP, STORE, 513, OPERATOR), ERR_NOT_FOUND);
	cr_assert_eq(check(CONTROL_STOP, STORE, 65535, OPERATOR), ERR_NOT_FOUND);
	cr_assert_eq(check(CONTROL_STOP, 0, 0, OPERATOR), ERR_NOT_FOUND, "not the whole machine");
	cr_assert_eq(check(CONTROL_STOP, READER, 2, OPERATOR), ERR_NOT_FOUND);
	cr_assert_eq(check(CONTROL_STOP, OPERATOR, 2, OPERATOR), ERR_NOT_FOUND);
	cr_assert_eq(check(CONTROL_STOP, 255, 2, OPERATOR), ERR_NOT_FOUND);
}

Test(control, what_every_node_needs_is_restarted_and_never_stopped)
{
	static const enum kind kinds[] = {BROKER, SCRIBE, STEWARD};
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(check(CONTROL_RESTART, (uint8_t)kinds[i], 0, OPERATOR), ERR_OK);
		cr_assert_eq(check(CONTROL_STOP, (uint8_t)kinds[i], 0, OPERATOR), ERR_REFUSED);
		cr_assert_eq(check(CONTROL_DRAIN, (uint8_t)kinds[i], 0, OPERATOR), ERR_REFUSED);
		cr_assert_eq(check(CONTROL_RESTART, (uint8_t)kinds[i], 2, OPERATOR), ERR_NOT_FOUND);
	}
}

Test(control, a_node_drains_as_a_whole)
{
	cr_assert_eq(check(CONTROL_DRAIN, 0, 2, OPERATOR), ERR_OK);
	cr_assert_eq(check(CONTROL_DRAIN, STORE, 2, OPERATOR), ERR_REFUSED);
}

Test(control, what_has_no_target_may_not_name_one)
{
	cr_assert_eq(check(CONTROL_STATUS, STORE, 0, OPERATOR), ERR_MALFORMED);
	cr_assert_eq(check(CONTROL_RELOAD, 0, 2, OPERATOR), ERR_MALFORMED);
}

Test(control, a_reader_may_look_at_disks_and_drains)
{
	static const uint8_t looks[] = {CONTROL_INFO, CONTROL_VERIFY, CONTROL_ALLOCATE, CONTROL_DRAINS};
	for (unsigned i = 0; i < 4; i++) {
		cr_assert_eq(check(looks[i], 0, 0, READER), ERR_OK, "verb %u", looks[i]);
		cr_assert_not(control_changes(looks[i]));
		cr_assert_eq(check(looks[i], STORE, 0, READER), ERR_MALFORMED, "verb %u", looks[i]);
	}
	cr_assert_eq(check(CONTROL_VERIFY, 0, 2, READER), ERR_OK);
	cr_assert_eq(check(CONTROL_VERIFY, 0, 3, READER), ERR_NOT_FOUND);
	cr_assert_eq(check(CONTROL_INFO, 0, 2, READER), ERR_MALFORMED);
}

Test(control, only_a_drain_and_an_allocation_have_an_amount)
{
	struct why why;
	for (uint8_t verb = CONTROL_STATUS; verb < CONTROL_VERBS; verb++) {
		bool targeted = verb >= CONTROL_START && verb <= CONTROL_DRAIN;
		struct control_ask ask = {
			.verb = verb, .node = targeted ? 2 : 0, .authority = OPERATOR, .amount = 5};
		enum err expected =
			verb == CONTROL_DRAIN || verb == CONTROL_ALLOCATE ? ERR_OK : ERR_MALFORMED;
		cr_assert_eq(control_check(&ask, sizeof ask, declared, &why), expected, "verb %u", verb);
	}
}
