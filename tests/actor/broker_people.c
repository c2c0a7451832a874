/* People at their doors: their authority, what they hear, what they tap. */
#include "tests/actor/broker.h"

#include <string.h>
#include <unistd.h>

enum { TAPS = 400 };

static bool dropped_enough(const struct roster_counts *counts, uint64_t than)
{
	return counts->dropped >= than;
}

void people_authority(void)
{
	struct machine machine;
	struct speaker store, reader, operator;
	struct frame ask;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 3);
	machine_person(&machine, &reader, READ_DOOR);
	machine_person(&machine, &operator, OPERATE);
	uint64_t serial = speaker_ask(&operator, CALL_DELETE, STORE, 3, "", WAIT_MS);
	if (hears(&store, ENVELOPE_ASK, &ask, "who came by operate.sock may operate")) {
		ok(ask.source_kind == OPERATOR && ask.source_uid == getuid() && ask.caller == operator.birth,
		   "as an operator, with the uid that the kernel gave");
		speaker_answer(&store, &ask, ENVELOPE_REPLY, 0, "");
	}
	ok(speaker_ends(&operator, serial, 0), "and is answered");
	serial = speaker_ask(&reader, CALL_DELETE, STORE, 3, "", WAIT_MS);
	ok(speaker_ends(&reader, serial, ERR_DENIED), "who came by read.sock may not");
	struct frame lie = {
		.type = ENVELOPE_ASK, .number = CALL_DELETE, .broker = reader.broker, .serial = 99};
	lie.deadline = frames_now_ns() + UINT64_C(5000000000);
	lie.target_kind = STORE;
	lie.target_node = 3;
	lie.source_kind = OPERATOR;
	lie.caller = operator.birth;
	speaker_send(&reader, &lie);
	ok(speaker_ends(&reader, 99, ERR_DENIED), "not by saying so, either");
	serial = speaker_ask(&reader, CALL_PING, STORE, 3, "", WAIT_MS);
	if (hears(&store, ENVELOPE_ASK, &ask, "but may look"))
		ok(ask.source_kind == READER, "as a reader");
	ok(!speaker_receive(&store, &ask, 0), "the store heard nothing else");
	speaker_close(&reader);
	speaker_close(&operator);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* Sends SUBSCRIBE or UNSUBSCRIBE and returns the error it is answered with; 999 when it is not answered. */
static unsigned subscribe(struct speaker *speaker, unsigned type, unsigned number, unsigned kind,
			  unsigned node)
{
	struct frame answer, ask = {.type = type,
				    .number = number,
				    .broker = speaker->broker,
				    .serial = ++speaker->serial};
	ask.target_kind = kind;
	ask.target_node = node;
	speaker_send(speaker, &ask);
	if (!speaker_receive(speaker, &answer, WAIT_MS) || answer.serial != ask.serial)
		return 999;
	return answer.type == (answer.error ? ENVELOPE_ERROR : ENVELOPE_REPLY) ? answer.error : 999;
}

static void publish(struct speaker *speaker, unsigned number, const char *body)
{
	struct frame event = {.type = ENVELOPE_PUBLISH, .number = number, .broker = speaker->broker};
	event.source_kind = WALLET; /* the broker knows better */
	event.body = body;
	event.length = strlen(body);
	speaker_send(speaker, &event);
}

void people_events(void)
{
	struct machine machine;
	struct speaker store, store2, wallet, reader, operator;
	struct frame event;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &store2, STORE, 2);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &reader, READ_DOOR);
	machine_person(&machine, &operator, OPERATE);
	ok(subscribe(&reader, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, 0, 0) == 0,
	   "a reader subscribes to an event");
	ok(subscribe(&operator, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, STORE, 2) == 0,
	   "an operator to that of one store");
	ok(subscribe(&reader, ENVELOPE_SUBSCRIBE, 0x04ff, 0, 0) == ERR_DENIED, "nobody to one that is none");
	ok(subscribe(&wallet, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, 0, 0) == ERR_DENIED, "a wallet to none");
	publish(&store, EVENT_PUT_DONE, "first");
	if (hears(&reader, ENVELOPE_EVENT, &event, "the reader hears it"))
		ok(event.number == EVENT_PUT_DONE && event.source_kind == STORE && event.source_node == 1 &&
			   event.length == 5 && memcmp(event.body, "first", 5) == 0,
		   "from whom it came, and what it was");
	hears_nothing(&operator, & store, &wallet, "the operator does not");
	publish(&store2, EVENT_PUT_DONE, "second");
	hears(&reader, ENVELOPE_EVENT, &event, "the other store's are heard by the reader");
	hears(&operator, ENVELOPE_EVENT, &event, "and by the operator");

	publish(&store, EVENT_GET_DONE, "not subscribed to");
	publish(&wallet, EVENT_PUT_DONE, "a wallet is no store");
	publish(&operator, EVENT_PUT_DONE, "nor is a person");
	publish(&store, 0x04ff, "no event");
	ok(machine_counts(&machine, dropped_enough, 3),
	   "events of another's, of a person, and of none are dropped");
	ok(!speaker_receive(&reader, &event, 0), "and not heard");
	ok(subscribe(&reader, ENVELOPE_UNSUBSCRIBE, EVENT_PUT_DONE, 0, 0) == 0,
	   "the reader has heard enough");
	publish(&store, EVENT_PUT_DONE, "third");
	hears_nothing(&reader, &store, &wallet, "and hears no more");
	for (unsigned i = 0; i < 32; i++)
		subscribe(&reader, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, STORE, 1 + i);
	ok(subscribe(&reader, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, STORE, 40) == ERR_BUSY,
	   "one listens to 32 at most");
	speaker_close(&reader);
	speaker_close(&operator);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store2);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* Who publishes is told whether anybody hears: what nobody hears need not be sent. */
void people_heard(void)
{
	struct machine machine;
	struct speaker store, late, wallet, reader, operator;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &reader, READ_DOOR);
	machine_person(&machine, &operator, OPERATE);
	ok(!store.heard && !wallet.heard, "at first nobody hears anything");
	subscribe(&reader, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, 0, 0);
	ok(round_trip(&store, &wallet) && store.heard, "a store is told when somebody hears its events");
	ok(!wallet.heard, "a wallet is not: nobody hears its own");
	machine_join(&machine, &late, STORE, 2);
	ok(late.heard, "one that comes later is told with its WELCOME");
	subscribe(&operator, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, 0, 0);
	subscribe(&reader, ENVELOPE_UNSUBSCRIBE, EVENT_PUT_DONE, 0, 0);
	ok(round_trip(&store, &wallet) && store.heard, "one of two unsubscribes, and it is heard");
	subscribe(&operator, ENVELOPE_UNSUBSCRIBE, EVENT_PUT_DONE, 0, 0);
	ok(round_trip(&store, &wallet) && !store.heard, "the other too, and it is not");
	subscribe(&operator, ENVELOPE_SUBSCRIBE, 0, 0, 0);
	ok(round_trip(&store, &wallet) && store.heard && wallet.heard, "a tap of everybody hears everybody");
	speaker_close(&reader);
	speaker_close(&operator);
	machine_leave(&machine, &late);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* A console that was killed says no UNSUBSCRIBE; the first events that cannot reach it are the last that are sent. */
void people_gone(void)
{
	struct machine machine;
	struct speaker store, wallet, reader, operator;
	uint64_t until = frames_now_ns() + WAIT_MS * UINT64_C(1000000);
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &reader, READ_DOOR);
	machine_person(&machine, &operator, OPERATE);
	subscribe(&reader, ENVELOPE_SUBSCRIBE, EVENT_PUT_DONE, 0, 0);
	subscribe(&operator, ENVELOPE_SUBSCRIBE, 0, 0, 0);
	ok(round_trip(&store, &wallet) && store.heard && wallet.heard, "two people listen");
	speaker_close(&operator);
	while (wallet.heard && frames_now_ns() < until)
		round_trip(&store, &wallet);
	ok(!wallet.heard && store.heard, "a tap that was killed is forgotten, another's subscription is not");
	speaker_close(&reader);
	while (store.heard && frames_now_ns() < until) {
		publish(&store, EVENT_PUT_DONE, "to whom?");
		round_trip(&store, &wallet);
	}
	ok(!store.heard, "then that one, too");
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* A copy: a header as it passed, then the body. */
static bool copy_of(struct speaker *speaker, unsigned type, struct frame *passed, const char *what)
{
	struct frame tapped;
	if (!hears(speaker, ENVELOPE_TAPPED, &tapped, what) || tapped.length < ENVELOPE_BYTES)
		return false;
	bool read = frame_read(tapped.body, ENVELOPE_BYTES, passed) && passed->type == type;
	passed->body = (const uint8_t *)tapped.body + ENVELOPE_BYTES;
	passed->length = tapped.length - ENVELOPE_BYTES;
	ok(read, "as a copy of the right type");
	return read;
}

void people_taps(void)
{
	struct machine machine;
	struct speaker store, wallet, store2, wallet2, reader, operator;
	struct frame passed;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store2, STORE, 2);
	machine_join(&machine, &wallet2, WALLET, 2);
	machine_person(&machine, &reader, READ_DOOR);
	machine_person(&machine, &operator, OPERATE);
	ok(subscribe(&reader, ENVELOPE_SUBSCRIBE, 0, 0, 0) == ERR_DENIED, "a reader may not tap everybody");
	ok(subscribe(&reader, ENVELOPE_SUBSCRIBE, 0, WALLET, 1) == ERR_DENIED, "nor one");
	ok(subscribe(&store, ENVELOPE_SUBSCRIBE, 0, WALLET, 1) == ERR_DENIED, "nor may a process");
	ok(child_says(&machine.broker, "call=tap"), "which is logged");
	ok(subscribe(&operator, ENVELOPE_SUBSCRIBE, 0, WALLET, 1) == 0, "an operator may");
	ok(round_trip(&store2, &wallet2) && round_trip(&store, &wallet), "both nodes' wallets are asked");
	if (copy_of(&operator, ENVELOPE_ASK, &passed, "the tap shows the ask"))
		ok(passed.source_kind == STORE && passed.source_node == 1 && passed.target_node == 1 &&
			   passed.length == 8 && memcmp(passed.body, "question", 8) == 0,
		   "whose, to whom, and what");
	if (copy_of(&operator, ENVELOPE_REPLY, &passed, "then the reply"))
		ok(passed.source_kind == STORE && passed.target_kind == WALLET && passed.length == 6 &&
			   memcmp(passed.body, "answer", 6) == 0,
		   "and what it was");
	machine_leave(&machine, &wallet);
	speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "", WAIT_MS);
	if (copy_of(&operator, ENVELOPE_ERROR, &passed, "an ask that the broker itself ends"))
		ok(passed.error == ERR_GONE, "is seen to end gone");
	hears_nothing(&reader, &store2, &wallet2, "the reader heard nothing of all this");
	ok(!speaker_receive(&operator, & passed, 0), "nor the operator of the other node");
	ok(subscribe(&operator, ENVELOPE_UNSUBSCRIBE, 0, WALLET, 1) == 0, "the tap is shut");
	ok(subscribe(&operator, ENVELOPE_SUBSCRIBE, 0, 0, 0) == 0, "and one opened to everybody");
	round_trip(&store2, &wallet2);
	copy_of(&operator, ENVELOPE_ASK, &passed, "which shows the other node's ask");
	copy_of(&operator, ENVELOPE_REPLY, &passed, "and its answer");
	ok(subscribe(&reader, ENVELOPE_SUBSCRIBE, 0, 0, 0) == ERR_DENIED,
	   "the reader tries once more to tap");
	if (copy_of(&operator, ENVELOPE_ERROR, &passed, "which the operator sees"))
		ok(passed.error == ERR_DENIED && passed.source_kind == READER &&
			   passed.source_uid == getuid() && passed.number == 0,
		   "who it was, and what was refused");
	speaker_close(&reader);
	speaker_close(&operator);
	machine_leave(&machine, &wallet2);
	machine_leave(&machine, &store2);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* A tap that is not read misses what does not fit, and holds up nobody. */
void people_full_tap(void)
{
	struct machine machine;
	struct speaker store, wallet, operator;
	struct frame copy;
	unsigned answered = 0, copies = 0;
	static char body[8192];
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &operator, OPERATE);
	subscribe(&operator, ENVELOPE_SUBSCRIBE, 0, 0, 0);
	memset(body, 'x', sizeof body - 1);
	for (unsigned i = 0; i < TAPS; i++) {
		struct frame ask;
		uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, body, WAIT_MS);
		answered += speaker_receive(&wallet, &ask, WAIT_MS) &&
			    speaker_answer(&wallet, &ask, ENVELOPE_REPLY, 0, body) &&
			    speaker_ends(&store, serial, 0);
	}
	ok(answered == TAPS, "all %u are answered while nobody reads the tap", answered);
	while (speaker_receive(&operator, & copy, 100))
		copies += copy.type == ENVELOPE_TAPPED;
	ok(copies > 64 && copies < 2 * TAPS, "the tap shows what fitted: %u of %u", copies, 2 * TAPS);
	ok(round_trip(&store, &wallet) && speaker_receive(&operator, & copy, WAIT_MS), "and goes on");
	speaker_close(&operator);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}
