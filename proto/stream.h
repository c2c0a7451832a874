/* Bulk bytes beside the bus: gateway@N to store@N over a Unix stream that the supervisor bound (DESIGN 3). Many transfers
 * share one connection; each has its own credit, so that a slow client holds up only itself.
 *
 *   gateway                                     store
 *   OPEN {ticket}                          →            once, first; the ticket came over the bus (store_open)
 *                                          ←    OPENED
 *   PUT n {size or STREAM_UNKNOWN}         →            STREAM_WINDOW frames of credit to begin with
 *   DATA n …                               ⇄    CREDIT n, argument = frames more
 *   END n                                  →
 *                                          ←    STORED n {cid, size, fresh}      after it is durable
 *   GET n {cid, offset, length}            →            argument = frames of credit to begin with; 0: only the head
 *                                          ←    FOUND n {cid, size}
 *   CREDIT n                               ⇄    DATA n …
 *                                          ←    END n
 *   ABORT n                                →            either kind, at any time; nothing is stored
 *                                          ←    ERROR n, error = why; ends the transfer; argument = the
 *                                               shard when that is WRONG_SHARD
 *
 * A transfer ends with STORED, END (of a GET), ERROR, or ABORT; its number may then be used again. Frames for a number that
 * is not open are ignored (they crossed an ERROR). A frame that breaks the format ends the connection. */
#ifndef WARREN_PROTO_STREAM_H
#define WARREN_PROTO_STREAM_H

#include "proto/ids.h"

enum stream_type {
	STREAM_OPEN = 1,
	STREAM_OPENED,
	STREAM_PUT,
	STREAM_GET,
	STREAM_DATA,
	STREAM_END,
	STREAM_ABORT,
	STREAM_CREDIT,
	STREAM_FOUND,
	STREAM_STORED,
	STREAM_ERROR,
};

enum {
	STREAM_DATA_MAX = 65536, /* payload of one DATA frame; a sealed chunk of the store */
	STREAM_WINDOW = 4,       /* frames of credit a PUT begins with, and the most a transfer may hold */
	STREAM_TRANSFERS = 256,  /* open at once on one connection; one more PUT or GET is answered ERROR busy */
	STREAM_IDLE_MS = 30000,  /* a PUT that sends nothing, or a GET that grants nothing, for this long ends with ERROR late */
};
#define STREAM_UNKNOWN UINT64_MAX /* size of a PUT whose body comes without a length; length of a GET: to the end */

struct stream_frame { /* host order: both ends are one build on one machine */
	uint32_t length; /* bytes of payload that follow, at most STREAM_DATA_MAX */
	uint8_t type;
	uint8_t padding;
	uint16_t error; /* enum err, in ERROR and ABORT */
	uint32_t transfer;
	uint32_t argument;
};

struct stream_open {
	struct ticket ticket;
};
struct stream_put {
	uint64_t size;
};
struct stream_get {
	struct cid cid;
	uint64_t offset, length;
};
struct stream_found {
	struct cid cid;
	uint64_t size; /* of the whole blob */
};
struct stream_stored {
	struct cid cid;
	uint64_t size;
	uint8_t fresh; /* 0: these bytes were here already */
	uint8_t padding[7];
};

#endif
