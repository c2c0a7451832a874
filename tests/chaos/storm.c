/* People (or, at the processes' door, strangers) who ask as fast as they can and never wait for an answer: many times what one may have
 * open. Bounded by SECONDS; touches that socket only.
 *
 *   storm SOCKET PEOPLE SECONDS KIND NODE
 *
 * Prints "begun", then "sent=… answered=… busy=… other=…". */
#include "actors/base/bus.h"
#include "actors/base/memory/memory.h"
#include "proto/actors.h"
#include "proto/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BURST = 64, HELLO_EVERY = 20 };

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct storm {
	uint8_t kind;
	uint16_t node;
	unsigned long sent, answered, busy, other;
};

static void hear(struct storm *storm, struct bus *bus)
{
	struct envelope e;
	zmq_msg_t body;
	while (bus_receive(bus, &e, &body)) {
		zmq_msg_close(&body);
		if (e.type == ENVELOPE_WELCOME)
			bus->broker_birth = e.broker_birth;
		else if (e.type == ENVELOPE_REPLY)
			storm->answered++;
		else
			++*(e.error == ERR_BUSY ? &storm->busy : &storm->other);
	}
	while (bus_changed(bus) != BUS_NOTHING)
		;
}

static void rain(struct storm *storm, struct bus *bus)
{
	for (unsigned i = 0; i < BURST; i++) {
		struct envelope e = {.type = ENVELOPE_ASK,
				     .number = i % 2 ? 0x0001 : 0x0002, /* actor_ping, actor_limits */
				     .serial = ++bus->serial,
				     .deadline = now_ns() + 1000000000,
				     .target_kind = storm->kind,
				     .target_node = storm->node};
		if (!bus_send(bus, &e, "\x90", 1))
			break;
		storm->sent++;
	}
}

int main(int argc, char **argv)
{
	struct storm storm = {0};
	if (argc != 6) {
		fprintf(stderr, "usage: storm SOCKET PEOPLE SECONDS KIND NODE\n");
		return 2;
	}
	unsigned people = (unsigned)strtoul(argv[2], NULL, 10);
	struct bus *all = x_new_array(people + 1, sizeof *all);
	storm.kind = (uint8_t)kind_by_name(argv[4], (unsigned)strlen(argv[4]));
	storm.node = (uint16_t)strtoul(argv[5], NULL, 10);
	for (unsigned i = 0; i < people; i++)
		if (!bus_open(&all[i], argv[1], NULL)) {
			perror(argv[1]);
			return 1;
		}
	puts("begun");
	fflush(stdout);
	uint64_t end = now_ns() + (uint64_t)(1e9 * strtod(argv[3], NULL));
	for (unsigned round = 0; now_ns() < end; round++)
		for (unsigned i = 0; i < people; i++) {
			if (!all[i].broker_birth && round % HELLO_EVERY == 0)
				bus_hello(&all[i]); /* strangers are not welcomed, and ask all the same */
			rain(&storm, &all[i]);
			hear(&storm, &all[i]);
		}
	printf("sent=%lu answered=%lu busy=%lu other=%lu\n", storm.sent, storm.answered, storm.busy,
	       storm.other);
	return 0;
}
