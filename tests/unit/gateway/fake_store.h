/* The other end of proto/stream.h, for tests: a store in memory that can misbehave on request. A second speaker of the frames,
 * written from the header and not from the client. */
#ifndef TEST_FAKE_STORE_H
#define TEST_FAKE_STORE_H

#include "proto/err.h"
#include "proto/stream.h"

#include <stdio.h>
#include <stdlib.h>

/* What a test takes for granted; unlike assert() it is there in every build. */
#define must(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                        \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

enum { FAKE_BLOBS = 4096, FAKE_TRANSFERS = 256 };

struct fake_blob {
	struct cid cid;
	uint8_t *bytes;
	size_t size;
};

struct fake_transfer {
	uint32_t number;
	enum { FAKE_FREE, FAKE_PUT, FAKE_GET } kind;
	uint8_t *bytes; /* PUT: what came */
	size_t length;
	uint64_t declared;
	const struct fake_blob *blob; /* GET */
	uint64_t at, end;
	unsigned credit;
};

struct fake_store {
	int fd;
	struct fake_blob blobs[FAKE_BLOBS];
	unsigned count;
	struct fake_transfer transfers[FAKE_TRANSFERS];
	uint8_t *in, *out;
	size_t in_length, out_length, out_sent;

	/* how to misbehave */
	bool silent;	       /* answers nothing, but reads */
	bool deaf;	       /* does not even read */
	bool no_credit;	       /* a PUT gets none beyond the first window */
	enum err put_err;      /* every PUT is answered so: at its END; */
	bool put_err_at_once;  /* or as soon as it begins */
	uint32_t put_argument; /* in that ERROR */
	size_t corrupt_from;   /* a GET fails with CORRUPT at this offset and beyond; SIZE_MAX: never */

	bool wrong_cid;	       /* FOUND names another blob */
	size_t found_less;     /* FOUND says so many bytes less than come */

	/* what was seen */
	unsigned opens, puts, gets, heads, datas, aborts, credits;
	unsigned stored, dropped; /* uploads that were kept; that were aborted */
	uint64_t last_put_size;
};

struct fake_store *fake_store_new(int fd);
void fake_store_free(struct fake_store *store); /* closes the descriptor */

/* Reads, answers, writes, never waits. False when the other side is gone. */
bool fake_store_turn(struct fake_store *store);
void fake_store_send(struct fake_store *store, const struct stream_frame *frame, const void *payload);

/* Puts a blob in; returns its CID. */
struct cid fake_store_keep(struct fake_store *store, const void *bytes, size_t size);
const struct fake_blob *fake_store_find(const struct fake_store *store, const struct cid *cid);

#endif
