/* One connection to the broker: a DEALER, and a monitor that tells when the broker goes and comes. Used by the loop of every
 * actor and by the console. Never waits: sending to a broker that is not there fails at once. */
#ifndef WARREN_BUS_H
#define WARREN_BUS_H

#include "proto/envelope.h"

#include <zmq.h>

struct bus {
	void *context, *socket, *monitor;
	int socket_fd, monitor_fd; /* readable when something changed; then read until nothing is left */
	uint64_t broker_birth; /* of the broker that welcomed us; 0: none */
	uint64_t serial;       /* the last one given out */
};

enum bus_change { BUS_NOTHING, BUS_LOST, BUS_FOUND };

/* `path` is the socket's file. `routing`: 16 bytes, or NULL for a person's connection. False: see errno. */
bool bus_open(struct bus *bus, const char *path, const uint8_t *routing);
void bus_close(struct bus *bus);

/* HELLO; to be repeated until WELCOME arrives, as a reborn broker may not know us yet. */
void bus_hello(struct bus *bus);

/* False when the queue is full or nobody is there: nothing was sent. */
bool bus_send(struct bus *bus, struct envelope *envelope, const void *body, size_t length);

/* 1: a message, its body in `body` (zmq_msg_close it); 0: none now. Malformed ones are skipped. */
int bus_receive(struct bus *bus, struct envelope *envelope, zmq_msg_t *body);

/* What became of the connection since last asked; call until BUS_NOTHING. BUS_LOST clears broker_birth. */
enum bus_change bus_changed(struct bus *bus);

#endif
