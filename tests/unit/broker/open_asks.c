/* The table of open asks: full, emptied, filled again; no serial twice; nothing found that was removed. */
#include "broker/tables.h"

#include <criterion/criterion.h>

static struct open_asks table;

static struct envelope ask(uint64_t caller, uint64_t serial)
{
	return (struct envelope){.type = ENVELOPE_ASK, .caller_birth = caller, .serial = serial, .number = 1};
}

static struct open_ask *add(uint64_t caller, uint64_t serial)
{
	struct envelope e = ask(caller, serial);
	return open_asks_add(&table, &e);
}

Test(open_asks, found_until_removed)
{
	struct envelope e = ask(7, 1);
	e.callee_birth = 9;
	e.deadline = 55;
	struct open_ask *one = open_asks_add(&table, &e);
	cr_assert_eq(one->envelope.callee_birth, 9);
	cr_assert_eq(one->envelope.deadline, 55);
	cr_assert_eq(open_asks_find(&table, 7, 1), one);
	cr_assert_null(open_asks_find(&table, 7, 2));
	cr_assert_null(open_asks_find(&table, 8, 1));
	cr_assert_null(open_asks_find(&table, 1, 7));
	open_asks_remove(&table, one);
	cr_assert_null(open_asks_find(&table, 7, 1));
	cr_assert_eq(table.count, 0);
	cr_assert_eq(table.high, 1);
}

Test(open_asks, a_serial_once)
{
	struct open_ask *one = add(7, 1);
	cr_assert_not_null(one);
	cr_assert_null(add(7, 1));
	cr_assert_not_null(add(8, 1), "of another caller");
	cr_assert_eq(table.count, 2);
	open_asks_remove(&table, one);
	cr_assert_not_null(add(7, 1), "once the first is over");
}

Test(open_asks, full)
{
	for (uint64_t serial = 1; serial <= OPEN_ASKS; serial++)
		cr_assert_not_null(add(serial % 97 + 1, serial), "%lu", (unsigned long)serial);
	cr_assert_null(add(5000, 1));
	cr_assert_eq(table.count, OPEN_ASKS);
	open_asks_remove(&table, open_asks_find(&table, 8 % 97 + 1, 8));
	cr_assert_not_null(add(5000, 1));
	cr_assert_null(add(5000, 2));
	for (uint64_t serial = 1; serial <= OPEN_ASKS; serial++)
		cr_assert_eq(open_asks_find(&table, serial % 97 + 1, serial) != NULL, serial != 8);
}

/* Against a plain array that knows the truth: any order of adding and removing, long chains among them. */
Test(open_asks, against_a_plain_array)
{
	enum { CALLERS = 5, SERIALS = 400 };
	static bool open[CALLERS][SERIALS];
	uint64_t state = 42;
	unsigned count = 0, high = 0;
	for (unsigned round = 0; round < 200000; round++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		unsigned caller = (unsigned)(state >> 33) % CALLERS,
			 serial = (unsigned)(state >> 45) % SERIALS;
		struct open_ask *found = open_asks_find(&table, caller + 1, serial + 1);
		cr_assert_eq(found != NULL, open[caller][serial]);
		if (found)
			open_asks_remove(&table, found);
		else
			cr_assert_not_null(add(caller + 1, serial + 1));
		open[caller][serial] = !found;
		count = found ? count - 1 : count + 1;
		high = count > high ? count : high;
		cr_assert_eq(table.count, count);
	}
	cr_assert_eq(table.high, high);
	cr_assert(table.used <= high, "places are taken again before new ones");
}

/* Every ask in one chain: removal from its middle and its ends. */
Test(open_asks, one_chain)
{
	enum { ASKS = 40 };
	uint64_t serials[ASKS];
	unsigned count = 0;
	uint32_t *chain = NULL;
	for (uint64_t serial = 1; count < ASKS; serial++) { /* those that fall into the chain of the first */
		struct open_ask *one = add(1, serial);
		uint32_t index = (uint32_t)(one - table.asks) + 1;
		for (unsigned i = 0; !chain; i++)
			chain = table.chains[i] == index ? &table.chains[i] : NULL;
		if (*chain == index)
			serials[count++] = serial;
		else
			open_asks_remove(&table, one);
	}
	for (unsigned step = 0; step < ASKS;
	     step++) { /* 7 and 40 have no common divisor: every one, in a mixed order */
		uint64_t serial = serials[step * 7 % ASKS];
		open_asks_remove(&table, open_asks_find(&table, 1, serial));
		for (unsigned later = step + 1; later < ASKS; later++)
			cr_assert_not_null(open_asks_find(&table, 1, serials[later * 7 % ASKS]));
		cr_assert_null(open_asks_find(&table, 1, serial));
	}
	cr_assert_eq(*chain, 0);
	cr_assert_eq(table.count, 0);
}
