/* The doors: ROUTERs on inherited listeners. Part of the broker. */
#include "broker/doors.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

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

/* The listener is the supervisor's: libzmq gets a copy (not by dup(): the seal has none), so that the door can
 * be opened again. The monitor's queue has no bound: libzmq's thread would wait with a lock in hand that shutting the door needs. */
static void door_open(struct doors *doors, enum door door)
{
	char address[200], events[32];
	int64_t largest = ENVELOPE_BYTES + BODY_MAX;
	size_t size = sizeof doors->fds[door];
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
	bug_if(zmq_getsockopt(socket, ZMQ_FD, &doors->fds[door], &size) != 0);
	bug_if(zmq_getsockopt(monitor, ZMQ_FD, &doors->fds[DOORS + door], &size) != 0);
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
static bool read_visitor(zmq_msg_t *parts, enum door door, struct visitor *who)
{
	size_t length = zmq_msg_size(&parts[0]);
	const char *address = zmq_msg_gets(&parts[1], "Peer-Address");
	*who = (struct visitor){.door = (uint16_t)door, .routing_length = (uint16_t)length};
	if (!address || !length || length > ROUTING_MAX)
		return false;
	memcpy(who->routing, zmq_msg_data(&parts[0]), length);
	return sscanf(address, "localhost:%u:%*u:%u", &who->uid, &who->pid) == 2;
}

enum arrived door_receive(struct doors *doors, enum door door, struct arrival *in)
{
	int count = 0;
	zmq_msg_t *parts = doors->parts;
	for (bool more = true; more; count++) { /* a message comes whole, however many parts it has */
		zmq_msg_t *part = &parts[count < 3 ? count : 3];
		if (zmq_msg_recv(part, doors->sockets[door], ZMQ_DONTWAIT) < 0)
			break;
		more = zmq_msg_more(part);
	}
	*in = (struct arrival){.body = zmq_msg_data(&parts[2]), .length = zmq_msg_size(&parts[2])};
	if (count < 2) /* a ROUTER gives the routing id and one part at least */
		return NOTHING;
	if (!read_visitor(parts, door, &in->visitor))
		return STRANGE;
	bool whole = count == 3 && envelope_read(zmq_msg_data(&parts[1]), zmq_msg_size(&parts[1]), &in->e);
	return whole ? WHOLE : BROKEN;
}

static void leave(struct queue *queue, size_t bytes)
{
	if (atomic_fetch_sub(&queue->bytes, bytes) == bytes)
		x_free(&queue);
}

static void unload(void *body, void *hint) /* in libzmq's thread, or ours */
{
	struct freight *freight = hint;
	(void)body;
	atomic_fetch_sub(freight->queue->all, freight->weight);
	leave(freight->queue, freight->weight);
	x_free(&freight);
}

void door_leave(struct peer *peer)
{
	if (peer->queue)
		leave(peer->queue, 1);
	peer->queue = NULL;
}

enum err door_send(struct doors *doors, struct peer *to, struct envelope *e, const void *body, size_t length)
{
	uint8_t header[ENVELOPE_BYTES];
	zmq_msg_t msg;
	void *socket = doors->sockets[to->at.door];
	atomic_size_t *all = &doors->waiting[to->at.door];
	size_t weight = sizeof(struct freight) + ENVELOPE_BYTES + length;
	if (!to->queue)
		*(to->queue = x_new(sizeof *to->queue)) = (struct queue){1, all};
	if (to->queue->bytes + weight > (WAITING_MAX - *all) / 2)
		return ERR_BUSY;
	doors->stirred[to->at.door] = true;
	e->broker_birth = doors->born->birth.birth;
	envelope_write(e, header);
	if (zmq_send(socket, to->at.routing, to->at.routing_length, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
		return errno == EAGAIN ? ERR_BUSY : ERR_GONE;
	bug_if(zmq_send(socket, header, sizeof header, ZMQ_SNDMORE | ZMQ_DONTWAIT) <
	       0); /* the rest is taken, unless there is no memory */
	struct freight *freight = x_new(sizeof *freight + length);
	*freight = (struct freight){to->queue, weight};
	memcpy(freight->body, body, length);
	atomic_fetch_add(all, weight);
	atomic_fetch_add(&to->queue->bytes, weight);
	bug_if(zmq_msg_init_data(&msg, freight->body, length, unload, freight) != 0);
	if (zmq_msg_send(&msg, socket, ZMQ_DONTWAIT) < 0)
		zmq_msg_close(&msg);
	return ERR_OK;
}
