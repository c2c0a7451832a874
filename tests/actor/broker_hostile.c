/* Noise of every kind, and floods: the broker lives, and whoever is honest does not notice. */
#include "tests/actor/broker.h"
#include "tests/actor/raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FRAMES = 50000,
	FRAMES_LONG = 1000000,
	BATCH = 500,
	PARTS = 6,
	PART = 200,
	NOISES = 400,
	FLOOD = 2300
};

static uint64_t dice_state = 20;

static uint64_t dice(void) /* the same throws in each run: splitmix64 */
{
	uint64_t z = dice_state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void dice_fill(uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		at[i] = (uint8_t)dice();
}

/* A header that is right in all but some fields: it gets further than noise. `whole`: it is a header, whatever it says. */
static void almost_right(const struct speaker *speaker, uint8_t header[ENVELOPE_BYTES], bool whole)
{
	static const unsigned kinds[] = {WALLET, STORE, GATEWAY, BROKER, 0, 255};
	struct frame frame = {
		.type = whole ? 1 + (unsigned)(dice() % (ENVELOPE_TYPES - 1))
			      : (unsigned)(dice() % (ENVELOPE_TYPES + 1)),
		.number = call_at((unsigned)(dice() % 20))->number,
		.broker = dice() % 8 ? speaker->broker : dice(),
		.caller = dice() % 2 ? speaker->birth : dice(),
		.serial = dice() % 50,
		.deadline = dice() % 4 ? frames_now_ns() + dice() % 2000000000 : dice(),
		.callee = dice() % 2 ? 0 : dice(),
		.target_kind = kinds[dice() % 6],
		.target_node = (unsigned)(dice() % 3),
		.source_kind = (unsigned)dice() & 0xff,
		.source_node = (unsigned)dice() & 0xffff,
		.error = (unsigned)dice() & 0xff,
	};
	if (frame.type == ENVELOPE_SUBSCRIBE && dice() % 2)
		frame.number = 0;
	frame_write(&frame, header);
	if (!whole && dice() % 8 == 0)
		header[dice() % ENVELOPE_BYTES] ^= (uint8_t)(1U << dice() % 8);
}

/* One multipart: none to six parts, headers right, almost right, cut, or noise. `whole`: a header and a body, which may be any. */
static void send_noise(const struct speaker *speaker, bool whole)
{
	uint8_t part[PART], header[ENVELOPE_BYTES];
	unsigned parts = whole || dice() % 4 ? 2 : 1 + (unsigned)(dice() % PARTS);
	void *socket = zsock_resolve(speaker->socket);
	for (unsigned i = 0; i < parts; i++) {
		size_t length = dice() % PART;
		dice_fill(part, length);
		almost_right(speaker, header, whole);
		bool good = i == 0 && (whole || dice() % 4);
		if (zmq_send(socket, good ? header : part, good ? sizeof header : length,
			     ZMQ_DONTWAIT | (i + 1 < parts ? ZMQ_SNDMORE : 0)) < 0)
			return; /* the queue is full: the broker's turn */
	}
}

static void throw_away(struct speaker *speaker)
{
	zmq_msg_t part;
	zmq_msg_init(&part);
	while (zmq_msg_recv(&part, zsock_resolve(speaker->socket), ZMQ_DONTWAIT) >= 0)
		;
	zmq_msg_close(&part);
}

/* RELIABILITY C1 row 12, live. The taken process says nothing that is no message, or it would be cut off at once: hostile_cut(). */
void hostile_frames(void)
{
	struct machine machine;
	struct speaker store, wallet, taken, reader, operator;
	unsigned answered = 0, frames = getenv("WARREN_LONG") ? FRAMES_LONG : FRAMES;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_join(&machine, &taken, GATEWAY, 2); /* another node's, so that no honest one is asked by it */
	machine_person(&machine, &reader, READ_DOOR);
	machine_person(&machine, &operator, OPERATE);
	struct speaker *hostile[] = {&taken, &reader, &operator};
	for (unsigned i = 0; i < frames; i++) {
		unsigned who = dice() % 3;
		send_noise(hostile[who], who == 0);
		if (i % BATCH)
			continue;
		for (unsigned other = 0; other < 3; other++)
			throw_away(hostile[other]);
		struct frame other; /* people may ask a wallet, and these do */
		uint64_t serial = speaker_ask(&store, CALL_ADDRESS, WALLET, 1, "honest", WAIT_MS);
		while (speaker_receive(&wallet, &other, WAIT_MS) && other.source_kind != STORE)
			;
		answered += speaker_answer(&wallet, &other, ENVELOPE_REPLY, 0, "") &&
			    speaker_ends(&store, serial, 0);
	}
	ok(answered == frames / BATCH, "%u of %u honest asks are answered amid %u hostile messages", answered,
	   frames / BATCH, frames);
	ok(child_beats(&machine.broker), "the broker's heart beats");
	struct frame left;
	while (speaker_receive(&wallet, &left, 200))
		;
	ok(round_trip(&store, &wallet), "and when it is over, all is as before");
	speaker_close(&operator);
	speaker_close(&reader);
	machine_leave(&machine, &taken);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* What no program of ours sends, in four ways. */
static void send_broken(const struct speaker *speaker, unsigned way)
{
	uint8_t header[ENVELOPE_BYTES];
	void *socket = zsock_resolve(speaker->socket);
	almost_right(speaker, header, true);
	header[0] ^= way == 0;
	if (way == 1) { /* one part alone */
		zmq_send(socket, header, sizeof header, 0);
		return;
	}
	zmq_send(socket, header, sizeof header - (way == 2), ZMQ_SNDMORE);
	if (way == 3) /* one too many */
		zmq_send(socket, "", 0, ZMQ_SNDMORE);
	zmq_send(socket, "", 0, 0);
}

static bool accused_of(const struct roster_counts *counts, uint64_t times)
{
	return counts->accused.count == times && counts->accused.kind == GATEWAY && counts->accused.node == 2;
}

void hostile_cut(void)
{
	struct machine machine;
	struct speaker store, wallet, taken, reader;
	struct frame left;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &reader, READ_DOOR);
	for (unsigned way = 0; way < 4; way++) {
		machine_join(&machine, &taken, GATEWAY, 2);
		uint64_t open = speaker_ask(&reader, CALL_PING, GATEWAY, 2, "", WAIT_MS);
		ok(speaker_receive(&taken, &left, WAIT_MS), "a process of ours is asked");
		send_broken(&taken, way);
		ok(speaker_ends(&reader, open, ERR_GONE),
		   "it sends what is no message (%u): the ask ends gone", way);
		ok(machine_counts(&machine, accused_of, way + 1), "who it was is told");
		uint64_t again = speaker_ask(&reader, CALL_PING, GATEWAY, 2, "", WAIT_MS);
		ok(speaker_ends(&reader, again, ERR_GONE), "nobody can ask it");
		struct frame hello = {.type = ENVELOPE_HELLO, .serial = calls_fingerprint()};
		speaker_send(&taken, &hello);
		hears_nothing(&taken, &store, &wallet, "nor is it welcomed in this life");
		machine_leave(&machine, &taken);
	}
	machine_join(&machine, &taken, GATEWAY, 2);
	ok(machine_counts(&machine, accused_of, 4), "the next birth is welcome");
	for (unsigned way = 0; way < 4; way++)
		send_broken(&reader, way);
	ok(round_trip(&reader, &wallet), "a person who does so is not heard, and answered when they speak");
	speaker_close(&reader);
	machine_leave(&machine, &taken);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* One connection's worth of bytes that are not ZMTP, or no longer. */
static void send_bytes(const char *door, unsigned kind)
{
	static const uint8_t too_long[] = {0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t larger[] = {0x02, 0,    0, 0, 0,
					 0x00, 0x20, 0, 0}; /* 2 MiB: more than a body may have */
	uint8_t noise[512];
	int fd = raw_connect(door);
	if (fd < 0)
		return;
	dice_fill(noise, sizeof noise);
	if (kind % 4 != 0 && !raw_greet(fd, noise, dice() % 40, NULL, NULL)) {
		close(fd);
		return;
	}
	if (kind % 4 < 2)
		raw_write(fd, noise, dice() % sizeof noise);
	else if (kind % 4 == 2)
		raw_write(fd, kind % 8 == 2 ? too_long : larger, sizeof too_long);
	else
		for (unsigned i = 0; i < 20; i++)
			raw_frame(fd, noise, dice() % sizeof noise, dice() % 2);
	close(fd);
}

void hostile_bytes(void)
{
	struct machine machine;
	struct speaker store, wallet, reader;
	unsigned answered = 0;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &reader, READ_DOOR);
	for (unsigned i = 0; i < NOISES; i++) {
		for (unsigned door = 0; door < OUR_DOORS; door++)
			send_bytes(machine.doors[door], i);
		answered += round_trip(i % 2 ? &store : &reader, &wallet);
	}
	ok(answered == NOISES, "%u of %d asks are answered while every door is sent noise", answered, NOISES);
	ok(child_beats(&machine.broker), "the broker's heart beats");
	speaker_close(&reader);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}

/* Connections that say nothing: as many as `most`, waiting for room in the listener's queue. */
static unsigned flood(struct machine *machine, unsigned door, int *fds, unsigned most, struct speaker *asker,
		      struct speaker *asked, unsigned *answered)
{
	unsigned open = 0;
	uint64_t until = frames_now_ns() + WAIT_MS * UINT64_C(1000000);
	while (open < most && frames_now_ns() < until) {
		fds[open] = raw_connect(machine->doors[door]);
		open += fds[open] >= 0;
		if (open % 100 == 0)
			*answered += round_trip(asker, asked) ? 0 : 1;
	}
	return open;
}

static unsigned shut_by_other_end(int *fds, unsigned count)
{
	unsigned shut = 0;
	for (unsigned i = 0; i < count; i++) {
		shut += raw_drain(fds[i], 0) < 0;
		close(fds[i]);
	}
	return shut;
}

void hostile_flood(void)
{
	static int fds[FLOOD];
	struct machine machine;
	struct speaker store, wallet, operator, late;
	unsigned unanswered = 0;
	machine_begin(&machine);
	machine_join(&machine, &store, STORE, 1);
	machine_join(&machine, &wallet, WALLET, 1);
	machine_person(&machine, &operator, OPERATE);
	for (unsigned round = 0; round < 3; round++) {
		unsigned open = flood(&machine, READ_DOOR, fds, FLOOD, &store, &wallet, &unanswered);
		ok(child_says(&machine.broker, "door.flooded socket=read.sock"),
		   "%u connections, and the door is shut", open);
		machine_person(&machine, &late, READ_DOOR);
		ok(round_trip(&late, &wallet), "and open again: a reader comes in and is answered");
		ok(round_trip(&operator, & wallet), "the operator at the other door has not noticed");
		unsigned shut = shut_by_other_end(fds, open);
		ok(shut > 2000, "%u of the flood were put out", shut);
		speaker_close(&late);
		machine.broker.logged_length = 0; /* what the next round says */
		if (!machine.broker.pid)
			break;
	}
	unsigned open = flood(&machine, OPERATE, fds, FLOOD, &store, &wallet, &unanswered);
	ok(child_says(&machine.broker, "door.flooded socket=operate.sock"), "the operators' door likewise");
	operator.birth = 0;
	ok(speaker_hello(&operator, calls_fingerprint()) && round_trip(&operator, & wallet),
	   "whose operator comes back in by itself");
	shut_by_other_end(fds, open);
	ok(unanswered == 0, "processes were answered all the time (%u were not)", unanswered);
	ok(child_beats(&machine.broker), "the broker's heart beats");
	speaker_close(&operator);
	machine_leave(&machine, &wallet);
	machine_leave(&machine, &store);
	machine_end(&machine);
}
