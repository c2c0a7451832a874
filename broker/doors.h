/* The three ROUTERs on the listeners that the supervisor made: messages in and out, and who the kernel says sent them. */
#ifndef WARREN_DOORS_H
#define WARREN_DOORS_H

#include "actors/base/born/born.h"
#include "broker/tables.h"
#include "proto/err.h"

#include <zmq.h>

enum {
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

/* BROKEN: not three parts, a header, and a sender that the kernel knows. */
enum arrived { NOTHING, BROKEN, WHOLE } door_receive(struct doors *doors, enum door door, struct arrival *in);

/* ERR_OK; ERR_BUSY: its queue is full; ERR_GONE: nobody of that routing id is there. Never waits. */
enum err door_send(struct doors *doors, const struct visitor *to, struct envelope *e, const void *body, size_t length);

#endif
