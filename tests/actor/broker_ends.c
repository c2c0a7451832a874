/* Asks that end without their answer: gone, late. */
#include "tests/actor/broker.h"

static bool open_is(const struct roster_counts *counts, uint64_t than)
{
	return counts->open == than;
}

static bool late_enough(const struct roster_counts *counts, uint64_t than)
{
	return counts->late >= than;
}

static bool dropped_enough(const struct roster_counts *counts, uint64_t than)
{
	return counts->dropped >= than;
}

void ends_gone(void)
{
	struct machine machine;
	struct speaker wallet, reborn, store, reader, wallet2, store2;
	struct frame ask, frame;
	uint64_t serials[3];
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet2, WALLET, 2);
	machine_join(&machine, &store2, STORE, 2);
	machine_person(&machine, &reader, READ_DOOR);
	serials[0] = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", 60000);
	serials[1] = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", 60000);
	serials[2] = speaker_ask(&reader, CALL_ADDRESS, WALLET, 1, "", 60000);
	for (unsigned i = 0; i < 3; i++)
		hears(&wallet, ENVELOPE_ASK, &ask, "an ask");
	machine_leave(&machine, &wallet);
	ok(speaker_ends(&store, serials[0], ERR_GONE) && speaker_ends(&store, serials[1], ERR_GONE),
	   "when the asked dies, each of its asks ends gone");
	ok(speaker_ends(&reader, serials[2], ERR_GONE), "also a person's");
	serials[0] = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", 60000);
	ok(speaker_ends(&store, serials[0], ERR_GONE), "a new one too, until it is born again");
	machine_join(&machine, &reborn, WALLET, 1);
	ok(round_trip(&store, &reborn), "and then it is answered");

	speaker_answer(&reborn, &ask, ENVELOPE_REPLY, 0, "for my late self");
	hears_nothing(&reader, &store, &reborn, "the reborn cannot answer what its earlier self was asked");

	speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", 60000);
	hears(&reborn, ENVELOPE_ASK, &ask, "an ask whose asker dies");
	machine_leave(&machine, &store);
	ok(machine_counts(&machine, open_is, 0), "is not open any longer");
	uint64_t dropped = machine.counts.dropped;
	speaker_answer(&reborn, &ask, ENVELOPE_REPLY, 0, "");
	ok(machine_counts(&machine, dropped_enough, dropped + 1), "and its answer is dropped");
	ok(!speaker_receive(&reborn, &frame, 0), "of which its sender learns nothing");
	ok(round_trip(&store2, &wallet2), "all this is nothing to others");
	speaker_close(&reader);
	machine_leave(&machine, &reborn);
	machine_leave(&machine, &wallet2);
	machine_leave(&machine, &store2);
	machine_end(&machine);
}

void ends_late(void)
{
	struct machine machine;
	struct speaker wallet, store;
	struct frame ask, end;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", 0);
	ok(speaker_ends(&store, serial, ERR_LATE), "an ask that is late when it is asked ends late");
	struct frame never = {
		.type = ENVELOPE_ASK, .number = CALL_ADDRESS, .broker = store.broker, .serial = 50};
	never.target_kind = WALLET;
	never.target_node = 1;
	speaker_send(&store, &never);
	ok(speaker_ends(&store, 50, ERR_LATE), "so does one without a deadline");
	ok(!speaker_receive(&wallet, &ask, 0), "the wallet heard of neither");

	speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", 300);
	hears(&wallet, ENVELOPE_ASK, &ask, "an ask that nobody answers in time");
	ok(machine_counts(&machine, late_enough, 3) && machine.counts.open == 0, "is swept and counted");
	uint64_t dropped = machine.counts.dropped;
	speaker_answer(&wallet, &ask, ENVELOPE_REPLY, 0, "too late");
	ok(machine_counts(&machine, dropped_enough, dropped + 1), "its late answer is dropped");
	ok(!speaker_receive(&store, &end, 0), "and never delivered");
	ok(round_trip(&store, &wallet), "the next ask is answered");
	ok(machine_counts(&machine, open_is, 0) && machine.counts.late == 3, "and nothing else was late");
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

void ends_deadline_is_bounded(void)
{
	struct machine machine;
	struct speaker wallet, store;
	struct frame ask,
		far = {.type = ENVELOPE_ASK, .number = CALL_ADDRESS, .serial = 1, .deadline = UINT64_MAX};
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	far.broker = store.broker;
	far.target_kind = WALLET;
	far.target_node = 1;
	speaker_send(&store, &far);
	uint64_t minute = UINT64_C(60000000000);
	if (hears(&wallet, ENVELOPE_ASK, &ask, "an ask with all the time in the world"))
		ok(ask.deadline <= frames_now_ns() + minute, "has a minute");
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}
