/* What stream.c (connections, frames) and transfer.c (puts, gets) share. For them alone. */
#ifndef WARREN_STORE_STREAM_INSIDE_H
#define WARREN_STORE_STREAM_INSIDE_H

#include "actors/store/stream.h"

enum {
	IN_BYTES = 4 * (STREAM_DATA_MAX + (int)sizeof(struct stream_frame)),
	OUT_BYTES = 1024 * 1024,     /* waiting to be written on one connection; past OUT_PAUSE no GET is served … */
	OUT_PAUSE = OUT_BYTES / 4,   /* … and the rest is room for answers, of which each transfer has a few small ones */
	TICKET_MS = 5000,            /* a connection without a ticket is ended after this long */
};

enum transfer_kind { TRANSFER_FREE, TRANSFER_PUT, TRANSFER_STORING, TRANSFER_GET };

struct transfer {
	struct link *link; /* NULL: the connection is gone and only the committer's answer is awaited */
	struct streams *streams;
	enum transfer_kind kind;
	uint32_t number, credit; /* GET: frames that may still go */
	uint64_t began_ms, heard_ms;
	uint64_t bytes, left; /* of a GET: sent, to be sent */
	struct put *put;
	struct get *get;
	struct cid cid;
};

struct link {
	int fd;
	bool open;                 /* its ticket was good */
	bool broken;               /* to be ended when the turn is over */
	bool wants_write;          /* what epoll was told */
	uint64_t since_ms;
	uint32_t in_from, in_to;
	uint32_t out_from, out_to;
	uint32_t next;             /* the transfer to be served first, so that none starves */
	uint8_t *in, *out;         /* IN_BYTES, OUT_BYTES */
};

struct streams {
	int listener, epoll;
	uint32_t gateway, shard_count;
	struct store *store;
	struct streams_events events;
	struct ticket ticket;
	bool ticket_good;
	struct link links[STREAM_LINKS];
	struct transfer transfers[STREAM_TRANSFERS];
	struct streams_counts counts;
};

/* stream.c. `body` may be NULL when length is 0. A link whose queue is full is broken. */
void link_send(struct link *link, struct stream_frame frame, const void *body);
/* DATA goes out from where it lies as far as the socket takes it; only the rest is copied. */
void link_send_data(struct link *link, uint32_t transfer, const uint8_t *bytes, size_t length);
uint32_t link_waiting(const struct link *link);

/* transfer.c */
void transfer_frame(struct streams *streams, struct link *link, const struct stream_frame *frame, const uint8_t *body);
void transfers_serve(struct streams *streams, struct link *link); /* sends what credit and room allow */
bool transfers_eager(const struct streams *streams, const struct link *link); /* would send more if there were room */
void transfers_drop(struct streams *streams, struct link *link);
void transfers_tend(struct streams *streams, uint64_t now_ms);

#endif
