/* A pass of the collector over a store: looks at its rows a page at a time, chooses (gc.h), and has what was chosen deleted, a
 * few at a time. Main thread; each turn is short, so puts and gets have theirs in between. */
#ifndef WARREN_STORE_COLLECTOR_H
#define WARREN_STORE_COLLECTOR_H

#include "actors/store/gc.h"

enum {
	COLLECT_PAGE = 256, /* rows looked at in a turn: well below a millisecond */
	COLLECT_AT_ONCE = 16, /* deletes with the committer; a put never waits behind more */
};

struct collector {
	struct gc gc;
	uint64_t under_way, high; /* deletes; for `warren limits` */
	uint64_t collected, collected_bytes; /* in this pass */
	enum err err;   /* how the pass ended: ERR_OK, ERR_DISK, ERR_NOT_READY: it was stopped */
	/* the inside */
	struct store *store;
	enum { COLLECTOR_IDLE, COLLECTOR_LOOKS, COLLECTOR_DELETES } state;
	bool dry, first;
	struct cid after;
	unsigned page, next;
	struct collecting {
		struct collector *collector;
		unsigned at;
		bool busy;
	} deletes[COLLECT_AT_ONCE];
	void (*each)(void *context, const struct store_blob *blob); /* was deleted, durably */
	void *context;
};

/* `collector` is zero, or idle. dry: nothing is touched. */
void collector_begin(struct collector *collector, struct store *store, const struct gc_rules *rules, int64_t now, bool dry);

/* True: the pass is over; gc.chosen is what was chosen. Else it is to be called again, soon. */
bool collector_turn(struct collector *collector);

/* Begins no further delete; what is under way ends in the next turns. */
void collector_stop(struct collector *collector);

#endif
