/* The order of ends, with many nodes: who faces strangers first, who others need last, and no node waits for another. */
#include "supervisor/supervisor.h"

#include <criterion/criterion.h>

enum { NODES = 3, KINDS_OF_NODE = 3, ALL = NODES * KINDS_OF_NODE + 1 };
static const enum kind kinds[KINDS_OF_NODE] = {GATEWAY, STORE, WALLET};
static struct supervisor s;
static struct process processes[ALL];
static struct process *table[ALL];

static void begin(void)
{
	s = (struct supervisor){.processes = table, .count = ALL};
	for (int i = 0; i < ALL; i++) {
		bool broker = i == ALL - 1;
		processes[i] = (struct process){.row = actor_row(broker ? BROKER : kinds[i % KINDS_OF_NODE]),
						.node = broker ? 0 : (uint16_t)(1 + i / KINDS_OF_NODE),
						.pid = 1000 + i,
						.state = PROCESS_READY};
		table[i] = &processes[i];
	}
	stop_look(&s);
}

TestSuite(stop, .init = begin);

static struct process *of(enum kind kind, unsigned node)
{
	for (int i = 0; i < ALL; i++)
		if (processes[i].row->kind == kind && processes[i].node == node)
			return &processes[i];
	return NULL;
}

static void told_to_end(unsigned node)
{
	for (int i = 0; i < ALL; i++)
		processes[i].ending = processes[i].ending || processes[i].node == node;
	stop_look(&s);
}

static void ended(struct process *process)
{
	process->pid = 0;
	process->ending = false;
	stop_look(&s);
}

Test(stop, within_a_node_one_after_the_other)
{
	told_to_end(2);
	cr_assert(stop_turn_has_come(&s, of(GATEWAY, 2)));
	cr_assert_not(stop_turn_has_come(&s, of(STORE, 2)));
	cr_assert_not(stop_turn_has_come(&s, of(WALLET, 2)));
	ended(of(GATEWAY, 2));
	cr_assert(stop_turn_has_come(&s, of(STORE, 2)));
	cr_assert_not(stop_turn_has_come(&s, of(WALLET, 2)));
	ended(of(STORE, 2));
	cr_assert(stop_turn_has_come(&s, of(WALLET, 2)));
}

Test(stop, a_node_waits_for_no_other_unless_the_machine_stops)
{
	told_to_end(1);
	told_to_end(2);
	ended(of(GATEWAY, 2));
	cr_assert(stop_turn_has_come(&s, of(STORE, 2)), "the gateway of node 1 is its own affair");
	cr_assert_not(stop_turn_has_come(&s, of(STORE, 1)));
	s.stopping = true;
	cr_assert_not(stop_turn_has_come(&s, of(STORE, 2)), "now all gateways go before all stores");
	ended(of(GATEWAY, 1));
	cr_assert(stop_turn_has_come(&s, of(STORE, 2)));
}

Test(stop, who_is_stuck_holds_up_nobody_and_the_broker_is_last)
{
	for (unsigned node = 0; node <= NODES; node++)
		told_to_end(node);
	s.stopping = true;
	for (unsigned node = 1; node <= NODES; node++)
		for (int i = 0; i < KINDS_OF_NODE; i++)
			if (!(node == 3 && kinds[i] == STORE))
				ended(of(kinds[i], node));
	cr_assert_not(stop_turn_has_come(&s, of(BROKER, 0)));
	of(STORE, 3)->state = PROCESS_STUCK;
	stop_look(&s);
	cr_assert(stop_turn_has_come(&s, of(BROKER, 0)));
}

/* A node is parked in the middle of a turn: its others are told, and keep their order in that very turn. */
Test(stop, an_end_told_within_a_turn_keeps_the_order)
{
	for (int i = 0; i < ALL; i++)
		processes[i].declared = processes[i].wanted = true;
	family_stop(&s, KIND_NONE, 3);
	cr_assert(stop_turn_has_come(&s, of(GATEWAY, 3)));
	cr_assert_not(stop_turn_has_come(&s, of(WALLET, 3)));
}
