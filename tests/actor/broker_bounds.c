/* Full: a caller's asks, a callee's queue, the table of people. What is full is busy; others do not notice. */
#include "tests/actor/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OF_PROCESS = 256,
	OF_PERSON = 32,
	PEOPLE = 256,
	LARGE = BODY_MAX - 1,
	MIDDLING = 50000,
	BROKER_QUEUE = 128,
	SLOW = 24,
	EVENTS = 300,
};

static void listen_to(struct speaker *speaker, unsigned event)
{
	struct frame frame = {.type = ENVELOPE_SUBSCRIBE,
			      .number = event,
			      .serial = ++speaker->serial,
			      .broker = speaker->broker};
	speaker_send(speaker, &frame);
	speaker_ends(speaker, frame.serial, 0);
}

static bool open_is(const struct roster_counts *counts, uint64_t than)
{
	return counts->open == than;
}

static bool people_are(const struct roster_counts *counts, uint64_t than)
{
	return counts->people == than;
}

/* Asks until `bound` are open, then once more, then again after one answer. */
static void fill(struct speaker *asker, struct speaker *asked, unsigned bound)
{
	struct frame ask, first = {0};
	unsigned arrived = 0;
	for (unsigned i = 0; i < bound; i++) {
		speaker_ask(asker, CALL_ADDRESS, WALLET, 1, "", 60000);
		if (!speaker_receive(asked, &ask, WAIT_MS) || ask.type != ENVELOPE_ASK)
			break;
		first = i ? first : ask;
		arrived++;
	}
	ok(arrived == bound, "%u of %u asks are passed on", arrived, bound);
	uint64_t serial = speaker_ask(asker, CALL_ADDRESS, WALLET, 1, "", 60000);
	ok(speaker_ends(asker, serial, ERR_BUSY), "one more is busy");
	speaker_answer(asked, &first, ENVELOPE_REPLY, 0, "");
	ok(speaker_ends(asker, first.serial, 0), "one is answered");
	serial = speaker_ask(asker, CALL_ADDRESS, WALLET, 1, "", 60000);
	ok(speaker_receive(asked, &ask, WAIT_MS) && ask.serial == serial, "and there is room for one again");
}

void bounds_per_caller(void)
{
	struct machine machine;
	struct speaker wallet, wallet2, store, store2;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet2, WALLET, 2);
	machine_join(&machine, &store2, STORE, 2);
	fill(&store, &wallet, OF_PROCESS);
	ok(round_trip(&store2, &wallet2), "another process has its own share");
	ok(machine_counts(&machine, open_is, OF_PROCESS) && machine.counts.busy == 1, "as the counts say");
	machine_leave(&machine, &store);
	ok(machine_counts(&machine, open_is, 0), "it dies, and its share is free");
	machine_join(&machine, &store, STORE, 1);
	struct frame left;
	while (speaker_receive(&wallet, &left, 0))
		;
	ok(round_trip(&store, &wallet), "for the next");
	machine_leave(&machine, &store2);
	machine_leave(&machine, &wallet2);
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

void bounds_per_person(void)
{
	struct machine machine;
	struct speaker wallet, reader, other;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &reader, READ_DOOR);
	machine_person(&machine, &other, READ_DOOR);
	fill(&reader, &wallet, OF_PERSON);
	ok(round_trip(&other, &wallet), "another person has their own share");
	speaker_close(&other);
	speaker_close(&reader);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

/* MiB that a process holds. */
static double resident_mib(pid_t pid)
{
	char path[64];
	unsigned long pages = 0;
	snprintf(path, sizeof path, "/proc/%d/statm", pid);
	FILE *file = fopen(path, "r");
	if (file && fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

/* RELIABILITY C1 row 10: one stops reading. */
void bounds_full_queue(void)
{
	struct machine machine;
	struct speaker wallet, wallet2, store, store2;
	struct frame frame;
	unsigned sent = 0, busy = 0, arrived = 0, others = 0;
	char *body = malloc(LARGE + 1);
	memset(body, 'x', LARGE);
	body[LARGE] = '\0';
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet2, WALLET, 2);
	machine_join(&machine, &store2, STORE, 2);
	round_trip(&store, &wallet);
	double before = resident_mib(machine.broker.pid);
	while (sent < OF_PROCESS && busy == 0) {
		uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, body, 60000);
		sent += serial != 0;
		others += round_trip(&store2, &wallet2); /* the other node's, meanwhile */
		if (speaker_receive(&store, &frame, 0))
			busy += frame.type == ENVELOPE_ERROR && frame.error == ERR_BUSY;
	}
	double grown = resident_mib(machine.broker.pid) - before;
	ok(busy == 1 && sent < OF_PROCESS, "after %u large asks to one who does not read, the next is busy",
	   sent);
	ok(others >= sent, "meanwhile another node's %u are all answered", others);
	note("the broker grew by %.1f MiB", grown);
#if !defined(__SANITIZE_ADDRESS__)
	ok(grown <= 1.1 * BROKER_QUEUE * ((double)BODY_MAX + ENVELOPE_BYTES) / 1048576,
	   "and the broker has grown by one queue, not more");
#endif
	while (arrived < sent - 1 && speaker_receive(&wallet, &frame, WAIT_MS))
		arrived += frame.type == ENVELOPE_ASK && frame.length == LARGE;
	ok(arrived == sent - 1, "it reads again, and all %u are there", arrived);
	ok(round_trip(&store, &wallet), "then it is asked and answers as before");
	machine_leave(&machine, &store2);
	machine_leave(&machine, &wallet2);
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
	free(body);
}

/* One console more than there is room for: the one that was silent longest is forgotten, and may come back. */
void bounds_people(void)
{
	static struct speaker people[PEOPLE + 1];
	struct machine machine;
	struct speaker wallet;
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	for (unsigned i = 0; i < PEOPLE; i++)
		machine_person(&machine, &people[i], READ_DOOR);
	ok(machine_counts(&machine, people_are, PEOPLE), "%d consoles are there", PEOPLE);
	ok(round_trip(&people[0], &wallet), "the first speaks");
	machine_person(&machine, &people[PEOPLE], OPERATE);
	ok(round_trip(&people[PEOPLE], &wallet), "one more is welcome");
	ok(machine_counts(&machine, people_are, PEOPLE), "in the place of another");
	ok(round_trip(&people[0], &wallet), "which was not the first");
	uint64_t serial = speaker_ask(&people[1], CALL_ADDRESS, WALLET, 1, "", WAIT_MS);
	ok(speaker_ends(&people[1], serial, ERR_GONE), "but the second, whose ask ends gone");
	people[1].birth = 0;
	ok(speaker_hello(&people[1], calls_fingerprint()) && round_trip(&people[1], &wallet),
	   "until it says hello again");
	for (unsigned i = 0; i <= PEOPLE; i++)
		speaker_close(&people[i]);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
}

/* RELIABILITY C1 row 10, of people: consoles that subscribed and stopped reading. However many they are, what waits for them all has
 * one bound, and who reads gets what there is. */
void bounds_slow_people(void)
{
	static struct speaker slow[SLOW];
	struct machine machine;
	struct speaker wallet, store, reader;
	struct frame frame;
	unsigned answered = 0, heard = 0;
	char *body = malloc(LARGE + 1);
	memset(body, 'x', LARGE);
	body[LARGE] = '\0';
	machine_begin(&machine);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &store, STORE, 1);
	machine_person(&machine, &reader, READ_DOOR);
	for (unsigned i = 0; i < SLOW; i++) {
		machine_person(&machine, &slow[i], i % 2 ? READ_DOOR : OPERATE);
		listen_to(&slow[i], EVENT_PUT_DONE);
	}
	listen_to(&reader, EVENT_PUT_DONE);
	round_trip(&store, &wallet);
	double before = resident_mib(machine.broker.pid);
	for (unsigned i = 0; i < EVENTS; i++) {
		struct frame event = {.type = ENVELOPE_PUBLISH,
				      .number = EVENT_PUT_DONE,
				      .broker = store.broker,
				      .body = body,
				      .length = i % 2 ? LARGE : MIDDLING};
		speaker_send(&store, &event);
		answered += round_trip(&store, &wallet);
		while (speaker_receive(&reader, &frame, i + 1 < EVENTS ? 0 : 200))
			heard += frame.type == ENVELOPE_EVENT && frame.length >= MIDDLING;
	}
	double grown = resident_mib(machine.broker.pid) - before;
	ok(answered == EVENTS, "%u of %d asks are answered while %d consoles do not read", answered, EVENTS,
	   SLOW);
	ok(heard >= EVENTS / 2, "one that reads hears %u of %d events of up to %d bytes", heard, EVENTS,
	   LARGE);
	note("the broker grew by %.1f MiB", grown);
#if !defined(__SANITIZE_ADDRESS__)
	ok(grown <= 2 * 1.1 * BROKER_QUEUE * ((double)BODY_MAX + ENVELOPE_BYTES) / 1048576,
	   "and the broker has grown by one queue for each of the two doors, not by one for each of them");
#endif
	ok(child_beats(&machine.broker), "its heart beats");
	for (unsigned i = 0; i < SLOW; i++)
		speaker_close(&slow[i]);
	speaker_close(&reader);
	machine_leave(&machine, &store);
	machine_leave(&machine, &wallet);
	machine_end(&machine);
	free(body);
}
