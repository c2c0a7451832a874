/* The ring of reasons of one process. Each test is a process of its own, so the ring begins empty. */
#include "actors/base/reasons/reasons.h"
#include "proto/actors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct reason all[REASONS_MAX];

static unsigned copy(void)
{
	return reasons_copy(all, REASONS_MAX);
}

Test(reasons, one_that_is_said_again_is_counted_and_keeps_the_newest_inputs)
{
	reasons_begin(STORE, 3, REASONS_OF_ACTOR);
	reason_note(REASON_STORE_FULL, "", "first %d", 1);
	int64_t first = (copy(), all[0].first_ms);
	reason_note(REASON_STORE_FULL, "", "second");
	cr_assert_eq(copy(), 1);
	cr_expect_eq(all[0].count, 2);
	cr_expect_str_eq(all[0].inputs, "second");
	cr_expect_eq(all[0].first_ms, first);
	cr_expect_eq(all[0].kind, STORE);
	cr_expect_eq(all[0].node, 3);
	cr_expect_eq(*reasons_depth(), 1);
}

Test(reasons, another_thing_is_another_record_and_the_newest_comes_first)
{
	reason_note(REASON_STORE_CORRUPT, "one", "x");
	reason_note(REASON_STORE_CORRUPT, "two", "y");
	reason_note(REASON_STORE_CORRUPT, "one", "z");
	cr_assert_eq(copy(), 2);
	cr_expect_str_eq(all[0].thing, "one");
	cr_expect_str_eq(all[1].thing, "two");
}

Test(reasons, what_is_over_is_shown_as_such_and_begins_anew)
{
	reason_about(REASON_PROCESS_DIED, (struct about){STORE, 1, 5000}, "", "killed");
	reason_about(REASON_PROCESS_DIED, (struct about){STORE, 2, 0}, "", "killed");
	copy();
	cr_expect_gt(all[1].next_ms, all[1].last_ms + 4000);
	reason_over_about(REASON_PROCESS_DIED, (struct about){STORE, 1, 0}, NULL);
	cr_assert_eq(copy(), 2);
	cr_expect(all[0].over && all[0].node == 1 && all[0].next_ms == 0);
	cr_expect_not(all[1].over);
	reason_about(REASON_PROCESS_DIED, (struct about){STORE, 1, 0}, "", "again");
	copy();
	cr_expect_eq(all[0].count, 1, "a new record, not the second of the old");
	cr_expect_not(all[0].over);
	reasons_over_of(STORE, 2);
	copy();
	cr_expect(all[0].node == 2 && all[0].over);
}

Test(reasons, the_ring_is_bounded_and_what_is_over_goes_first)
{
	char thing[16];
	reasons_begin(STORE, 1, 8);
	for (int i = 0; i < 8; i++) {
		snprintf(thing, sizeof thing, "%d", i);
		reason_note(REASON_STORE_CORRUPT, thing, "x");
	}
	reason_over(REASON_STORE_CORRUPT, "5");
	reason_note(REASON_STORE_CORRUPT, "new", "x");
	cr_assert_eq(copy(), 8);
	for (int i = 0; i < 8; i++)
		cr_expect_str_neq(all[i].thing, "5");
	reason_note(REASON_STORE_CORRUPT, "newer", "x");
	cr_assert_eq(copy(), 8);
	for (int i = 0; i < 8; i++)
		cr_expect_str_neq(all[i].thing, "0", "the oldest went next");
	cr_expect_eq(*reasons_drops(), 2);
	cr_expect_eq(*reasons_high(), 8);
}

Test(reasons, only_what_changed_is_told_and_once)
{
	reason_note(REASON_STORE_FULL, "", "x");
	reason_note(REASON_STORE_BUSY, "", "y");
	cr_assert_eq(reasons_changed(all, 1), 1);
	cr_expect_eq(all[0].code, REASON_STORE_FULL, "the oldest change first");
	cr_assert_eq(reasons_changed(all, 9), 1);
	cr_expect_eq(reasons_changed(all, 9), 0);
	reason_note(REASON_STORE_FULL, "", "x");
	cr_assert_eq(reasons_changed(all, 9), 1);
	cr_expect_eq(all[0].count, 2);
}

Test(reasons, the_newest_that_holds_is_the_last_word)
{
	struct reason last;
	cr_expect_not(reasons_newest(&last));
	reason_note(REASON_KEY_DAMAGED, "", "x");
	reason_note(REASON_STRANGE_CALL, "", "y");
	reason_over(REASON_STRANGE_CALL, NULL);
	cr_assert(reasons_newest(&last));
	cr_expect_eq(last.code, REASON_KEY_DAMAGED);
}

Test(reasons, what_another_process_sent_is_made_harmless)
{
	struct reason sent = {.code = REASON_STORE_FULL, .kind = WALLET, .node = 9, .count = 1};
	memset(sent.inputs, '\n', sizeof sent.inputs);
	memset(sent.thing, 'x', sizeof sent.thing);
	reason_take(&sent, &(struct about){STORE, 1, 0});
	cr_assert_eq(copy(), 1);
	cr_expect_eq(all[0].kind, STORE, "whom it is about is the receiver's word");
	cr_expect_eq(strlen(all[0].inputs), REASON_INPUTS);
	cr_expect_eq(strlen(all[0].thing), REASON_THING);
	cr_expect_null(strchr(all[0].inputs, '\n'));
	sent.code = 9999;
	reason_take(&sent, NULL);
	cr_expect_eq(copy(), 1, "a code that is none is no reason");
}
