/* The roster: nobody execs before the broker knows, nobody is reaped before the broker was told, and a reborn broker is told
 * everything. The broker here is the test. */
#include "supervisor/status.h"
#include "supervisor/supervisor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 3 };
static struct supervisor s;
static struct process processes[PROCESSES];
static struct process *table[PROCESSES];
static int gates[PROCESSES]; /* the child's ends */
static int broker;           /* the broker's end */

static void bear(int i, uint64_t birth)
{
	int gate[2];
	cr_assert_eq(pipe2(gate, O_CLOEXEC | O_NONBLOCK), 0);
	gates[i] = gate[0];
	processes[i].gate = gate[1];
	processes[i].pid = 1000 + (pid_t)birth; /* never signalled: nothing here kills */
	processes[i].uid = 700000 + (uint32_t)i;
	processes[i].birth = birth;
	processes[i].dead = false;
	processes[i].state = PROCESS_WAITING;
	processes[i].routing[0] = (uint8_t)birth;
	s.roster.behind = true;
}

static void die(int i, uint64_t now)
{
	processes[i].dead = true;
	processes[i].died_ms = now;
	s.roster.behind = true;
}

static void begin(void)
{
	static const enum kind kinds[PROCESSES] = {SCRIBE, STORE, WALLET};
	s = (struct supervisor){.loop = loop_new(), .processes = table, .count = PROCESSES};
	s.roster.fd = s.logs.fd = -1;
	for (int i = 0; i < PROCESSES; i++) {
		processes[i] =
			(struct process){.supervisor = &s, .row = actor_row(kinds[i]), .node = (uint16_t)i};
		processes[i].gate = -1;
		table[i] = &processes[i];
	}
	broker = roster_reopen(&s);
	cr_assert_geq(broker, 0);
}

static void end(void)
{
	roster_close(&s);
	loop_free(&s.loop);
}

TestSuite(roster, .init = begin, .fini = end);

static bool hear(struct roster_entry *entry)
{
	return recv(broker, entry, sizeof *entry, MSG_DONTWAIT) == sizeof *entry;
}

static void say(struct roster_entry entry)
{
	entry.verb = ROSTER_ACK;
	cr_assert_eq(send(broker, &entry, sizeof entry, 0), (ssize_t)sizeof entry);
}

static void turn(uint64_t now)
{
	loop_turn(s.loop, 0);
	roster_turn(&s, now);
}

static bool gate_is_open(int i)
{
	char byte;
	return read(gates[i], &byte, 1) == 1;
}

Test(roster, the_gate_opens_when_the_broker_knows_and_not_before)
{
	struct roster_entry entry;
	bear(1, 11);
	turn(0);
	cr_assert(hear(&entry));
	cr_assert_eq(entry.verb, ROSTER_BORN);
	cr_assert_eq(entry.serial, 1);
	cr_assert_eq(entry.kind, STORE);
	cr_assert_eq(entry.node, 1);
	cr_assert_eq(entry.pid, 1011);
	cr_assert_eq(entry.uid, 700001);
	cr_assert_eq(entry.birth, 11);
	cr_assert_eq(entry.routing[0], 11);
	cr_assert_not(hear(&entry), "told once");
	turn(0);
	cr_assert_not(gate_is_open(1));
	cr_assert_eq(processes[1].state, PROCESS_WAITING);
	say(entry);
	turn(0);
	cr_assert(gate_is_open(1));
	cr_assert_eq(processes[1].state, PROCESS_STARTING);
}

Test(roster, the_gate_stays_shut_until_scribe_was_told_whose_lines_they_are)
{
	struct roster_entry entry;
	s.logs.fd = dup(0); /* there is a scribe; nothing is sent to it here */
	processes[1].log_pid = 1010;
	bear(1, 11);
	turn(0);
	cr_assert(hear(&entry));
	say(entry);
	turn(0);
	cr_assert_not(gate_is_open(1), "it has the pid of the birth before");
	processes[1].log_pid = 1011;
	turn(0);
	cr_assert(gate_is_open(1));
	close(s.logs.fd);
	s.logs.fd = -1;
}

Test(roster, the_brokers_own_gate_waits_for_scribe_alone)
{
	processes[0].row = actor_row(BROKER);
	s.logs.fd = dup(0);
	bear(0, 10);
	turn(0);
	cr_assert_not(gate_is_open(0));
	processes[0].log_pid = 1010;
	turn(0);
	cr_assert(gate_is_open(0));
	close(s.logs.fd);
	s.logs.fd = -1;
}

/* Shown between its end and its burial, it is not what it was. */
Test(roster, who_has_died_is_not_shown_as_ready)
{
	struct config config = {0};
	struct control_row row;
	struct roster_entry entry;
	s.config = &config;
	bear(1, 11);
	processes[1].pidfd = processes[1].report = processes[1].record = processes[1].life = -1;
	processes[1].pid = fork();
	if (processes[1].pid == 0)
		_exit(0);
	cr_assert_gt(processes[1].pid, 0);
	turn(0);
	cr_assert(hear(&entry));
	close(processes[1].gate);
	processes[1].gate = -1;
	processes[1].state = PROCESS_READY;
	processes[1].wanted = processes[1].killed = true; /* so that its end is looked for */
	processes[1].born_ms = processes[1].killed_ms = now_ms();
	while (!processes[1].dead)
		process_step(&s, &processes[1], now_ms());
	cr_assert(status_row(&s, 3, &row) && row.type == CONTROL_PROCESS);
	cr_assert_eq(row.process.node, 1);
	cr_assert_eq(row.process.pid, 0);
	cr_assert_eq(row.process.state, PROCESS_BACKOFF, "state %u", row.process.state);
	cr_assert_eq(waitpid(processes[1].pid, NULL, 0), processes[1].pid);
}

Test(roster, an_acknowledgement_of_what_was_never_said_opens_nothing)
{
	struct roster_entry entry;
	bear(1, 11);
	turn(0);
	cr_assert(hear(&entry));
	entry.serial = 2;
	say(entry);
	entry.serial = UINT32_MAX;
	say(entry);
	entry.serial = 0;
	say(entry);
	turn(0);
	cr_assert_not(gate_is_open(1));
}

Test(roster, datagrams_of_another_length_or_verb_open_nothing)
{
	struct roster_entry entry;
	bear(1, 11);
	turn(0);
	cr_assert(hear(&entry));
	entry.verb = ROSTER_ACK;
	cr_assert_eq(send(broker, &entry, sizeof entry - 1, 0), (ssize_t)sizeof entry - 1);
	entry.verb = ROSTER_BORN;
	cr_assert_eq(send(broker, &entry, sizeof entry, 0), (ssize_t)sizeof entry);
	turn(0);
	cr_assert_not(gate_is_open(1));
}

Test(roster, the_dead_are_kept_until_the_broker_acknowledged)
{
	struct roster_entry born, gone;
	bear(1, 11);
	turn(100);
	cr_assert(hear(&born));
	say(born);
	turn(100);
	die(1, 200);
	cr_assert_not(roster_has_buried(&s, &processes[1], 200), "nothing was said yet");
	turn(200);
	cr_assert(hear(&gone));
	cr_assert_eq(gone.verb, ROSTER_GONE);
	cr_assert_eq(gone.birth, 11);
	cr_assert_eq(gone.pid, 1011);
	cr_assert_not(roster_has_buried(&s, &processes[1], 200), "said, not acknowledged");
	say(gone);
	turn(200);
	cr_assert(roster_has_buried(&s, &processes[1], 200));
}

Test(roster, a_broker_that_does_not_listen_holds_up_a_burial_for_a_second)
{
	bear(1, 11);
	turn(100);
	die(1, 200);
	turn(200);
	cr_assert_not(roster_has_buried(&s, &processes[1], 200 + BURY_WAIT_MS));
	cr_assert(roster_has_buried(&s, &processes[1], 201 + BURY_WAIT_MS));
}

Test(roster, who_was_never_told_of_can_be_buried_at_once)
{
	processes[2].dead = true;
	processes[2].died_ms = 200;
	cr_assert(roster_has_buried(&s, &processes[2], 200));
}

Test(roster, a_reborn_broker_is_told_of_all_alive_and_gates_wait_for_it)
{
	struct roster_entry entry;
	bear(0, 10);
	bear(1, 11);
	turn(0);
	cr_assert(hear(&entry));
	say(entry); /* the first one only */
	turn(0);
	cr_assert(gate_is_open(0));
	die(0, 5);
	close(broker); /* it dies with an end untold and a birth unacknowledged */
	turn(10);
	cr_assert_eq(s.roster.fd, -1);
	cr_assert(roster_has_buried(&s, &processes[0], 10), "nobody is left to be deceived");
	bear(2, 12);
	turn(20);
	broker = roster_reopen(&s);
	turn(30);
	uint64_t births = 0;
	uint32_t serial = 0;
	while (hear(&entry)) {
		cr_assert_eq(entry.verb, ROSTER_BORN);
		cr_assert_eq(entry.serial, ++serial, "serials begin anew");
		births += entry.birth;
	}
	cr_assert_eq(births, 11 + 12, "those alive, and nobody else");
	cr_assert_not(gate_is_open(1));
	say(entry);
	turn(30);
	cr_assert(gate_is_open(1), "the last acknowledgement stands for those before it");
	cr_assert(gate_is_open(2));
}

Test(roster, a_quick_end_and_birth_are_told_in_that_order)
{
	struct roster_entry entry;
	bear(1, 11);
	turn(0);
	cr_assert(hear(&entry));
	bear(1, 22); /* reaped and born again between two turns */
	turn(1);
	cr_assert(hear(&entry));
	cr_assert_eq(entry.verb, ROSTER_GONE);
	cr_assert_eq(entry.birth, 11);
	cr_assert(hear(&entry));
	cr_assert_eq(entry.verb, ROSTER_BORN);
	cr_assert_eq(entry.birth, 22);
}

Test(roster, a_full_channel_loses_nothing)
{
	enum { MANY = 2000 };
	static struct process many[MANY];
	static struct process *all[MANY];
	struct roster_entry entry;
	for (int i = 0; i < MANY; i++) {
		many[i] = (struct process){
			.row = actor_row(STORE), .node = 1, .pid = 1, .birth = (uint64_t)i + 1, .gate = -1};
		all[i] = &many[i];
	}
	s.processes = all;
	s.count = MANY;
	s.roster.behind = true;
	uint32_t heard = 0;
	for (int i = 0; i < MANY && heard < MANY; i++) {
		uint32_t before = heard;
		turn(0);
		turn(0); /* as it turns while the broker has not got to it yet */
		cr_assert(i || s.roster.behind, "the channel is smaller than that");
		while (hear(&entry))
			cr_assert_eq(entry.serial, ++heard);
		cr_assert_leq(heard - before, ROSTER_WINDOW, "so many answers may find no room");
		say(entry); /* the newest stands for all; one that was lost would be asked for in vain */
	}
	cr_assert_eq(heard, MANY);
	turn(0);
	cr_assert_not(s.roster.behind);
}

Test(roster, counts_are_kept)
{
	struct roster_counts counts = {.verb = ROSTER_COUNTS, .routed = 77, .denied = 3};
	cr_assert_eq(send(broker, &counts, sizeof counts, 0), (ssize_t)sizeof counts);
	turn(0);
	cr_assert_eq(s.roster.counts.routed, 77);
	cr_assert_eq(s.roster.counts.denied, 3);
}

/* The broker parses what strangers send; what it says of itself is looked at like anybody's word. */
Test(roster, a_bound_that_is_none_changes_nothing)
{
	static struct supervisor before;
	struct roster_limit limit = {.verb = ROSTER_LIMIT, .index = ROSTER_LIMITS, .depth = 7};
	memcpy(&before, &s, sizeof s);
	for (; limit.index < ROSTER_LIMITS + 8; limit.index++) {
		cr_assert_eq(send(broker, &limit, sizeof limit, MSG_DONTWAIT), (ssize_t)sizeof limit);
		loop_turn(s.loop, 0);
	}
	before.dirty = s.dirty; /* it looks again */
	cr_assert_eq(memcmp(&before, &s, sizeof s), 0, "nothing before its table, nothing behind it");
	limit.index = ROSTER_LIMITS - 1;
	memset(limit.name, 'A', sizeof limit.name);
	cr_assert_eq(send(broker, &limit, sizeof limit, MSG_DONTWAIT), (ssize_t)sizeof limit);
	loop_turn(s.loop, 0);
	cr_expect_eq(s.roster.limits[ROSTER_LIMITS - 1].depth, 7);
	cr_expect_eq(strlen(s.roster.limits[ROSTER_LIMITS - 1].name), sizeof limit.name - 1);
}
