/* What stream.c, stream_in.c and stream_out.c share. For them alone. */
#ifndef WARREN_GATEWAY_STREAM_INSIDE_H
#define WARREN_GATEWAY_STREAM_INSIDE_H

#include "actors/gateway/stream.h"

enum {
	/* Frames queued for writing. A transfer adds at most OUT_EACH beyond those whose bytes the store has read, and new
	 * transfers are refused past OUT_REFUSE, so the queue cannot overflow. */
	OUT_FRAMES = 4096,
	OUT_EACH = STREAM_WINDOW + 4, /* PUT, its window, END, ABORT, and one to spare */
	OUT_REFUSE = OUT_FRAMES - STREAM_TRANSFERS * OUT_EACH,
	STAGE = 16384, /* bytes read at a time beside the payload that is being filled */
};
_Static_assert(OUT_REFUSE > 0, "the queue has room for every transfer's frames");

struct out_frame {
	struct stream_frame frame;
	union {
		struct stream_open open;
		struct stream_put put;
		struct stream_get get;
	} body;
	struct chunk *chunk; /* the payload of DATA; length 0 in the union otherwise */
};
_Static_assert(offsetof(struct out_frame, body) == sizeof(struct stream_frame), "header and body are one piece");

enum transfer_kind { TRANSFER_NONE, TRANSFER_PUT, TRANSFER_GET };

struct transfer {
	struct stream *stream;
	enum transfer_kind kind;
	uint32_t number;
	unsigned credit; /* PUT: frames we may send; GET: frames the store may still send */
	unsigned owed;	 /* GET: credit granted and not yet told */
	bool found, ending;
	const struct transfer_events *events;
	void *context;
};

enum stream_state { STREAM_CLOSED, STREAM_OPENING, STREAM_OPEN_NOW };

struct stream {
	struct chunks *chunks;
	struct stream_owner owner;
	int fd;
	enum stream_state state;
	unsigned count, owing; /* transfers that live; those with credit owed */
	bool owes_half;	       /* to one of them half a window */
	uint32_t generation;
	struct transfer transfers[STREAM_TRANSFERS];

	/* in: a frame at a time */
	struct stream_frame frame;
	bool in_frame;	       /* the header in `frame` is read, its payload is not */
	struct chunk *filling; /* the payload of DATA for a living transfer */
	uint32_t skip;	       /* payload bytes for a transfer that is no more */
	uint32_t from, to;     /* what is in the stage */
	uint8_t stage[STAGE];

	/* out: a ring */
	uint32_t head, tail; /* head == tail: empty; both count up for ever */
	size_t written;	     /* bytes of the frame at the head */
	struct out_frame out[OUT_FRAMES];
};

/* stream_in.c: takes apart what is in the stage. False when the other side broke the format. */
bool stream_parse(struct stream *stream);
void stream_in_clear(struct stream *stream);

/* stream_out.c */
struct out_frame *stream_queue(struct stream *stream, enum stream_type type, uint32_t transfer, uint32_t length);
bool stream_write(struct stream *stream); /* false when the connection is lost */
void stream_out_clear(struct stream *stream);

/* stream.c */
struct transfer *transfer_of(struct stream *stream, uint32_t number); /* NULL when it is no more */
void transfer_forget(struct transfer *transfer);

#endif
