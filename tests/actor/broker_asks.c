/* Hello, and what becomes of an ask whose both ends live. */
#include "tests/actor/broker.h"

#include <string.h>

static bool dropped_more(const struct roster_counts *counts, uint64_t than)
{
	return counts->dropped > than;
}

void asks_hello(void)
{
	struct machine machine;
	struct speaker wallet, other = {.kind = STORE, .node = 1, .birth = 77};
	struct frame frame;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	ok(wallet.broker == machine.birth, "WELCOME carries the broker's birth");
	ok(speaker_hello(&wallet, calls_fingerprint()), "HELLO again is answered again");

	memcpy(other.routing, "0123456789abcdef", 16);
	machine_tell(&machine, ROSTER_BORN, &other, getpid());
	speaker_open(&other, machine.doors[BUS], true);
	other.broker = machine.birth;
	uint64_t serial = 0;
	while (!serial) /* until the connection is there */
		serial = speaker_ask(&other, CALL_ADDRESS, WALLET, 1, "", WAIT_MS);
	ok(speaker_ends(&other, serial, ERR_GONE), "an ask before HELLO ends gone");

	speaker_send(&other, &(struct frame){.type = ENVELOPE_HELLO, .serial = calls_fingerprint() ^ 1});
	if (hears(&other, ENVELOPE_ERROR, &frame, "another build's HELLO is answered by an error"))
		ok(frame.error == ERR_FINGERPRINT, "which is fingerprint");
	serial = speaker_ask(&other, CALL_ADDRESS, WALLET, 1, "", WAIT_MS);
	ok(speaker_ends(&other, serial, ERR_GONE), "and it is not welcome");
	ok(child_says(&machine.broker, "hello.fingerprint"), "which is logged");
	ok(speaker_hello(&other, calls_fingerprint()) && round_trip(&other, &wallet),
	   "until it says the right one");
	ok(machine_counts(&machine, dropped_more, 0), "what was said before is counted as dropped");
	speaker_close(&other);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

static bool routed_enough(const struct roster_counts *counts, uint64_t than)
{
	return counts->routed >= than;
}

/* The asker lies wherever it can. */
static void lie_in_ask(struct speaker *store, struct speaker *wallet, struct frame *ask)
{
	struct frame lie = {
		.type = ENVELOPE_ASK, .number = CALL_ADDRESS, .broker = store->broker, .caller = 666};
	lie.serial = 9;
	lie.deadline = frames_now_ns() + UINT64_C(5000000000);
	lie.callee = 666;
	lie.target_kind = WALLET;
	lie.target_node = 1;
	lie.source_kind = OPERATOR;
	lie.source_node = 5;
	lie.source_uid = 4242;
	lie.error = 1;
	lie.body = "a\0b";
	lie.length = 3;
	speaker_send(store, &lie);
	if (!hears(wallet, ENVELOPE_ASK, ask, "the ask arrives"))
		return;
	ok(ask->source_kind == STORE && ask->source_node == 1 && ask->source_uid == getuid(),
	   "with who asked as the broker knows it");
	ok(ask->caller == store->birth && ask->callee == wallet->birth,
	   "with both births as the roster has them");
	ok(ask->number == CALL_ADDRESS && ask->serial == 9 && ask->deadline == lie.deadline,
	   "call, serial and deadline are the asker's");
	ok(ask->length == 3 && memcmp(ask->body, "a\0b", 3) == 0, "the body is what was sent");
}

/* So does the asked. */
static void lie_in_answer(struct speaker *store, struct speaker *wallet, const struct frame *ask)
{
	struct frame end,
		lie = {.type = ENVELOPE_REPLY, .broker = wallet->broker, .caller = ask->caller, .serial = 9};
	lie.number = CALL_DELETE;
	lie.target_kind = STORE;
	lie.source_kind = OPERATOR;
	lie.callee = 666;
	lie.body = "reply";
	lie.length = 5;
	speaker_send(wallet, &lie);
	if (!hears(store, ENVELOPE_REPLY, &end, "the reply arrives"))
		return;
	ok(end.number == CALL_ADDRESS && end.target_kind == WALLET && end.target_node == 1 &&
		   end.serial == 9 && end.caller == store->birth && end.source_kind == STORE,
	   "with the header of the ask, whatever its sender wrote");
	ok(end.length == 5 && memcmp(end.body, "reply", 5) == 0, "and its body");
}

void asks_answered(void)
{
	struct machine machine;
	struct speaker wallet, store;
	struct frame ask = {0}, end;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	lie_in_ask(&store, &wallet, &ask);
	lie_in_answer(&store, &wallet, &ask);
	uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", WAIT_MS);
	if (hears(&wallet, ENVELOPE_ASK, &ask, "another ask"))
		speaker_answer(&wallet, &ask, ENVELOPE_ERROR, ERR_LOCKED, "a sentence");
	if (hears(&store, ENVELOPE_ERROR, &end, "is answered by an error"))
		ok(end.error == ERR_LOCKED && end.serial == serial && end.length == 10 &&
			   memcmp(end.body, "a sentence", 10) == 0,
		   "with its code and its sentence");
	ok(machine_counts(&machine, routed_enough, 2) && machine.counts.open == 0, "nothing is left open");
	ok(machine.counts.open_high == 1 && machine.counts.peers == 2, "highest and peers are counted");
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

void asks_refused(void)
{
	static const struct {
		unsigned number, kind, node, error;
		const char *what;
	} asks[] = {
		{0x05ff, WALLET, 1, ERR_UNKNOWN_CALL, "a number that is no call"},
		{0xffff, WALLET, 1, ERR_UNKNOWN_CALL, "the highest number"},
		{EVENT_PUT_DONE, STORE, 1, ERR_UNKNOWN_CALL, "the number of an event"},
		{CALL_ADDRESS, STORE, 1, ERR_UNKNOWN_CALL, "a wallet's call asked of a store"},
		{CALL_ADDRESS, 0, 1, ERR_UNKNOWN_CALL, "asked of no kind"},
		{CALL_ADDRESS, WALLET, 2, ERR_DENIED, "of another node's wallet"},
		{CALL_ADDRESS, WALLET, 0, ERR_DENIED, "of no node"},
		{CALL_BINDING, WALLET, 1, ERR_DENIED, "what only people may ask"},
		{CALL_PING, WALLET, 1, ERR_DENIED, "ping"},
		{CALL_ADDRESS, WALLET, 1, ERR_GONE, "of a wallet that is not there"},
	};
	struct machine machine;
	struct speaker store, other;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &other, WALLET, 2);
	for (unsigned i = 0; i < sizeof asks / sizeof *asks; i++) {
		uint64_t serial =
			speaker_ask(&store, asks[i].number, asks[i].kind, asks[i].node, "", WAIT_MS);
		ok(speaker_ends(&store, serial, asks[i].error), "%s ends %s", asks[i].what,
		   err_name(asks[i].error));
	}
	struct frame ask = {
		.type = ENVELOPE_ASK, .number = CALL_ADDRESS, .broker = store.broker, .serial = 0};
	ask.deadline = frames_now_ns() + UINT64_C(5000000000);
	ask.target_kind = WALLET;
	ask.target_node = 1;
	speaker_send(&store, &ask);
	if (hears(&store, ENVELOPE_ERROR, &ask, "an ask without a serial"))
		ok(ask.error == ERR_MALFORMED, "ends malformed");
	ok(child_says(&machine.broker, "ask.denied from=store@1 to=wallet@2 call=wallet_address"),
	   "denials are logged");
	struct frame frame;
	ok(!speaker_receive(&other, &frame, 0), "the other node's wallet heard nothing");
	machine_leave(&machine, &other);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

void asks_told(void)
{
	struct machine machine;
	struct speaker wallet, store;
	struct frame told, tell = {.type = ENVELOPE_TELL, .number = CALL_ADDRESS, .serial = 1};
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	tell.broker = store.broker;
	tell.target_kind = WALLET;
	tell.target_node = 1;
	tell.body = "news";
	tell.length = 4;
	speaker_send(&store, &tell);
	if (hears(&wallet, ENVELOPE_TELL, &told, "a tell arrives")) {
		ok(told.source_kind == STORE && told.callee == wallet.birth && told.length == 4,
		   "as who and what it is");
		speaker_answer(&wallet, &told, ENVELOPE_REPLY, 0, "no");
	}
	tell.number = CALL_BINDING;
	speaker_send(&store, &tell);
	hears_nothing(&store, &store, &wallet, "nobody answers a tell, not even when it is denied");
	ok(machine_counts(&machine, dropped_more, 0) && machine.counts.denied == 1 &&
		   machine.counts.open == 0,
	   "the denial and the answer to nothing are counted");
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

void asks_serials(void)
{
	struct machine machine;
	struct speaker wallet, store, store2, wallet2;
	struct frame first, ask;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &store2, STORE, 2);
	machine_join(&machine, &wallet2, WALLET, 2);
	speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "one", WAIT_MS);
	if (!hears(&wallet, ENVELOPE_ASK, &first, "an ask"))
		return;
	store.serial--;
	uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "two", WAIT_MS);
	ok(speaker_ends(&store, serial, ERR_BUSY), "its serial again, while it is open, ends busy");
	ok(round_trip(&store2, &wallet2), "the same serial of somebody else is another ask");
	hears_nothing(&wallet, &store2, &wallet2, "the second did not arrive");
	speaker_answer(&wallet, &first, ENVELOPE_REPLY, 0, "");
	ok(speaker_ends(&store, serial, 0), "the first is answered");
	store.serial--;
	serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "three", WAIT_MS);
	if (hears(&wallet, ENVELOPE_ASK, &ask, "then the serial is free again"))
		speaker_answer(&wallet, &ask, ENVELOPE_REPLY, 0, "");
	ok(speaker_ends(&store, serial, 0), "and answered");
	machine_leave(&machine, &wallet2);
	machine_leave(&machine, &store2);
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

void asks_answers(void)
{
	struct machine machine;
	struct speaker wallet, store, thief, reader;
	struct frame ask;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &thief, WALLET, 2);
	machine_person(&machine, &reader, READ_DOOR);
	uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", WAIT_MS);
	if (!hears(&wallet, ENVELOPE_ASK, &ask, "an ask"))
		return;
	struct frame forged = ask;
	forged.callee = wallet.birth;
	speaker_answer(&thief, &forged, ENVELOPE_REPLY, 0, "forged");
	speaker_answer(&thief, &forged, ENVELOPE_ERROR, ERR_GONE, "forged");
	speaker_answer(&reader, &forged, ENVELOPE_REPLY, 0, "forged");
	forged.caller = store.birth ^ 1;
	speaker_answer(&wallet, &forged, ENVELOPE_REPLY, 0, "to nobody");
	forged = ask;
	forged.type = ENVELOPE_REPLY;
	forged.broker ^= 1;
	speaker_send(&wallet, &forged);
	ok(machine_counts(&machine, dropped_more, 4), "five answers that are none are dropped");
	ok(machine.counts.open == 1, "and the ask is still open");
	speaker_answer(&wallet, &ask, ENVELOPE_REPLY, 0, "right");
	speaker_answer(&wallet, &ask, ENVELOPE_REPLY, 0, "again");
	struct frame end;
	if (hears(&store, ENVELOPE_REPLY, &end, "the right one arrives"))
		ok(end.serial == serial && end.length == 5 && memcmp(end.body, "right", 5) == 0,
		   "as the first and only one");
	ok(machine_counts(&machine, dropped_more, 5) && machine.counts.dropped == 6,
	   "its second answer is dropped");
	ok(!speaker_receive(&store, &end, 0), "nothing else came");
	speaker_close(&reader);
	machine_leave(&machine, &thief);
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}
