/* Fills the bounded tables of a machine from a person's side, for tests/system/limits.test.js.
 *
 *   tool-flood SOCKET asks PEOPLE EACH KIND NODE CALL   PEOPLE connections ask EACH times, and wait for no answer
 *   tool-flood SOCKET taps PEOPLE EACH                  PEOPLE connections subscribe to EACH different taps
 *   tool-flood SOCKET knocks COUNT                      COUNT bare connections
 *
 * Prints "sent", holds everything open until its standard input ends. KIND and CALL are names. */
#include "actors/base/bus.h"
#include "actors/base/memory/memory.h"
#include "proto/actors.h"
#include "proto/call.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int knock(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : -1;
}

/* Says hello until the broker answers. */
static bool enter(struct bus *bus, const char *path)
{
	if (!bus_open(bus, path, NULL))
		return false;
	for (int i = 0; i < 300; i++) {
		struct envelope envelope;
		zmq_msg_t body;
		zmq_pollitem_t item = {.socket = bus->socket, .events = ZMQ_POLLIN};
		bus_hello(bus);
		zmq_poll(&item, 1, 100);
		while (bus_receive(bus, &envelope, &body)) {
			zmq_msg_close(&body);
			bus->broker_birth =
				envelope.type == ENVELOPE_WELCOME ? envelope.broker_birth : bus->broker_birth;
		}
		if (bus->broker_birth)
			return true;
	}
	return false;
}

static bool ask(struct bus *bus, char **words)
{
	const struct call_row *row = call_by_name(words[2]);
	static const uint8_t nothing[1024];
	uint8_t body[1024];
	if (!row)
		return false;
	size_t length = message_pack(row->request, nothing, body, sizeof body);
	struct envelope envelope = {.type = ENVELOPE_ASK,
				    .number = row->number,
				    .serial = ++bus->serial,
				    .deadline = now() + UINT64_C(20000000000),
				    .target_kind =
					    (uint8_t)kind_by_name(words[0], (unsigned)strlen(words[0])),
				    .target_node = (uint16_t)strtoul(words[1], NULL, 10)};
	return length && bus_send(bus, &envelope, body, length);
}

static bool tap(struct bus *bus, unsigned number)
{
	struct envelope envelope = {.type = ENVELOPE_SUBSCRIBE,
				    .serial = ++bus->serial,
				    .target_kind = STORE,
				    .target_node = (uint16_t)(number + 1)};
	return bus_send(bus, &envelope, "", 0);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	bool asks = strcmp(argv[2], "asks") == 0, taps = strcmp(argv[2], "taps") == 0;
	unsigned count = (unsigned)strtoul(argv[3], NULL, 10);
	unsigned each = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (asks && argc != 8)
		return 2;
	for (unsigned i = 0; !asks && !taps && i < count; i++)
		if (knock(argv[1]) != 0)
			break; /* the door is shut: that is what is looked for */
	struct bus *people = x_new_array(count + 1, sizeof *people);
	for (unsigned i = 0; (asks || taps) && i < count; i++) {
		if (!enter(&people[i], argv[1]))
			return 1;
		for (unsigned j = 0; j < each; j++)
			if (!(asks ? ask(&people[i], argv + 5) : tap(&people[i], j)))
				return 1;
	}
	puts("sent");
	fflush(stdout);
	char byte;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	_exit(0); /* the sockets go with us */
}
