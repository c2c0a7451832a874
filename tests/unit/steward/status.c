/* A whole machine in one reply: what proto/steward.h allows must fit in a body, for status has no second
 * page. */
#include "actors/base/memory/memory.h"
#include "actors/steward/control.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t bound_of(const char *name)
{
	for (const struct field *field = message_steward_status_reply.fields(); field->name; field++)
		if (strcmp(field->name, name) == 0)
			return field->bound;
	cr_assert_fail("no field %s", name);
	return 0;
}

Test(status, bounds_are_those_of_the_rows)
{
	cr_assert_eq(bound_of("nodes"), CONTROL_NODES);
	cr_assert_eq(bound_of("processes"), CONTROL_PROCESSES);
	cr_assert_eq(CONTROL_NODES, NODES_MAX);
	unsigned of_node = 0, of_machine = 0;
	for (unsigned kind = 1; kind < KINDS; kind++)
		if (actor_row(kind))
			*(actor_row(kind)->scope == PER_NODE ? &of_node : &of_machine) += 1;
	cr_assert_leq(of_node * NODES_MAX + of_machine, CONTROL_PROCESSES,
		      "a full machine has more processes");
}

/* Packs a reply of so many rows, each as given, and reads it back. */
static size_t packed(uint32_t nodes, uint32_t processes, struct machine_row machine, struct node_row node,
		     struct process_row process, struct broker_row broker)
{
	struct node_row *node_rows = calloc(nodes, sizeof node);
	struct process_row *process_rows = calloc(processes, sizeof process);
	for (uint32_t i = 0; i < nodes; i++)
		node_rows[i] = node;
	for (uint32_t i = 0; i < processes; i++)
		process_rows[i] = process;
	struct steward_status_reply reply = {&machine,     1,         node_rows, nodes,
					     process_rows, processes, &broker,   1},
				    back;
	uint8_t *bytes = malloc(BODY_MAX);
	size_t length = message_pack(&message_steward_status_reply, &reply, bytes, BODY_MAX);
	cr_assert_gt(length, 0, "it does not fit");
	struct arena arena;
	arena_begin(&arena, 2 * 1024 * 1024); /* as much as a call has */
	cr_assert(message_unpack(&message_steward_status_reply, bytes, length, &arena, &back));
	cr_assert_eq(back.processes_count, processes);
	cr_assert_eq(memcmp(&back.processes[processes - 1].up_ms, &process.up_ms, sizeof process.up_ms), 0);
	arena_end(&arena);
	free(bytes);
	free(node_rows);
	free(process_rows);
	return length;
}

/* Every text and every number as long as its row allows, as many of them as the rows allow. */
Test(status, the_largest_fits)
{
	struct machine_row machine = {"",         UINT32_MAX, UINT32_MAX, UINT32_MAX,
				      UINT64_MAX, UINT32_MAX, UINT32_MAX, true};
	struct node_row node = {UINT16_MAX, true, true, "", UINT16_MAX, UINT32_MAX};
	struct process_row process = {"",        UINT16_MAX, "",         UINT32_MAX, UINT32_MAX, UINT32_MAX,
				      INT64_MIN, UINT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	struct broker_row broker = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX,
				    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	memset(machine.name, 'n', sizeof machine.name - 1);
	memset(node.tier, 't', sizeof node.tier - 1);
	memset(process.actor, 'a', sizeof process.actor - 1);
	memset(process.state, 's', sizeof process.state - 1);
	size_t length = packed(CONTROL_NODES, CONTROL_PROCESSES, machine, node, process, broker);
	cr_log_info("the largest status is %zu of %d bytes", length, BODY_MAX);
	cr_assert_leq(length, BODY_MAX);
}

/* 500 nodes of three processes, a month after the start. */
Test(status, five_hundred_nodes_fit_easily)
{
	struct machine_row machine = {"cassia", 500, 1503, 0, 2592000000, 4121, 700000, true};
	struct node_row node = {500, false, false, "platinum", 54901, 51200};
	struct process_row process = {"gateway", 500, "ready", 4000000,    716006, 3,
				      -9,        0,   1400,    2592000000, 0};
	struct broker_row broker = {3, 100, 1024, 1503, 2, 9000000000, 12, 0, 3, 5, 0};
	size_t length = packed(500, 1503, machine, node, process, broker);
	cr_log_info("a status of 500 nodes is %zu of %d bytes", length, BODY_MAX);
	cr_assert_leq(length, BODY_MAX / 2);
}
