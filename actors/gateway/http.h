/* The HTTP face of a node. Parses what strangers send and passes bytes between them and the stream to the store; keeps nothing
 * but what is on its way. Never waits: the owner watches the two descriptors and turns it. */
#ifndef WARREN_GATEWAY_HTTP_H
#define WARREN_GATEWAY_HTTP_H

#include "actors/gateway/facts.h"
#include "actors/gateway/porch.h"
#include "actors/gateway/rates.h"
#include "actors/gateway/stream.h"

struct http;

struct http_prove {
	struct cid cid;
	struct hash challenge;
	unsigned samples;
};

struct http_config {
	int listener;	      /* bound, listening, non-blocking; stays the owner's */
	unsigned connections; /* at most open at once; more wait in the listener's queue */
	unsigned waiting;     /* requests of each direction that wait for a slot, at most */
	uint16_t node;
	uint64_t max_blob; /* bytes */
	struct shards shards;
	struct rates *rates; /* NULL: nobody is counted */
	struct stream *stream;
	struct chunks *chunks;
	/* How long in ms: for a request's head, and between requests (idle); for a place among the transfers, or for the store
	 * to be there (wait); for the store's next word, or for facts (patience); for a client to move 64 KiB (step). */
	unsigned idle_ms, wait_ms, patience_ms, step_ms;
	/* While uploads wait for a slot, one that brought less than `pace_bytes` in its last `pace_ms` may lose its own. */
	unsigned pace_ms;
	uint32_t pace_bytes; /* at most HTTP_PACE_MOST */
	uint64_t (*clock)(void *context);  /* by which all of these are measured, in ms; NULL: CLOCK_MONOTONIC */
	void (*need_facts)(void *context); /* ask the store for both; answer with http_facts() */
	/* Ask it to prove a blob, or (`cid` may be NULL) how the last proofs went; answer with http_told(). */
	void (*need_proof)(void *context, unsigned errand, const struct http_prove *wanted);
	void (*need_proofs)(void *context, unsigned errand, const struct cid *cid);
	void *context;
};

/* The figures of RELIABILITY C1 row 14 and proto/stream.h, for a config that says nothing else. A step is less than
 * STREAM_IDLE_MS, so that the client, not the store, is the one who is judged slow. */
enum {
	HTTP_IDLE_MS = 10000,
	HTTP_WAIT_MS = 2000,
	HTTP_PATIENCE_MS = 10000,
	HTTP_STEP_MS = 20000,
	/* Who waits is served before its HTTP_WAIT_MS are over. Half a second is left for the turns of both; the rate,
	 * 43 kbit/s, is below what any line made for data brings. */
	HTTP_PACE_MS = 1500,
	HTTP_PACE_BYTES = 8192,
	HTTP_PACE_MOST = 8192,
	HTTP_SLOTS = STREAM_TRANSFERS, /* requests that move a blob at once; more wait their turn */
	HTTP_SLOTS_EACH = 192,	       /* of which at most so many upload, and at most so many download */
	HTTP_ERRANDS = 32,	       /* asks about proofs under way; one more is told: busy */
	HTTP_WAITING = 1024,	       /* of each direction that wait for a slot; one more is told at once: busy */
};

struct http_gauge {
	uint64_t depth, high, drops;
};

struct http_counts {
	uint64_t requests, refused, failed; /* answered; of these with 4xx; with 5xx or cut off */
	uint64_t bytes_in, bytes_out;	    /* of blobs */
	struct http_gauge connections;	    /* drops: idle ones shown out to make room */
	struct http_gauge slots;       /* drops: slow uploads that lost theirs to who waited */
	struct http_gauge errands;
	struct http_gauge waiting; /* for a slot, or for the store; drops: answered 503 */
};

struct http *http_new(const struct http_config *config); /* NULL: the library refused; errno may say why */
void http_free(struct http **http);			  /* cuts what runs */

int http_fd(const struct http *http); /* watch both for reading, then turn */
int http_porch_fd(const struct http *http);
void http_turn(struct http *http, int *timeout_ms);

void http_stream_opened(struct http *http); /* requests that waited for the store go on */
/* What was needed. NULL: it was not to be had; what was known before is kept. */
void http_facts(struct http *http, const struct facts_stat *stat, const struct facts_node *node);

/* What an errand was for: JSON text, malloc'ed, which it takes over; or, with an error, NULL. */
void http_told(struct http *http, unsigned errand, enum err err, char *json);

void http_facts_old(struct http *http); /* the next who asks is told what is so then */

/* Nothing new is let in any more: each new request is answered 503 with Connection: close. What runs goes on. */
void http_close(struct http *http);
bool http_closed(const struct http *http);

/* Requests under way that were let in: uploads, downloads, others. */
enum { HTTP_DUTIES = 3 };
void http_under_way(const struct http *http, uint32_t counts[HTTP_DUTIES]);

void http_drain(struct http *http); /* accept nobody, end what runs, close what is idle */
bool http_drained(const struct http *http);

const struct http_counts *http_counts(const struct http *http);
const struct porch *http_porch(const struct http *http);
const uint64_t *http_porch_count(const struct http *http); /* refused bodies that are let run out: at most PORCH_GUESTS */

#endif
