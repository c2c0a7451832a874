/* A gateway for tests: speaks proto/stream.h over a real Unix socket, in the same thread as the store. It can be told to say
 * anything, and it keeps what it hears. */
#ifndef WARREN_TESTS_STORE_SPEAKER_H
#define WARREN_TESTS_STORE_SPEAKER_H

#include "actors/store/stream.h"
#include "tests/unit/store/house.h"

/* The store's side. */
struct porch {
	struct house house;
	struct streams *streams;
	int listener;
	char path[96];
	unsigned puts_done, gets_done;
	enum err last_end;
};
void porch_open(struct porch *porch, uint64_t quota, uint32_t gateway_uid);
void porch_close(struct porch *porch);
void porch_turn(struct porch *porch); /* whatever is ready, without waiting */

struct heard {
	struct stream_frame frame;
	uint8_t body[STREAM_DATA_MAX];
};

struct speaker {
	struct porch *porch;
	int fd;
	uint8_t *in; /* what came and was not taken yet */
	size_t in_length;
	bool cut; /* the store has ended the connection */
};
void speaker_connect(struct speaker *speaker, struct porch *porch);
void speaker_open(struct speaker *speaker, struct porch *porch); /* with a good ticket, up to OPENED */
void speaker_end(struct speaker *speaker);

/* Writes all of it, turning the store meanwhile; gives up when it is cut. */
void say_bytes(struct speaker *speaker, const void *bytes, size_t length);
void say(struct speaker *speaker, enum stream_type type, uint32_t transfer, uint32_t argument, const void *body,
	 size_t length);
void say_put(struct speaker *speaker, uint32_t transfer, uint64_t size);
void say_get(struct speaker *speaker, uint32_t transfer, const struct cid *cid, uint64_t offset, uint64_t length,
	     uint32_t credit);

/* The next frame, turning the store until it is there. False: cut. Fails the test after a while. */
bool hear(struct speaker *speaker, struct heard *heard);
/* Turns for a while; whether anything came or it was cut. */
bool hear_nothing(struct speaker *speaker);
/* Takes whatever has come, and forgets it. */
void hear_no_more(struct speaker *speaker);
/* The next frame must be this one. */
void expect(struct speaker *speaker, struct heard *heard, enum stream_type type, uint32_t transfer);
void expect_error(struct speaker *speaker, uint32_t transfer, enum err err);
void expect_cut(struct speaker *speaker);

/* Whole transfers, with credit as it comes. */
enum err put_over(struct speaker *speaker, uint32_t transfer, const uint8_t *bytes, size_t length, uint64_t declared,
		  struct stream_stored *stored);
enum err get_over(struct speaker *speaker, uint32_t transfer, const struct cid *cid, uint64_t offset, uint64_t length,
		  uint8_t *into, size_t *got);

#endif
