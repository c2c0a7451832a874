/* The client's side of proto/stream.h: one Unix stream to the node's store, many transfers on it. Nothing here waits; the
 * owner watches the descriptor and says when it can be read. Callbacks come from stream_readable(), stream_flush() and
 * stream_drop(), never from a call that starts or feeds a transfer. */
#ifndef WARREN_GATEWAY_STREAM_H
#define WARREN_GATEWAY_STREAM_H

#include "actors/gateway/chunk.h"
#include "proto/err.h"
#include "proto/stream.h"

struct stream;
struct transfer;

struct stream_owner {
	void (*opened)(void *context);            /* the store took the ticket */
	void (*lost)(void *context, enum err why); /* after every transfer was told */
	void *context;
};

/* What may happen to a transfer. `stored` and `ended` are the last that is heard of it: the pointer is then void. Those that
 * a kind of transfer never sees may be NULL: a PUT sees credit, stored, ended; a GET sees found, data, ended. */
struct transfer_events {
	void (*credit)(void *context);
	void (*found)(void *context, const struct stream_found *found);
	void (*data)(void *context, struct chunk *chunk); /* the chunk is the receiver's */
	void (*stored)(void *context, const struct stream_stored *stored);
	/* ERR_OK: the end of a GET. Else why it failed: the store's ERROR, or ERR_GONE when the connection is lost. `argument`
	 * is what an ERROR frame carries besides. */
	void (*ended)(void *context, enum err err, uint32_t argument);
};

struct stream *stream_new(struct chunks *chunks, const struct stream_owner *owner);
void stream_free(struct stream **stream); /* tells nobody */

/* Connects and shows the ticket; `opened` or `lost` follows. False when there is nobody to connect to. Closed before. */
bool stream_connect(struct stream *stream, const char *path, const struct ticket *ticket);
void stream_adopt(struct stream *stream, int fd, const struct ticket *ticket); /* the same over a connected descriptor */
void stream_drop(struct stream *stream, enum err why);

bool stream_is_open(const struct stream *stream); /* the ticket was taken */
int stream_fd(const struct stream *stream);	  /* -1 while there is none */
bool stream_waits(const struct stream *stream);	  /* there are bytes that the socket would not take: watch for POLLOUT */
unsigned stream_transfers(const struct stream *stream);

void stream_readable(struct stream *stream);
void stream_flush(struct stream *stream); /* writes what was queued and the credit that is owed, as much as the socket takes */

/* NULL when the stream is not open or has no place for one more. `size` in bytes or STREAM_UNKNOWN. */
struct transfer *stream_put(struct stream *stream, uint64_t size, const struct transfer_events *events, void *context);
unsigned transfer_credit(const struct transfer *transfer); /* frames that may be sent */
void transfer_send(struct transfer *transfer, struct chunk **chunk); /* takes the chunk, which is not empty; costs 1 credit */
void transfer_end(struct transfer *transfer);

/* With `credit` 0 only the head is asked for: after `found` comes `ended`. Else at most STREAM_WINDOW. */
struct transfer *stream_get(struct stream *stream, const struct stream_get *what, unsigned credit,
			    const struct transfer_events *events, void *context);
void transfer_grant(struct transfer *transfer); /* one chunk was used up: room for one more */
bool stream_owes(const struct stream *stream);	/* half a window or more to some transfer: flush, so that the store goes on */

/* Gives up; nothing more is heard of it. NULL is fine; leaves NULL. */
void transfer_abort(struct transfer **transfer);

#endif
