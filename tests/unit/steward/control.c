/* Asks to the supervisor and their answers, over a real socket pair with the test as the supervisor. */
#include "tests/unit/steward/line.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How one ask ended. */
struct ending {
	unsigned times;
	enum control_verb verb;
	enum err err;
	char why[256];
	bool status;
	unsigned machines, nodes, processes, brokers;
	struct machine_row machine;
	struct broker_row broker;
	struct node_row node;       /* the first */
	struct process_row process; /* the first */
	uint64_t pids;              /* of all, added */
};

static void ended(void *context, enum control_verb verb, enum err err, const char *why,
		  const struct control_answer *answer)
{
	const struct steward_status_reply *status = answer ? answer->status : NULL;
	struct ending *ending = context;
	ending->times++;
	ending->verb = verb;
	ending->err = err;
	snprintf(ending->why, sizeof ending->why, "%s", why);
	ending->status = status != NULL;
	if (!status)
		return;
	ending->machines = status->machine_count;
	ending->nodes = status->nodes_count;
	ending->processes = status->processes_count;
	ending->brokers = status->broker_count;
	if (status->machine_count)
		ending->machine = status->machine[0];
	if (status->broker_count)
		ending->broker = status->broker[0];
	if (status->nodes_count)
		ending->node = status->nodes[0];
	if (status->processes_count)
		ending->process = status->processes[0];
	for (uint32_t i = 0; i < status->processes_count; i++)
		ending->pids += status->processes[i].pid;
}

static enum err ask(enum control_verb verb, struct target target, enum kind authority, struct ending *ending)
{
	struct wish wish = {verb, target, 1234, authority, 0};
	return control_ask(control, &wish, 1000, ended, ending);
}

/* What the supervisor hears. */
static struct control_ask heard(void)
{
	struct control_ask heard = {0};
	cr_assert_eq(recv(theirs, &heard, sizeof heard, MSG_DONTWAIT), (ssize_t)sizeof heard);
	return heard;
}

static struct control_ask asked(enum control_verb verb, struct ending *ending)
{
	cr_assert_eq(ask(verb, (struct target){0}, OPERATOR, ending), ERR_KEPT);
	return heard();
}

static void send_process(uint32_t serial, uint32_t pid)
{
	send_row((struct control_row){
		.serial = serial,
		.type = CONTROL_PROCESS,
		.process = {.kind = STORE, .state = PROCESS_READY, .node = 2, .pid = pid, .last_end = -9}});
}

static uint64_t stray(void)
{
	return control_counts(control)->stray;
}

/* -- asks -------------------------------------------------------------------------------------- */

Test(control, the_supervisor_hears_who_asks_what)
{
	begin(41);
	struct ending ending = {0};
	cr_assert_eq(ask(CONTROL_RESTART, (struct target){WALLET, 2}, OPERATOR, &ending), ERR_KEPT);
	struct control_ask first = heard();
	cr_assert_eq(first.serial, 42);
	cr_assert_eq(first.verb, CONTROL_RESTART);
	cr_assert_eq(first.kind, WALLET);
	cr_assert_eq(first.node, 2);
	cr_assert_eq(first.uid, 1234);
	cr_assert_eq(first.authority, OPERATOR);
	cr_assert_eq(ask(CONTROL_STATUS, (struct target){0}, READER, &ending), ERR_KEPT);
	struct control_ask second = heard();
	cr_assert_eq(second.serial, 43);
	cr_assert_eq(second.authority, READER);
	send_done(first.serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(ending.times, 1);
	cr_assert_eq(ending.verb, CONTROL_RESTART);
	cr_assert_eq(ending.err, ERR_OK);
	cr_assert_not(ending.status);
	end();
}

Test(control, serials_go_round_and_skip_nought)
{
	begin(UINT32_MAX - 1);
	struct ending ending = {0};
	cr_assert_eq(asked(CONTROL_RELOAD, &ending).serial, UINT32_MAX);
	cr_assert_eq(asked(CONTROL_RELOAD, &ending).serial, 1);
	end();
}

Test(control, a_refusal_comes_with_its_reason)
{
	begin(0);
	struct ending ending = {0};
	struct control_row row = {
		.serial = asked(CONTROL_STOP, &ending).serial, .type = CONTROL_DONE, .error = ERR_NOT_FOUND};
	memset(row.why, 'w', sizeof row.why); /* not terminated */
	send_row(row);
	cr_assert(control_receive(control));
	cr_assert_eq(ending.err, ERR_NOT_FOUND);
	cr_assert_eq(strlen(ending.why), sizeof row.why);
	ending = (struct ending){0};
	send_done(asked(CONTROL_STATUS, &ending).serial, ERR_DENIED, "not you");
	cr_assert(control_receive(control));
	cr_assert_eq(ending.err, ERR_DENIED);
	cr_assert_str_eq(ending.why, "not you");
	cr_assert_not(ending.status, "a refused status has no rows");
	end();
}

/* -- bounds ------------------------------------------------------------------------------------ */

Test(control, no_more_than_fit)
{
	begin(0);
	struct ending endings[CONTROL_ASKS + 1] = {0};
	for (int i = 0; i < CONTROL_ASKS; i++)
		asked(CONTROL_RELOAD, &endings[i]);
	cr_assert_eq(ask(CONTROL_RELOAD, (struct target){0}, OPERATOR, &endings[CONTROL_ASKS]), ERR_BUSY);
	struct control_ask none;
	cr_assert_lt(recv(theirs, &none, sizeof none, MSG_DONTWAIT), 0,
		     "what was refused was sent nevertheless");
	cr_assert_eq(control_counts(control)->open, CONTROL_ASKS);
	cr_assert_eq(control_counts(control)->busy, 1);
	send_done(5, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(endings[4].times, 1);
	cr_assert_eq(asked(CONTROL_RELOAD, &endings[CONTROL_ASKS]).serial, CONTROL_ASKS + 2);
	cr_assert_eq(control_counts(control)->high, CONTROL_ASKS);
	end();
}

Test(control, a_crowd_of_readers_keeps_no_operator_out)
{
	begin(0);
	struct ending ending = {0};
	for (int i = 0; i < CONTROL_ASKS_READERS; i++)
		cr_assert_eq(ask(CONTROL_STATUS, (struct target){0}, READER, &ending), ERR_KEPT);
	cr_assert_eq(ask(CONTROL_STATUS, (struct target){0}, READER, &ending), ERR_BUSY);
	for (int i = CONTROL_ASKS_READERS; i < CONTROL_ASKS; i++)
		cr_assert_eq(ask(CONTROL_STOP, (struct target){.node = 1}, OPERATOR, &ending), ERR_KEPT);
	cr_assert_eq(ask(CONTROL_STOP, (struct target){.node = 1}, OPERATOR, &ending), ERR_BUSY);
	end();
}

Test(control, a_supervisor_that_is_behind_or_dead)
{
	begin(0);
	struct ending ending = {0};
	char block[1024] = {0};
	while (send(ours, block, sizeof block, MSG_DONTWAIT) > 0)
		continue;
	cr_assert_eq(ask(CONTROL_RELOAD, (struct target){0}, OPERATOR, &ending), ERR_BUSY);
	cr_assert_eq(control_counts(control)->open, 0);
	cr_assert(control_receive(control));
	close(theirs);
	cr_assert_not(control_receive(control));
	cr_assert_eq(ask(CONTROL_RELOAD, (struct target){0}, OPERATOR, &ending), ERR_UNAVAILABLE);
	cr_assert_eq(ending.times, 0);
	theirs = -1;
	end();
}

Test(control, rows_are_taken_in_turns)
{
	begin(0);
	struct ending ending = {0};
	uint32_t serial = asked(CONTROL_STATUS, &ending).serial;
	int room = 1 << 20;
	cr_assert_eq(setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
	for (int i = 0; i < CONTROL_TURN; i++)
		send_process(serial, 1);
	send_done(serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(ending.times, 0);
	cr_assert(control_receive(control));
	cr_assert_eq(ending.times, 1);
	cr_assert_eq(ending.processes, CONTROL_TURN);
	end();
}

/* As many rows as the reply has room for, and some more. */
Test(control, too_many_rows)
{
	begin(0);
	struct ending ending = {0};
	uint32_t serial = asked(CONTROL_STATUS, &ending).serial;
	for (int i = 0; i < CONTROL_NODES + 3; i++) {
		send_row((struct control_row){.serial = serial, .type = CONTROL_NODE, .node = {.node = 1}});
		cr_assert(control_receive(control));
	}
	for (int i = 0; i < CONTROL_PROCESSES + 5; i++) {
		send_process(serial, 1);
		cr_assert(control_receive(control));
	}
	for (int i = 0; i < 2; i++) {
		send_row((struct control_row){.serial = serial, .type = CONTROL_MACHINE});
		send_row((struct control_row){.serial = serial, .type = CONTROL_BROKER});
	}
	send_done(serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(ending.nodes, CONTROL_NODES);
	cr_assert_eq(ending.processes, CONTROL_PROCESSES);
	cr_assert_eq(ending.pids, CONTROL_PROCESSES);
	cr_assert_eq(ending.machines, 1);
	cr_assert_eq(ending.brokers, 1);
	cr_assert_eq(stray(), 3 + 5 + 2);
	end();
}

/* -- answers ----------------------------------------------------------------------------------- */

/* Three answers whose rows come mixed, the last asked done first. */
Test(control, interleaved_answers)
{
	begin(0);
	struct ending first = {0}, second = {0}, third = {0};
	uint32_t a = asked(CONTROL_STATUS, &first).serial, b = asked(CONTROL_DRAIN, &second).serial,
		 c = asked(CONTROL_STATUS, &third).serial;
	for (uint32_t i = 1; i <= 100; i++) {
		send_process(a, i);
		if (i % 2 == 0)
			send_process(c, 1000);
		if (i == 50)
			send_done(b, ERR_BUSY, "later");
		cr_assert(control_receive(control));
	}
	send_row((struct control_row){.serial = c, .type = CONTROL_NODE, .node = {.node = 3}});
	send_done(c, ERR_OK, "");
	send_done(a, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert(first.times == 1 && second.times == 1 && third.times == 1);
	cr_assert_eq(first.processes, 100);
	cr_assert_eq(first.pids, 5050);
	cr_assert_eq(first.nodes, 0);
	cr_assert_eq(third.processes, 50);
	cr_assert_eq(third.pids, 50000);
	cr_assert_eq(third.nodes, 1);
	cr_assert_eq(second.err, ERR_BUSY);
	cr_assert_eq(second.verb, CONTROL_DRAIN);
	cr_assert_eq(stray(), 0);
	cr_assert_eq(control_counts(control)->open, 0);
	end();
}

Test(control, every_field_arrives)
{
	begin(0);
	struct ending ending = {0};
	uint32_t serial = asked(CONTROL_STATUS, &ending).serial;
	struct control_row machine = {.serial = serial,
				      .type = CONTROL_MACHINE,
				      .machine = {"cassia", 3, 17, 5, 60000, 99, 700000, 1}};
	struct control_row node = {
		.serial = serial, .type = CONTROL_NODE, .node = {2, 1, 1, "silver", 5101, 2048}};
	struct control_row process = {
		.serial = serial,
		.type = CONTROL_PROCESS,
		.process = {WALLET, PROCESS_BACKOFF, 2, 4130, 700069, 4, -11, 3, 1200, 55000, 8000}};
	struct control_row broker = {.serial = serial,
				     .type = CONTROL_BROKER,
				     .broker = {1, 2, 1024, 17, 3, 10, 11, 12, 13, 14, 15}};
	send_row(broker), send_row(process), send_row(node), send_row(machine);
	send_done(serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert(ending.status && ending.err == ERR_OK);
	struct machine_row m = ending.machine;
	cr_assert_str_eq(m.name, "cassia");
	cr_assert(m.nodes == 3 && m.processes == 17 && m.missing == 5 && m.up_ms == 60000 && m.pid == 99 &&
		  m.uid_base == 700000 && m.root);
	struct node_row n = ending.node;
	cr_assert_str_eq(n.tier, "silver");
	cr_assert(n.node == 2 && n.parked && n.draining && n.port == 5101 && n.quota_mb == 2048);
	struct process_row p = ending.process;
	cr_assert_str_eq(p.actor, "wallet");
	cr_assert_str_eq(p.state, "back-off");
	cr_assert(p.node == 2 && p.pid == 4130 && p.uid == 700069 && p.restarts == 4 && p.last_end == -11 &&
		  p.missing == 3 && p.pss_kib == 1200 && p.up_ms == 55000 && p.next_ms == 8000);
	struct broker_row b = ending.broker;
	cr_assert(b.open == 1 && b.open_high == 2 && b.open_limit == 1024 && b.peers == 17 && b.people == 3 &&
		  b.routed == 10 && b.denied == 11 && b.busy == 12 && b.late == 13 && b.gone == 14 &&
		  b.dropped == 15);
	end();
}

Test(control, names_without_an_end)
{
	begin(0);
	struct ending ending = {0};
	uint32_t serial = asked(CONTROL_STATUS, &ending).serial;
	struct control_row row = {.serial = serial, .type = CONTROL_MACHINE};
	memset(row.machine.name, 'n', sizeof row.machine.name);
	send_row(row);
	row = (struct control_row){.serial = serial, .type = CONTROL_NODE};
	memset(row.node.tier, 't', sizeof row.node.tier);
	send_row(row);
	send_row((struct control_row){
		.serial = serial, .type = CONTROL_PROCESS, .process = {.kind = 200, .state = 200}});
	send_done(serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(strlen(ending.machine.name), 32);
	cr_assert_eq(strlen(ending.node.tier), 16);
	cr_assert_str_eq(ending.process.actor, "?");
	cr_assert_str_eq(ending.process.state, "?");
	end();
}

/* -- what does not come, or should not --------------------------------------------------------- */

/* DONE never comes: LATE, once; what comes after that belongs to nothing, also when the place has a new
 * owner. */
Test(control, a_lost_end)
{
	begin(0);
	struct ending first = {0}, second = {0};
	uint32_t serial = asked(CONTROL_STATUS, &first).serial;
	send_process(serial, 1);
	cr_assert(control_receive(control));
	control_expire(control, 999);
	cr_assert_eq(first.times, 0);
	control_expire(control, 1000);
	cr_assert_eq(first.times, 1);
	cr_assert_eq(first.err, ERR_LATE);
	cr_assert_not(first.status);
	control_expire(control, 2000);
	cr_assert_eq(first.times, 1);
	uint32_t next = asked(CONTROL_STATUS, &second).serial;
	send_process(serial, 1);
	send_done(serial, ERR_OK, "");
	send_process(next, 7);
	send_done(next, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(first.times, 1);
	cr_assert_eq(second.times, 1);
	cr_assert_eq(second.pids, 7);
	cr_assert_eq(stray(), 2);
	end();
}

Test(control, wrong_serials)
{
	begin(100);
	struct ending ending = {0};
	uint32_t serial = asked(CONTROL_STATUS, &ending).serial;
	uint32_t wrong[] = {0, 1, 100, serial + 1, serial | 0x80000000, UINT32_MAX};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		send_process(wrong[i], 1);
		send_done(wrong[i], ERR_OK, "");
	}
	cr_assert(control_receive(control));
	cr_assert_eq(ending.times, 0);
	cr_assert_eq(stray(), 12);
	send_done(serial, ERR_OK, "");
	send_done(serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(ending.times, 1, "ended twice");
	cr_assert_eq(ending.processes, 0);
	cr_assert_eq(stray(), 13);
	end();
}

Test(control, rows_that_are_none)
{
	begin(0);
	struct ending status = {0}, stop = {0};
	uint32_t a = asked(CONTROL_STATUS, &status).serial, b = asked(CONTROL_STOP, &stop).serial;
	struct control_row row[2] = {{.serial = a, .type = CONTROL_DONE}};
	cr_assert_gt(send(theirs, row, sizeof *row - 1, 0), 0);
	cr_assert_gt(send(theirs, row, sizeof *row + 1, 0), 0);
	cr_assert_gt(send(theirs, row, 1, 0), 0);
	row->type = 0;
	send_row(*row);
	row->type = 200;
	send_row(*row);
	send_process(b, 1); /* a stop has no rows */
	send_row((struct control_row){.serial = b, .type = CONTROL_MACHINE});
	send_row((struct control_row){.serial = b, .type = CONTROL_NODE});
	send_row((struct control_row){.serial = b, .type = CONTROL_BROKER});
	cr_assert(control_receive(control));
	cr_assert_eq(status.times + stop.times, 0);
	cr_assert_eq(stray(), 9);
	end();
}

/* Whoever is told of an end may ask again in that moment, even when the table was full. */
static struct ending again_ending;
static void ask_again(void *context, enum control_verb verb, enum err err, const char *why,
		      const struct control_answer *answer)
{
	ended(context, verb, err, why, answer);
	cr_assert_eq(ask(CONTROL_RELOAD, (struct target){0}, OPERATOR, &again_ending), ERR_KEPT);
}

Test(control, an_end_may_begin_another)
{
	begin(0);
	struct ending ending = {0}, others = {0};
	struct wish wish = {CONTROL_STATUS, {0}, 1, OPERATOR, 0};
	cr_assert_eq(control_ask(control, &wish, 500, ask_again, &ending), ERR_KEPT);
	heard();
	for (int i = 1; i < CONTROL_ASKS; i++)
		asked(CONTROL_RELOAD, &others);
	send_process(1, 1);
	cr_assert(control_receive(control));
	control_expire(control, 500);
	cr_assert_eq(ending.times, 1);
	cr_assert_eq(ending.err, ERR_LATE);
	cr_assert_eq(control_counts(control)->open, CONTROL_ASKS);
	send_done(heard().serial, ERR_OK, "");
	cr_assert(control_receive(control));
	cr_assert_eq(again_ending.times, 1);
	cr_assert_eq(others.times, 0);
	end();
}
