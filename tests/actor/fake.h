/* A fake broker for one real process: a ROUTER of czmq where the process expects bus.sock, and frames by hand. */
#ifndef WARREN_TESTS_FAKE_H
#define WARREN_TESTS_FAKE_H

#include "proto/call.h"
#include "tests/actor/harness.h"

struct fake {
	char run[64], self[64], path[96]; /* two folders, and the socket in the first */
	zsock_t *router;                  /* NULL: no broker just now */
	zmsg_t *latest;
	uint64_t birth, serial;
	struct birth of_child;
	struct child child;
};

/* Two folders, no broker, no child. */
void fake_begin(struct fake *fake);
void fake_end(struct fake *fake); /* kills the child */

void fake_broker_begin(struct fake *fake); /* of a new birth */
void fake_broker_end(struct fake *fake);   /* as if killed */

/* Starts the tested program on the folders. */
void fake_child(struct fake *fake, const struct birth *birth, const char *settings, const int *fds, unsigned count);
/* Runs it to its end with BIRTH_INIT first; false when that did not end with 0. */
bool fake_init(struct fake *fake, struct birth birth, const char *settings, const int *fds, unsigned count);

/* What the child sends, within `ms`. Anything but header and body, or from another routing id than its own, is a failure. */
bool fake_receive(struct fake *fake, struct frame *frame, int ms);
bool fake_send(struct fake *fake, const struct frame *frame);
/* Parts as they are, for what is no message. */
void fake_send_parts(struct fake *fake, unsigned count, const struct view *parts);

/* HELLO with the right fingerprint, answered by WELCOME. */
bool fake_welcome(struct fake *fake);

/* An ask of this caller, of the child; header complete, deadline `ms` from now. */
struct frame fake_ask(struct fake *fake, unsigned number, unsigned kind, unsigned node, const void *body, size_t length,
		      int ms);

/* Sends it and waits for its end: true when that is a reply (error 0) or this error. HELLOs are passed over. */
bool fake_ends(struct fake *fake, const struct frame *ask, unsigned error, struct frame *end);

/* A ping of an operator, answered: what was sent before has been dealt with. */
bool fake_turned(struct fake *fake);

#endif
