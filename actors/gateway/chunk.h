/* Buffers for the bytes of blobs on their way through: one chunk is the payload of one DATA frame. Full-size ones are kept
 * for reuse, so that a long transfer does not ask the kernel for fresh pages again and again. */
#ifndef WARREN_GATEWAY_CHUNK_H
#define WARREN_GATEWAY_CHUNK_H

#include <stdint.h>

enum {
	CHUNK_ROOM = 65536, /* STREAM_DATA_MAX */
	CHUNKS_SPARE = 32,  /* full-size chunks kept for reuse: 2 MiB */
};

struct chunk {
	struct chunks *home;
	struct chunk *next;    /* whoever holds it may chain it */
	uint32_t length, room; /* bytes that are in it, bytes that fit; length is the holder's to set */
	uint8_t bytes[];
};

struct chunks {
	struct chunk *spare;
	unsigned spares;
	uint64_t held, high; /* bytes of room handed out now, and at most */
};

/* `room` is at most CHUNK_ROOM. What is in it is not zeroed. */
struct chunk *chunk_new(struct chunks *chunks, uint32_t room);
void chunk_free(struct chunk **chunk); /* leaves NULL */

void chunks_forget(struct chunks *chunks); /* gives the spare ones back to the system */

#endif
