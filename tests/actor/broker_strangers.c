/* Somebody of the same uid under another pid: unknown, or claiming to be a process that lives, or one that has died. What
 * makes a stranger is the pid that the kernel gives; this program plays the supervisor and the honest processes. */
#include "tests/actor/broker.h"

#include <unistd.h>

static bool dropped_enough(const struct roster_counts *counts, uint64_t than)
{
	return counts->dropped >= than;
}

static bool any(const struct roster_counts *counts, uint64_t than)
{
	(void)than;
	return counts->verb;
}

/* The same stranger, entered in the roster with its own pid, is given something: the probe can see. */
static void control(struct machine *machine, const char *mode)
{
	struct speaker honest = {.kind = STORE, .node = 9, .birth = frames_random()};
	struct stranger stranger;
	for (unsigned i = 0; i < 16; i++)
		honest.routing[i] = (uint8_t)('a' + i);
	stranger_start(&stranger, mode, machine->doors[BUS], honest.routing, machine->birth,
		       calls_fingerprint());
	machine_tell(machine, ROSTER_BORN, &honest, stranger.pid);
	machine_counts(machine, any, 0);
	machine_counts(machine, any, 0);
	long given = stranger_stop(&stranger);
	ok(given > 0, "control: one whom the roster knows is given %ld", given);
	machine_tell(machine, ROSTER_GONE, &honest, stranger.pid);
}

void strangers_unknown(void)
{
	static const uint8_t routing[16] = "a routing id ...";
	struct machine machine;
	struct speaker wallet, store;
	struct stranger stranger;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	stranger_start(&stranger, "zmq", machine.doors[BUS], routing, machine.birth, calls_fingerprint());
	ok(machine_counts(&machine, dropped_enough, 20), "what a stranger says is dropped");
	ok(machine.counts.peers == 2, "and it is no peer");
	hears_nothing(&wallet, &store, &wallet, "the wallet hears nothing of it");
	ok(stranger_stop(&stranger) == 0, "and it is given nothing");
	control(&machine, "zmq");
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

void strangers_live_id(void)
{
	struct machine machine;
	struct speaker wallet, store;
	struct stranger stranger;
	unsigned answered = 0;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	stranger_start(&stranger, "zmq", machine.doors[BUS], wallet.routing, machine.birth,
		       calls_fingerprint());
	for (unsigned i = 0; i < 200; i++)
		answered += round_trip(&store, &wallet);
	machine_counts(&machine, any, 0);
	machine_counts(&machine, any, 0);
	for (unsigned i = 0; i < 200; i++)
		answered += round_trip(&store, &wallet);
	ok(answered == 400,
	   "while somebody claims the wallet's routing id, the wallet is asked and answers (%u)", answered);
	ok(stranger_stop(&stranger) == 0, "who is given nothing");
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

/* The window that RELIABILITY names: the wallet is dead, its routing id is free, the next wallet is not yet born. */
void strangers_dead_id(void)
{
	struct machine machine;
	struct speaker wallet, reborn, store, reader;
	struct stranger stranger;
	struct frame frame;
	unsigned gone = 0, answered = 0;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	machine_person(&machine, &reader, READ_DOOR);
	uint64_t open = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", 60000);
	hears(&wallet, ENVELOPE_ASK, &frame, "an ask is open");
	stranger_start(&stranger, "zmq", machine.doors[BUS], wallet.routing, machine.birth,
		       calls_fingerprint());
	machine_leave(&machine, &wallet);
	ok(speaker_ends(&store, open, ERR_GONE), "which ends gone when the wallet dies");
	ok(machine_counts(&machine, dropped_enough, 20),
	   "the stranger has the dead one's routing id, and is dropped");
	for (unsigned i = 0; i < 50; i++) {
		uint64_t serial =
			speaker_ask(i % 2 ? &store : &reader, CALL_ADDRESS, WALLET, 1, "secret", WAIT_MS);
		gone += speaker_ends(i % 2 ? &store : &reader, serial, ERR_GONE);
	}
	ok(gone == 50, "between death and rebirth every ask ends gone (%u)", gone);
	machine_join(&machine, &reborn, WALLET, 1);
	for (unsigned i = 0; i < 50; i++)
		answered += round_trip(i % 2 ? &store : &reader, &reborn);
	ok(answered == 50, "after rebirth the reborn is asked and answers (%u)", answered);
	ok(stranger_stop(&stranger) == 0, "and the stranger was given nothing, before or after");
	speaker_close(&reader);
	machine_leave(&machine, &reborn);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* ZMTP written by hand: a READY that says where it comes from is not believed. */
void strangers_forged(void)
{
	struct machine machine;
	struct speaker wallet, store;
	struct stranger stranger;
	machine_begin(&machine);
	control(&machine, "forge");
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	struct speaker ghost = {
		.kind = STORE, .node = 2, .birth = frames_random()}; /* in the roster, not yet connected */
	for (unsigned i = 0; i < 16; i++)
		ghost.routing[i] = (uint8_t)('A' + i);
	machine_tell(&machine, ROSTER_BORN, &ghost, getpid());
	stranger_start(&stranger, "forge", machine.doors[BUS], ghost.routing, machine.birth,
		       calls_fingerprint());
	ok(machine_counts(&machine, dropped_enough, 20),
	   "with its routing id, and its address by own word, it is dropped");
	ok(machine.counts.peers == 2, "and is no peer");
	hears_nothing(&wallet, &store, &wallet, "nobody hears of it");
	long given = stranger_stop(&stranger);
	ok(given == 0, "and it is given nothing (%ld)", given);
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

/* Without root all processes have one uid, and the kernel opens the doors of people to them. We are a wallet here, by our pid. */
void strangers_process(void)
{
	struct machine machine;
	struct speaker wallet, person, taken = {.kind = OPERATOR};
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &person, OPERATE);
	for (unsigned door = OPERATE; door <= READ_DOOR; door++) {
		struct frame frame, hello = {.type = ENVELOPE_HELLO, .serial = calls_fingerprint()};
		speaker_open(&taken, machine.doors[door], false);
		speaker_send(&taken, &hello);
		ok(round_trip(&person, &wallet) && !speaker_receive(&taken, &frame, 50),
		   "a process is no person at door %u, while a person is served", door);
		speaker_close(&taken);
	}
	machine_leave(&machine, &wallet);
	speaker_close(&person);
	machine_end(&machine);
}
