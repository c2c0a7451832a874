/* The header frame of every message on the bus: 64 bytes, little-endian. The broker reads this and never the body. */
#ifndef WARREN_PROTO_ENVELOPE_H
#define WARREN_PROTO_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum envelope_type {
	ENVELOPE_HELLO = 1,   /* to the broker; serial = fingerprint of the tables */
	ENVELOPE_WELCOME,     /* from the broker; broker_birth is what every later envelope carries; number 1: somebody
				 hears the events of this kind */
	ENVELOPE_ASK,         /* ends in exactly one REPLY or ERROR, or in the asker's own deadline */
	ENVELOPE_REPLY,
	ENVELOPE_ERROR,       /* error = enum err; the body is a sentence, or empty */
	ENVELOPE_TELL,        /* no answer */
	ENVELOPE_PUBLISH,     /* to the broker; number = event */
	ENVELOPE_EVENT,       /* from the broker to whoever subscribed */
	ENVELOPE_SUBSCRIBE,   /* number = event; 0 = the tap of the target process; target 0: everybody's */
	ENVELOPE_UNSUBSCRIBE, /* from the broker, this and SUBSCRIBE: from now on somebody, or nobody, hears your events */
	ENVELOPE_TAPPED,      /* from the broker: body = the envelope of a message that passed, then its body */
	ENVELOPE_TYPES
};

enum {
	ENVELOPE_BYTES = 64,
	ENVELOPE_MAGIC = 0x324e5257, /* "WRN2" */
	BODY_MAX = 256 * 1024,       /* ZMQ_MAXMSGSIZE is this; larger things go beside the bus */
};

struct envelope {
	uint8_t type;
	uint16_t number;       /* of the call or event */
	uint64_t broker_birth; /* from WELCOME; a message for another broker birth is dropped */
	uint64_t caller_birth; /* of whoever asked; the broker fills it in from the roster */
	uint64_t serial;       /* chosen by the asker, never 0, unique in its birth */
	uint64_t deadline;     /* CLOCK_MONOTONIC, ns; 0 = none (TELL, PUBLISH) */
	uint64_t callee_birth; /* filled in by the broker on the way there; checked on the way back */
	uint8_t target_kind;
	uint16_t target_node;
	uint8_t source_kind;   /* filled in by the broker from the roster or the socket, as are the next two */
	uint16_t source_node;
	uint32_t source_uid;
	uint16_t error;
	uint32_t trace; /* 0: none; what is asked while answering an ask carries that one's (warren trace) */
};

void envelope_write(const struct envelope *envelope, uint8_t bytes[ENVELOPE_BYTES]);

/* False unless there are exactly ENVELOPE_BYTES, with the magic and a known type. */
bool envelope_read(const uint8_t *bytes, size_t length, struct envelope *envelope);

#endif
