/* Somebody at the operators' door who keeps four asks open at one process, three calls in turn whose replies cannot be mistaken for
 * each other, each with half a second's time, whatever becomes of that process; and who counts what comes back to which ask.
 * Touches that socket only; ends when its standard input does.
 *
 *   patient SOCKET KIND NODE
 *
 * Prints "begun", then one line of counts: right, and wrong, the reply of another call; twice, an end of an ask that had ended; long, one
 * that came more than 0.9 s after its time; unanswered, no end in time; errors by name. Exits 0 whatever they are. */
#include "actors/base/bus.h"
#include "proto/actors.h"
#include "proto/call.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPEN = 4, DEADLINE_MS = 500, LONG_MS = 900, REMEMBERED = 1 << 16, CALLS = 3 };

static const struct {
	uint16_t number;
	uint8_t first; /* byte of its reply: an array of so many */
} calls[CALLS] = {{0x0001, 0x92}, {0x0002, 0x91}, {0x0005, 0x94}};

struct patient {
	struct bus bus;
	uint8_t kind;
	uint16_t node;
	uint64_t deadlines[REMEMBERED]; /* by serial; 0: it has ended */
	uint64_t open[OPEN];            /* serials; 0: free */
	unsigned asked, right, wrong, twice, late, longest, lost;
	unsigned errors[256];
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void ask(struct patient *self, uint64_t *open)
{
	uint64_t serial = self->bus.serial + 1;
	struct envelope e = {.type = ENVELOPE_ASK,
			     .number = calls[serial % CALLS].number,
			     .serial = serial,
			     .deadline = now_ns() + DEADLINE_MS * UINT64_C(1000000),
			     .target_kind = self->kind,
			     .target_node = self->node};
	if (!self->bus.broker_birth || !bus_send(&self->bus, &e, "\x90", 1))
		return;
	self->bus.serial = *open = serial;
	self->deadlines[serial % REMEMBERED] = e.deadline;
	self->asked++;
}

static void ended(struct patient *self, const struct envelope *e, const uint8_t *body, size_t length)
{
	uint64_t *deadline = &self->deadlines[e->serial % REMEMBERED];
	bool known = false;
	for (unsigned i = 0; i < OPEN; i++) {
		known |= self->open[i] == e->serial;
		self->open[i] = self->open[i] == e->serial ? 0 : self->open[i];
	}
	self->twice += !*deadline;
	self->longest += *deadline && now_ns() > *deadline + LONG_MS * UINT64_C(1000000);
	*deadline = 0;
	if (e->type == ENVELOPE_ERROR)
		self->errors[e->error & 255]++;
	else if (length && body[0] == calls[e->serial % CALLS].first &&
		 e->number == calls[e->serial % CALLS].number)
		self->right += known; /* else our own clock had given it up a moment before */
	else
		self->wrong++;
}

static void turn(struct patient *self, bool more)
{
	struct envelope e;
	zmq_msg_t body;
	zmq_pollitem_t item = {.socket = self->bus.socket, .events = ZMQ_POLLIN};
	for (unsigned i = 0; i < OPEN; i++) {
		uint64_t serial = self->open[i];
		if (serial && self->deadlines[serial % REMEMBERED] + LONG_MS * UINT64_C(1000000) < now_ns()) {
			self->late++; /* a reply that comes all the same is `long` if it is, and `wrong` if it is not its own */
			self->open[i] = 0;
		}
		if (!self->open[i] && more)
			ask(self, &self->open[i]);
	}
	zmq_poll(&item, 1, 5);
	while (bus_receive(&self->bus, &e, &body)) {
		if (e.type == ENVELOPE_WELCOME)
			self->bus.broker_birth = e.broker_birth;
		else if (e.type == ENVELOPE_REPLY || e.type == ENVELOPE_ERROR)
			ended(self, &e, zmq_msg_data(&body), zmq_msg_size(&body));
		zmq_msg_close(&body);
	}
	enum bus_change change = bus_changed(&self->bus);
	self->lost += change == BUS_LOST;
	if (!self->bus.broker_birth)
		bus_hello(&self->bus);
}

int main(int argc, char **argv)
{
	static struct patient self;
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	if (argc != 4 || !bus_open(&self.bus, argv[1], NULL)) {
		fprintf(stderr, "usage: patient SOCKET KIND NODE\n");
		return 2;
	}
	self.kind = (uint8_t)kind_by_name(argv[2], (unsigned)strlen(argv[2]));
	self.node = (uint16_t)strtoul(argv[3], NULL, 10);
	while (!self.right && poll(&input, 1, 0) == 0)
		turn(&self, true);
	puts("begun");
	fflush(stdout);
	while (poll(&input, 1, 0) == 0)
		turn(&self, true);
	for (uint64_t end = now_ns() + 1000000000; now_ns() < end;)
		turn(&self, false);
	printf("asked=%u right=%u wrong=%u twice=%u long=%u unanswered=%u lost=%u", self.asked, self.right,
	       self.wrong, self.twice, self.longest, self.late, self.lost);
	for (unsigned i = 0; i < 256; i++)
		if (self.errors[i])
			printf(" %s=%u", err_name(i), self.errors[i]);
	puts("");
	return 0;
}
