/* Messages made up from their tables: every test here runs over all of them, so a new row is tested the day it is written. */
#ifndef WARREN_TESTS_SAMPLE_H
#define WARREN_TESTS_SAMPLE_H

#include "actors/base/memory/memory.h"
#include "proto/msg.h"

/* Requests, replies, events and the elements of their lists, each once; NULL past the last. */
const struct message *every_message(unsigned index);

enum sample_size {
	SAMPLE_ANY,   /* a few elements, values of all magnitudes */
	SAMPLE_LEAST, /* everything empty, absent, zero */
	SAMPLE_MOST,  /* everything at its bound */
};

struct sample {
	uint64_t state; /* the same seed gives the same messages */
	struct arena *arena;
	enum sample_size size;
};

uint64_t sample_next(struct sample *sample);

/* A message that fits its rows, in the sample's arena. */
void *sample_message(struct sample *sample, const struct message *message);

/* Equal in every field that a table names. */
bool sample_equal(const struct message *message, const void *a, const void *b);

/* The first field that breaks its row, or NULL. */
const char *sample_out_of_bounds(const struct message *message, const void *at);

/* -- bytes written by hand: a second, independent speaker of the format ------------------------------------------------ */

struct bytes {
	uint8_t *at;
	size_t length, room; /* writing past `room` aborts */
};

struct bytes bytes_in(struct arena *arena, size_t room);
void hand_raw(struct bytes *out, const void *at, size_t length);
void hand_uint(struct bytes *out, uint64_t number);
void hand_int(struct bytes *out, int64_t number);
void hand_str(struct bytes *out, const void *at, size_t length);
void hand_bin(struct bytes *out, const void *at, size_t length);
void hand_array(struct bytes *out, uint32_t count);

struct flaw { /* this field gets these bytes instead of its value */
	const struct field *field;
	const uint8_t *at;
	size_t length;
};

/* The message as it must be on the wire, but for the flaw (may be NULL). */
void hand_message(struct bytes *out, const struct message *message, const void *from, const struct flaw *flaw);

#endif
