/* The doors: ROUTERs on inherited listeners. Part of the broker. */
#include "broker/doors.h"

#include "actors/base/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUEUE = 128,      /* messages waiting for one peer, and from one peer */
	SOCKETS_MAX = 64, /* libzmq's: three for each door, and those that are still being closed */
};

static const uint32_t inherited[DOORS] = {FD_BUS, FD_OPERATE, FD_READ};
static const char *const names[DOORS] = {SOCKET_BUS, SOCKET_OPERATE, SOCKET_READ};

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

/* The listener is the supervisor's: libzmq gets a copy (not by dup(): the seal has none), so that the door can
 * be opened again. The monitor's queue has no bound: libzmq's thread would wait with a lock in hand that shutting the door needs. */
static void door_open(struct doors *doors, enum door door)
{
	char address[200], events[32];
	int64_t largest = ENVELOPE_BYTES + BODY_MAX;
	snprintf(address, sizeof address, "ipc://%s/%s", doors->born->run_path, names[door]);
	snprintf(events, sizeof events, "inproc://door%u", doors->opened++);
	void *socket = zmq_socket(doors->context, ZMQ_ROUTER);
	void *monitor = zmq_socket(doors->context, ZMQ_PAIR);
	int listener = fcntl(birth_fd(doors->born->row, inherited[door]), F_DUPFD, 0);
	bug_if(listener < 0 || !socket || !monitor);
	bug_if(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) != 0);
	set(socket, ZMQ_ROUTER_MANDATORY, 1);
	set(socket, ZMQ_LINGER, 0);
	set(socket, ZMQ_SNDHWM, QUEUE);
	set(socket, ZMQ_RCVHWM, QUEUE);
	set(socket, ZMQ_USE_FD, listener);
	set(monitor, ZMQ_RCVHWM, 0);
	bug_if(zmq_socket_monitor(socket, events, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) != 0);
	bug_if(zmq_connect(monitor, events) != 0);
	zmq_recv(monitor, NULL, 0, ZMQ_DONTWAIT); /* nothing yet; its descriptor tells only who has looked */
	if (zmq_bind(socket, address) != 0) {
		log_error("door.bind", "address=%s errno=%d", address, errno);
		exit(EXIT_WORLD);
	}
	doors->sockets[door] = socket;
	doors->sockets[DOORS + door] = monitor;
	doors->fds[door] = descriptor_of(socket);
	doors->fds[DOORS + door] = descriptor_of(monitor);
	doors->stirred[door] = true;
	doors->connections[door] = 0;
}

void doors_open(struct doors *doors, const struct born *born)
{
	*doors = (struct doors){.born = born, .context = zmq_ctx_new()};
	bug_if(!doors->context || zmq_ctx_set(doors->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX) != 0);
	for (int door = 0; door < DOORS; door++)
		door_open(doors, (enum door)door);
	for (int i = 0; i < 4; i++)
		zmq_msg_init(&doors->parts[i]);
}

bool door_flooded(struct doors *doors, enum door door)
{
	uint8_t event[6]; /* uint16 event, uint32 value; then a frame with the address */
	uint16_t what;
	void *socket = doors->sockets[door], *monitor = doors->sockets[DOORS + door];
	uint32_t *connections = &doors->connections[door];
	while (zmq_recv(monitor, event, sizeof event, ZMQ_DONTWAIT) == sizeof event) {
		zmq_recv(monitor, NULL, 0, ZMQ_DONTWAIT);
		memcpy(&what, event, sizeof what);
		*connections += what == ZMQ_EVENT_ACCEPTED;
		*connections -= what == ZMQ_EVENT_DISCONNECTED && *connections;
	}
	if (*connections <= (door == DOOR_BUS ? CONNECTIONS_BUS : CONNECTIONS_MAX))
		return false;
	log_warn("door.flooded", "socket=%s connections=%u", names[door], *connections);
	zmq_socket_monitor(socket, NULL, 0); /* while somebody still listens to it */
	zmq_close(monitor);
	zmq_close(socket);
	door_open(doors, door);
	return true;
}

/* Peer-Address is "localhost:uid:gid:pid", put there by the kernel through libzmq; nothing that a peer says
 * can change it. */
static bool read_arrival(zmq_msg_t *parts, enum door door, struct arrival *in)
{
	size_t length = zmq_msg_size(&parts[0]);
	const char *address = zmq_msg_gets(&parts[1], "Peer-Address");
	*in = (struct arrival){.body = zmq_msg_data(&parts[2]), .length = zmq_msg_size(&parts[2])};
	in->visitor = (struct visitor){.door = (uint16_t)door, .routing_length = (uint16_t)length};
	if (!address || !length || length > ROUTING_MAX)
		return false;
	memcpy(in->visitor.routing, zmq_msg_data(&parts[0]), length);
	return envelope_read(zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1]), &in->e) &&
	       sscanf(address, "localhost:%u:%*u:%u", &in->visitor.uid, &in->visitor.pid) == 2;
}

enum arrived door_receive(struct doors *doors, enum door door, struct arrival *in)
{
	int count = 0;
	bool more = true;
	for (; more; count++) { /* a message comes whole, however many parts it has */
		zmq_msg_t *part = &doors->parts[count < 3 ? count : 3];
		if (zmq_msg_recv(part, doors->sockets[door], ZMQ_DONTWAIT) < 0)
			break;
		more = zmq_msg_more(part);
	}
	if (count == 0)
		return NOTHING;
	return count == 3 && !more && read_arrival(doors->parts, door, in) ? WHOLE : BROKEN;
}

enum err door_send(struct doors *doors, const struct visitor *to, struct envelope *e, const void *body,
		   size_t length)
{
	uint8_t header[ENVELOPE_BYTES];
	void *socket = doors->sockets[to->door];
	doors->stirred[to->door] = true;
	e->broker_birth = doors->born->birth.birth;
	envelope_write(e, header);
	if (zmq_send(socket, to->routing, to->routing_length, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return errno == EAGAIN ? ERR_BUSY : ERR_GONE;
	zmq_send(socket, header, sizeof header, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(socket, body, length, ZMQ_DONTWAIT);
	return ERR_OK;
}
