/* The frames of the bus as somebody else would write them: czmq, and a header put together byte by byte from the layout in
 * proto/envelope.h, with none of the code that the programs under test use. */
#ifndef WARREN_TESTS_FRAMES_H
#define WARREN_TESTS_FRAMES_H

#include "proto/envelope.h" /* the numbers of the types */

#include <czmq.h>

enum { WAIT_MS = 10000 }; /* for what must come; longer than any machine needs */

struct frame {
	unsigned type, number;
	uint64_t broker, caller, serial, deadline, callee;
	unsigned target_kind, target_node, source_kind, source_node, source_uid, error;
	const void *body; /* received: valid until the same speaker receives again */
	size_t length;
};

void frame_write(const struct frame *frame, uint8_t header[ENVELOPE_BYTES]);
bool frame_read(const uint8_t *header, size_t length, struct frame *frame);

/* One end of a conversation with the broker: a process of the roster, or a person. */
struct speaker {
	zsock_t *socket;
	zmsg_t *latest;
	unsigned kind, node;
	uint64_t birth; /* as the roster says; of a person: as WELCOME says */
	uint64_t broker, serial;
	uint8_t routing[16];
	bool heard; /* the broker said that somebody hears its events */
};

uint64_t frames_now_ns(void);
uint64_t frames_random(void);

/* Connects to a socket's file. `routing`: whether to claim speaker->routing. */
void speaker_open(struct speaker *speaker, const char *path, bool routing);
void speaker_close(struct speaker *speaker);

/* False: its queue is full, or nobody is there. */
bool speaker_send(struct speaker *speaker, const struct frame *frame);

/* The next message within `ms`; what the broker says of who hears our events is taken note of and passed over. */
bool speaker_receive(struct speaker *speaker, struct frame *frame, int ms);

/* HELLO with this fingerprint, until WELCOME (true) or an error; fills in `broker`, of a person also `birth`. */
bool speaker_hello(struct speaker *speaker, uint64_t fingerprint);

/* Sends an ask with a deadline of `ms` from now and returns its serial. */
uint64_t speaker_ask(struct speaker *speaker, unsigned number, unsigned kind, unsigned node, const char *body, int ms);

/* Answers what was received. */
bool speaker_answer(struct speaker *speaker, const struct frame *ask, unsigned type, unsigned error, const char *body);

/* True when what is received next, within WAIT_MS, is the end of that ask: REPLY with `error` 0, or ERROR with it. */
bool speaker_ends(struct speaker *speaker, uint64_t serial, unsigned error);

#endif
