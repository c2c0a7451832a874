/* The three ROUTERs on the listeners that the supervisor made: messages in and out, and who the kernel says sent them. */
#ifndef WARREN_DOORS_H
#define WARREN_DOORS_H

#include "actors/base/born/born.h"
#include "broker/tables.h"
#include "proto/err.h"

#include <stdatomic.h>
#include <zmq.h>

/* What waits for one peer. libzmq's thread takes off what it has sent, also for one that is gone, so it lives as long as that. */
struct queue {
	atomic_size_t bytes; /* and one more while the peer is known: who brings it to nothing frees it */
	atomic_size_t *all;  /* of its door */
};

struct freight { /* a body on its way out */
	struct queue *queue;
	size_t weight;
	uint8_t body[];
};

enum {
	WAITING_MAX = 32 << 20, /* bytes that wait for all who came by one door */
	CONNECTIONS_MAX = 2048, /* of people, at each door; out of descriptors, libzmq's accept aborts */
	CONNECTIONS_BUS = 8192, /* of processes: one each; many more are of taken ones */
};

struct doors {
	const struct born *born;
	void *context;
	void *sockets[2 * DOORS]; /* of the doors, then their monitors */
	int fds[2 * DOORS];       /* readable when something changed there; then to be read until nothing is left */
	bool stirred[DOORS];      /* we sent there: a change may have been noticed in passing, so look */
	uint32_t connections[DOORS];
	atomic_size_t waiting[DOORS]; /* bytes on their way out */
	uint32_t opened;    /* so far: no two monitors have the same name */
	zmq_msg_t parts[4]; /* of the latest arrival: routing id, header, body; the fourth has no business here */
};

struct arrival { /* the body lives until the next one comes */
	struct envelope e;
	struct visitor visitor;
	const void *body;
	size_t length;
	struct peer *from; /* the broker's to find */
};

/* Ends the process when a listener cannot be had. */
void doors_open(struct doors *doors, const struct born *born);

/* Takes note of who came and went. When a door has too many connections, shuts it and opens it again, and returns true: all its
 * visitors are gone. Processes connect again by themselves and say HELLO; what was under way ends late. */
bool door_flooded(struct doors *doors, enum door door);

/* STRANGE: no sender that the kernel knows. BROKEN: not three parts, the second a header. */
enum arrived { NOTHING, STRANGE, BROKEN, WHOLE } door_receive(struct doors *doors, enum door door, struct arrival *in);

/* ERR_OK; ERR_BUSY: its queue is full, or what waits for it would be more than half of the room that its door has left: so one
 * that does not read gets a third of all, many get ever less each, and there is room for the next; ERR_GONE: nobody of that
 * routing id is there. Never waits. */
enum err door_send(struct doors *doors, struct peer *to, struct envelope *e, const void *body, size_t length);

/* Of one who is forgotten: what still waits for it is nobody's. */
void door_leave(struct peer *peer);

#endif
