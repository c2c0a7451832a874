/* The connection to the broker. Runs inside every actor and the console; when the broker dies libzmq connects again by
 * itself, to the same listener, which the supervisor keeps open meanwhile. */
#include "actors/base/bus.h"

#include "actors/base/log/log.h"
#include "proto/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	QUEUE = 256,       /* messages waiting to go out, and to be read */
	RECONNECT_MS = 20, /* after the broker died */
	RECONNECT_MAX_MS = 500,
};

static void set(void *socket, int option, int value)
{
	bug_if(zmq_setsockopt(socket, option, &value, sizeof value) != 0);
}

static int descriptor_of(void *socket)
{
	int fd;
	size_t size = sizeof fd;
	bug_if(zmq_getsockopt(socket, ZMQ_FD, &fd, &size) != 0);
	return fd;
}

static bool open_monitor(struct bus *bus)
{
	if (zmq_socket_monitor(bus->socket, "inproc://bus",
			       ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0)
		return false;
	bus->monitor = zmq_socket(bus->context, ZMQ_PAIR);
	if (!bus->monitor)
		return false;
	set(bus->monitor, ZMQ_LINGER, 0);
	return zmq_connect(bus->monitor, "inproc://bus") == 0;
}

bool bus_open(struct bus *bus, const char *path, const uint8_t *routing)
{
	char address[200];
	snprintf(address, sizeof address, "ipc://%s", path);
	*bus = (struct bus){.context = zmq_ctx_new()};
	bug_if(!bus->context);
	zmq_ctx_set(bus->context, ZMQ_MAX_SOCKETS, 8);
	bus->socket = zmq_socket(bus->context, ZMQ_DEALER);
	if (!bus->socket)
		return false;
	if (routing && zmq_setsockopt(bus->socket, ZMQ_ROUTING_ID, routing, 16) != 0)
		return false;
	set(bus->socket, ZMQ_IMMEDIATE,
	    1); /* what is sent while the broker is dead must not reach the next one */
	set(bus->socket, ZMQ_LINGER, 0);
	set(bus->socket, ZMQ_SNDHWM, QUEUE);
	set(bus->socket, ZMQ_RCVHWM, QUEUE);
	set(bus->socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
	set(bus->socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
	int64_t largest = BODY_MAX + ENVELOPE_BYTES;
	bug_if(zmq_setsockopt(bus->socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) != 0);
	if (!open_monitor(bus) || zmq_connect(bus->socket, address) != 0)
		return false;
	bus->socket_fd = descriptor_of(bus->socket);
	bus->monitor_fd = descriptor_of(bus->monitor);
	return true;
}

void bus_close(struct bus *bus)
{
	if (bus->monitor)
		zmq_close(bus->monitor);
	if (bus->socket)
		zmq_close(bus->socket);
	if (bus->context)
		zmq_ctx_term(bus->context);
	*bus = (struct bus){0};
}

bool bus_send(struct bus *bus, struct envelope *envelope, const void *body, size_t length)
{
	uint8_t header[ENVELOPE_BYTES];
	envelope->broker_birth = bus->broker_birth;
	envelope_write(envelope, header);
	if (zmq_send(bus->socket, header, sizeof header, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
		return false;
	/* A message goes whole: once its first part was taken, the rest is too, unless there is no memory for it. Half a message would
	 * have the broker cut us off for this life; so this life ends. */
	bug_if(zmq_send(bus->socket, body, length, ZMQ_DONTWAIT) < 0);
	return true;
}

void bus_hello(struct bus *bus)
{
	struct envelope hello = {.type = ENVELOPE_HELLO, .serial = calls_fingerprint()};
	bus_send(bus, &hello, "", 0);
}

static void skip_rest(void *socket, bool more)
{
	while (more) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		more = zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part);
		zmq_msg_close(&part);
	}
}

int bus_receive(struct bus *bus, struct envelope *envelope, zmq_msg_t *body)
{
	for (;;) {
		zmq_msg_t header;
		zmq_msg_init(&header);
		if (zmq_msg_recv(&header, bus->socket, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&header);
			return 0;
		}
		bool known = envelope_read(zmq_msg_data(&header), zmq_msg_size(&header), envelope);
		bool more = zmq_msg_more(&header);
		zmq_msg_close(&header);
		zmq_msg_init(body);
		if (more && zmq_msg_recv(body, bus->socket, ZMQ_DONTWAIT) >= 0) {
			more = zmq_msg_more(body);
			if (known && !more)
				return 1;
		}
		zmq_msg_close(body);
		skip_rest(bus->socket, more);
	}
}

enum bus_change bus_changed(struct bus *bus)
{
	uint8_t event[6]; /* uint16 event, uint32 value; then a frame with the address */
	if (zmq_recv(bus->monitor, event, sizeof event, ZMQ_DONTWAIT) < (int)sizeof event)
		return BUS_NOTHING;
	skip_rest(bus->monitor, true);
	uint16_t what;
	memcpy(&what, event, sizeof what);
	if (what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
		return BUS_FOUND;
	bus->broker_birth = 0;
	return BUS_LOST;
}
