/* What the files of the process (store.c, store_*.c) share: its one self. */
#ifndef WARREN_STORE_SELF_H
#define WARREN_STORE_SELF_H

#include "actors/base/actor.h"
#include "actors/base/crypto/crypto.h"
#include "actors/store/collector.h"
#include "actors/store/prove.h"
#include "actors/store/stream.h"

struct pass; /* store_gc.c */

struct keeping { /* how long blobs are kept */
	int64_t trash_seconds;
	struct gc_rules rules;
	struct pass *pass; /* of the collector, under way; NULL: none */
	uint64_t deletes, deletes_high; /* of it; for `warren limits` */
	bool stopping;
};

struct store_actor {
	struct store *store;
	struct streams *streams;
	struct provers *provers;
	bool proving; /* a timer is set for the next step */
	struct shards shards;
	char peer_id[PEER_ID_TEXT + 1], owner[ADDRESS_TEXT];
	struct key key;
	bool key_known, owner_known;
	unsigned answers_due; /* of the wallet */
	uint64_t ask_again_ms;
	uint64_t opened_ms, again_ms; /* again_ms: it ends, to be born anew; 0: it does not */
	struct keeping keeping;
	bool full;
	struct scan {
		bool running; /* every blob, from the first */
		bool asked;   /* by somebody: quickly */
		bool broke;   /* the last one ended early: the index could not be read */
		struct check_counts counts; /* of the one that runs, or of the last one */
		int64_t since_ms, finished_ms; /* Unix time; 0: never */
	} scan;
	int scan_timer;
	struct store_figures figures; /* what `warren limits` shows; refreshed each second */
};

/* store_scan.c */
void scan_ready(struct actor *self);             /* sets the first timer */

static inline struct store_actor *self_of(struct actor *self)
{
	return actor_state(self);
}

/* store_gc.c */
void keeping_start(struct actor *self); /* reads the settings; the store is open */
void keeping_ready(struct actor *self); /* sets its timers */
void keeping_limits(struct actor *self);
void keeping_stop(struct actor *self); /* begins nothing new; a pass ends soon */

#endif
