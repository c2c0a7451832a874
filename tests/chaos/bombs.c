/* Bodies that claim to be more than they are, sent by an operator to every call of a process, as many times over as asked for.
 *
 *   bombs SOCKET ROUNDS KIND NODE [KIND NODE]...
 *
 * Prints "sent=… malformed=… other=… silent=…": how they ended, and last what a million levels of depth (more than the bus takes) did:
 * "deep=cut" when the broker hung up. Touches that socket only. */
#include "actors/base/bus.h"
#include "actors/base/memory/memory.h"
#include "proto/actors.h"
#include "proto/call.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 10000, BOMBS = 12, DEEP = 1000000 };

struct bomb {
	uint8_t *bytes;
	size_t length;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* `head`, then `length` bytes of `fill` in all. */
static struct bomb bomb(const char *head, size_t head_length, uint8_t fill, size_t length)
{
	struct bomb bomb = {x_new(length), length};
	memset(bomb.bytes, fill, length);
	memcpy(bomb.bytes, head, head_length);
	return bomb;
}

static void arm(struct bomb bombs[BOMBS])
{
	bombs[0] = bomb("\xdd\xff\xff\xff\xff", 5, 0, 5);   /* array 32 of 2^32-1 */
	bombs[1] = bomb("\xdb\xff\xff\xff\xff", 5, 0, 5);   /* str 32 of 4 GiB */
	bombs[2] = bomb("\xc6\xff\xff\xff\xff", 5, 0, 5);   /* bin 32 of 4 GiB */
	bombs[3] = bomb("\xdf\xff\xff\xff\xff", 5, 0, 5);   /* map 32 of 2^32-1 */
	bombs[4] = bomb("\xc9\xff\xff\xff\xff", 5, 0, 6);   /* ext 32 of 4 GiB */
	bombs[5] = bomb("\x82\xa1k\x01\xa1k\x02", 7, 0, 7); /* a map with one key twice */
	bombs[6] = bomb("", 0, 0x91, BODY_MAX);             /* as deep as a body can be */
	bombs[7] = bomb("", 0, 0x81, BODY_MAX);             /* likewise of maps */
	bombs[8] = bomb("", 0, 0xdd, BODY_MAX);             /* headers without end */
	bombs[9] =
		bomb("\xdd\x00\x03\xff\xfb", 5, 0, BODY_MAX); /* a quarter of a million numbers, all there */
	bombs[10] =
		bomb("\x91\xdd\x00\x03\xff\xfa", 6, 0x90, BODY_MAX); /* and of empty arrays, one level down */
	bombs[11] = bomb("\xdd\xff\x00\x00\x00", 5, 0, 5);           /* what made msgpack-c ask for 128 GiB */
}

static bool enter(struct bus *bus, const char *path)
{
	if (!bus_open(bus, path, NULL))
		return false;
	for (uint64_t end = now_ns() + WAIT_MS * UINT64_C(1000000); !bus->broker_birth && now_ns() < end;) {
		struct envelope e;
		zmq_msg_t body;
		zmq_pollitem_t item = {.socket = bus->socket, .events = ZMQ_POLLIN};
		bus_hello(bus);
		zmq_poll(&item, 1, 50);
		while (bus_receive(bus, &e, &body)) {
			zmq_msg_close(&body);
			bus->broker_birth = e.type == ENVELOPE_WELCOME ? e.broker_birth : bus->broker_birth;
		}
	}
	return bus->broker_birth;
}

/* The error that it ended with; ERR_OK for a reply, -1 when nothing came. */
static int ask(struct bus *bus, unsigned number, unsigned kind, unsigned node, const struct bomb *bomb)
{
	uint64_t end = now_ns() + WAIT_MS * UINT64_C(1000000), serial = ++bus->serial;
	struct envelope e = {.type = ENVELOPE_ASK,
			     .number = (uint16_t)number,
			     .serial = serial,
			     .deadline = end,
			     .target_kind = (uint8_t)kind,
			     .target_node = (uint16_t)node};
	zmq_msg_t body;
	if (!bus_send(bus, &e, bomb->bytes, bomb->length))
		return -1;
	while (now_ns() < end) {
		zmq_pollitem_t item = {.socket = bus->socket, .events = ZMQ_POLLIN};
		zmq_poll(&item, 1, 50);
		while (bus_receive(bus, &e, &body)) {
			zmq_msg_close(&body);
			if (e.serial == serial && (e.type == ENVELOPE_ERROR || e.type == ENVELOPE_REPLY))
				return e.type == ENVELOPE_ERROR ? e.error : ERR_OK;
		}
	}
	return -1;
}

static bool hung_up(struct bus *bus)
{
	struct bomb deep = bomb("", 0, 0x91, DEEP);
	struct envelope e = {.type = ENVELOPE_ASK,
			     .number = 1,
			     .serial = ++bus->serial,
			     .deadline = now_ns() + 1000000000};
	bool sent = bus_send(bus, &e, deep.bytes, deep.length), lost = false;
	x_free(&deep.bytes);
	for (uint64_t end = now_ns() + WAIT_MS * UINT64_C(1000000); sent && !lost && now_ns() < end;
	     poll(NULL, 0, 5)) {
		lost = bus_changed(bus) == BUS_LOST;
	}
	return lost;
}

int main(int argc, char **argv)
{
	struct bus bus = {0};
	struct bomb bombs[BOMBS];
	unsigned sent = 0, malformed = 0, other = 0, silent = 0;
	const struct call_row *row;
	if (argc < 5 || argc % 2 == 0 || !enter(&bus, argv[1])) {
		fprintf(stderr, "usage: bombs SOCKET ROUNDS KIND NODE [KIND NODE]...\n");
		return 2;
	}
	arm(bombs);
	for (unsigned long round = strtoul(argv[2], NULL, 10); round > 0; round--)
		for (int i = 3; i < argc; i += 2)
			for (unsigned at = 0; (row = call_at(at)); at++) {
				unsigned kind = kind_by_name(argv[i], (unsigned)strlen(argv[i]));
				unsigned node = (unsigned)strtoul(argv[i + 1], NULL, 10);
				if ((row->number >> 8 && row->number >> 8 != kind) ||
				    !rights_allow(row->may, OPERATOR, 0, node))
					continue;
				for (unsigned b = 0; b < BOMBS; b++) {
					int end = ask(&bus, row->number, kind, node, &bombs[b]);
					sent++;
					malformed += end == ERR_MALFORMED;
					silent += end < 0;
					other += end >= 0 && end != ERR_MALFORMED;
				}
			}
	printf("sent=%u malformed=%u other=%u silent=%u deep=%s\n", sent, malformed, other, silent,
	       hung_up(&bus) ? "cut" : "taken");
	return 0;
}
