/* Life and death of the broker itself. */
#include "tests/actor/broker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void life_beats(void)
{
	struct machine machine;
	machine_begin(&machine);
	ok(child_says(&machine.broker, "info life.start"), "it says that it has started");
	child_look(&machine.broker);
	ok(machine.broker.ready, "and is ready");
	ok(child_beats(&machine.broker) && child_beats(&machine.broker), "its heart beats");
	machine_end(&machine);
}

/* SIGTERM is an orderly end; a supervisor that is gone is one too, as nobody would know of it. */
void life_ends(void)
{
	struct machine machine;
	machine_begin(&machine);
	child_beats(&machine.broker);
	child_kill(&machine.broker, SIGTERM);
	ok(child_ends(&machine.broker), "told to end, it ends");
	ok(WIFEXITED(machine.broker.status) && WEXITSTATUS(machine.broker.status) == 0, "with 0");
	ok(machine.broker.drained, "after it said so");
	child_end(&machine.broker);
	machine_start_broker(&machine);
	child_beats(&machine.broker);
	close(machine.roster);
	machine.roster = -1;
	ok(child_ends(&machine.broker), "without a supervisor it ends");
	ok(WIFEXITED(machine.broker.status) && WEXITSTATUS(machine.broker.status) == EXIT_WORLD, "with 75");
	child_end(&machine.broker);
	machine_start_broker(&machine);
	machine_end(&machine);
}

/* A supervisor that does not read, for a while: figures, which it can do without, leave room for the acknowledgements of a whole
 * window, without which a birth would wait for ever. */
void life_unread(void)
{
	enum { ROOM = 48 * 1024, BEATS = 12 };
	struct machine machine;
	struct speaker store = {.kind = STORE, .node = 1};
	machine_begin(&machine);
	child_end(&machine.broker);
	machine.roster_room = ROOM;
	machine_start_broker(&machine);
	for (int i = 0; i < BEATS; i++) /* as many figures as would fill it */
		child_beats(&machine.broker);
	for (unsigned i = 0; i < ROSTER_WINDOW; i++) {
		store.birth = frames_random();
		machine_say(&machine, i % 2 ? ROSTER_GONE : ROSTER_BORN, &store, getpid());
	}
	ok(child_beats(&machine.broker) && child_beats(&machine.broker), "it has read them");
	ok(machine_acknowledged(&machine), "and the last acknowledgement is there");
	machine_end(&machine);
}

/* Killed and started again on the same listeners: everybody's connection comes back by itself, and nothing of before counts. */
void life_reborn(void)
{
	struct machine machine;
	struct speaker store, wallet, reader;
	struct frame ask;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &reader, READ_DOOR);
	speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "before", 60000);
	hears(&wallet, ENVELOPE_ASK, &ask, "an ask is open");
	uint64_t before = machine.birth;
	child_kill(&machine.broker, SIGKILL);
	child_ends(&machine.broker);
	child_end(&machine.broker);
	machine_start_broker(&machine);
	machine_tell(&machine, ROSTER_BORN, &store, getpid());
	machine_tell(&machine, ROSTER_BORN, &wallet, getpid());
	ok(speaker_hello(&store, calls_fingerprint()) && store.broker == machine.birth &&
		   store.broker != before,
	   "its successor welcomes the store, under a birth of its own");
	ok(speaker_hello(&wallet, calls_fingerprint()), "and the wallet");
	struct frame end, old = ask;
	old.type = ENVELOPE_REPLY;
	old.length = 0; /* its body is long gone */
	speaker_send(&wallet, &old);
	speaker_answer(&wallet, &ask, ENVELOPE_REPLY, 0, "late");
	store.broker = before;
	uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", WAIT_MS);
	ok(speaker_ends(&store, serial, ERR_GONE), "an ask of the earlier broker ends gone");
	store.broker = machine.birth;
	hears_nothing(&wallet, &store, &wallet, "and is not passed on");
	ok(!speaker_receive(&store, &end, 0), "the answer to what the earlier broker passed on is dropped");
	reader.birth = 0;
	ok(speaker_hello(&reader, calls_fingerprint()) && round_trip(&reader, &wallet),
	   "people come back, too");
	speaker_close(&reader);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}
