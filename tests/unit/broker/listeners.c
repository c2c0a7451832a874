/* Subscriptions and taps: who hears what, and how many there may be. */
#include "broker/tables.h"
#include "proto/call.h"

#include <criterion/criterion.h>

static struct listeners listeners;

static const struct envelope ask = {.type = ENVELOPE_ASK,
				    .number = 0x0401,
				    .source_kind = GATEWAY,
				    .source_node = 2,
				    .target_kind = STORE,
				    .target_node = 2};
static const struct envelope event = {
	.type = ENVELOPE_EVENT, .number = 0x0411, .source_kind = STORE, .source_node = 2};

static unsigned hearing(const struct envelope *e)
{
	unsigned count = 0;
	for (unsigned i = 0; i < LISTENERS_MAX; i++)
		count += listener_hears(&listeners.all[i], e);
	return count;
}

Test(listeners, nobody_at_first)
{
	cr_assert_eq(hearing(&ask), 0);
	cr_assert_eq(hearing(&event), 0);
}

static const struct {
	struct listener listener;
	bool hears_ask, hears_event;
	const char *what;
} cells[] = {
	{{1, 0, 0, 0}, true, true, "a tap of everybody"},
	{{1, 0, GATEWAY, 2}, true, false, "a tap of the asker"},
	{{1, 0, STORE, 2}, true, true, "a tap of the asked"},
	{{1, 0, STORE, 1}, false, false, "a tap of another node"},
	{{1, 0, WALLET, 2}, false, false, "a tap of another process"},
	{{1, 0x0411, 0, 0}, false, true, "the event, of everybody"},
	{{1, 0x0411, STORE, 2}, false, true, "the event, of this process"},
	{{1, 0x0411, STORE, 1}, false, false, "the event, of another node"},
	{{1, 0x0412, 0, 0}, false, false, "another event"},
	{{1, 0x0401, 0, 0}, false, false, "the number of the call: a subscription hears events only"},
	{{0, 0, 0, 0}, false, false, "a free place"},
	{{0, 0x0411, 0, 0}, false, false, "a place that was freed badly"},
};

Test(listeners, who_hears_what)
{
	for (unsigned i = 0; i < sizeof cells / sizeof *cells; i++) {
		cr_assert_eq(listener_hears(&cells[i].listener, &ask), cells[i].hears_ask, "%s",
			     cells[i].what);
		cr_assert_eq(listener_hears(&cells[i].listener, &event), cells[i].hears_event, "%s",
			     cells[i].what);
	}
}

Test(listeners, twice_is_once)
{
	struct listener tap = {.birth = 5, .kind = STORE, .node = 2};
	cr_assert(listeners_add(&listeners, tap));
	cr_assert(listeners_add(&listeners, tap));
	cr_assert_eq(hearing(&ask), 1);
	listeners_remove(&listeners, tap.birth, &tap);
	cr_assert_eq(hearing(&ask), 0);
}

Test(listeners, a_share_for_each)
{
	for (uint16_t number = 1; number <= LISTENERS_EACH; number++)
		cr_assert(listeners_add(&listeners, (struct listener){.birth = 5, .number = number}));
	cr_assert_not(listeners_add(&listeners, (struct listener){.birth = 5, .number = 999}));
	cr_assert(listeners_add(&listeners, (struct listener){.birth = 5, .number = 1}),
		  "it is there already");
	cr_assert(listeners_add(&listeners, (struct listener){.birth = 6, .number = 999}), "another's share");
	listeners_remove(&listeners, 5, &(struct listener){.birth = 5, .number = 3});
	cr_assert(listeners_add(&listeners, (struct listener){.birth = 5, .number = 999}));
}

Test(listeners, full)
{
	for (unsigned i = 0; i < LISTENERS_MAX; i++)
		cr_assert(listeners_add(&listeners, (struct listener){.birth = 1 + i / LISTENERS_EACH,
								      .number = (uint16_t)(1 + i)}));
	cr_assert_not(listeners_add(&listeners, (struct listener){.birth = 999, .number = 1}));
	listeners_remove(&listeners, 3, NULL);
	for (unsigned i = 0; i < LISTENERS_EACH; i++)
		cr_assert(listeners_add(&listeners,
					(struct listener){.birth = 999, .number = (uint16_t)(1 + i)}));
	cr_assert_not(listeners_add(&listeners, (struct listener){.birth = 998, .number = 1}));
}

Test(listeners, the_dead_hear_nothing)
{
	listeners_add(&listeners, (struct listener){.birth = 5});
	listeners_add(&listeners, (struct listener){.birth = 6});
	listeners_add(&listeners, (struct listener){.birth = 5, .number = 0x0411});
	cr_assert_eq(hearing(&event), 3);
	listeners_remove(&listeners, 5, NULL);
	cr_assert_eq(hearing(&event), 1);
	cr_assert_eq(hearing(&ask), 1);
}
