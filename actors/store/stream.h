/* The store's side of proto/stream.h: bulk bytes from and to the gateway of our own node, and nobody else. Plain C over a
 * listener that the supervisor bound; the process watches one descriptor and calls streams_turn(). */
#ifndef WARREN_STORE_STREAM_H
#define WARREN_STORE_STREAM_H

#include "actors/store/blobs.h"
#include "proto/stream.h"

struct streams;

enum { STREAM_LINKS = 4 }; /* connections: the open one, one that replaces it, and two that have not shown their ticket yet */

/* What the process wants to hear, for the tap. `ms`: from the first frame to the last. */
struct streams_events {
	void (*put_done)(void *context, const struct stored *stored, uint64_t ms);
	void (*get_done)(void *context, const struct cid *cid, uint64_t bytes, uint64_t ms, enum err end);
	void *context;
};

/* `listener` is made non-blocking; only peers of uid `gateway` are heard (SO_PEERCRED). NULL with errno. */
struct streams *streams_new(int listener, uint32_t gateway, struct store *store, uint32_t shard_count,
			    const struct streams_events *events);
void streams_free(struct streams **streams); /* before the store is closed, when streams_idle() */

/* A new ticket, good for one connection; an earlier one that was not used is void. */
struct ticket streams_ticket(struct streams *streams);

int streams_fd(const struct streams *streams); /* readable: call streams_turn() */
void streams_turn(struct streams *streams);
void streams_tend(struct streams *streams, uint64_t now_ms); /* every second: ends what was idle for too long */
bool streams_idle(const struct streams *streams);            /* no transfer is open */

struct streams_counts {
	uint64_t transfers, transfers_high, transfers_refused;
	uint64_t links, links_high, links_refused;
};
const struct streams_counts *streams_counts(const struct streams *streams);

#endif
