/* store@N, the scan: what is stored is read and hashed again, slowly by itself, all of it when somebody asks or after the machine
 * stopped without notice. A step at a time between puts and gets. Part of the process: runs as it, dies with it. */
#include "actors/store/store_self.h"
#include "actors/base/clock/clock.h"
#include "proto/store.h"

#include <inttypes.h>

enum {
	CHECK_MS = 10000,   /* between two steps when all is well */
	CHECK_SOON_MS = 20, /* after the machine stopped without notice: everything, soon */
	STEP_MS = 2,        /* a scan that was asked for goes on so long, then rests as long at least */
	STEP_BLOBS = 16,    /* … or until it has looked at so many */
};

/* From a random one on, so that restarts do not favour some. */
static void go_slowly(struct store_actor *store)
{
	struct cid anywhere;
	random_bytes(&anywhere, sizeof anywhere);
	store_check_from(store->store, &anywhere);
}

static void scan_begin(struct store_actor *store, bool asked)
{
	store->scan = (struct scan){.running = true, .asked = asked, .since_ms = wall_ms()};
	store_check_from(store->store, NULL);
	log_info("store.scan", "blobs=%" PRIu64 " asked=%d", store->figures.blobs, asked);
}

static void scan_end(struct store_actor *store)
{
	struct scan *scan = &store->scan;
	scan->running = scan->asked = false;
	scan->finished_ms = wall_ms();
	scan->broke = store_check_broke(store->store);
	log_info("store.checked", "blobs=%" PRIu64 " corrupt=%" PRIu64 " unreadable=%" PRIu64 "%s",
		 scan->counts.done, scan->counts.corrupt, scan->counts.unreadable,
		 scan->broke ? " broke=index" : "");
}

/* How long to rest until the next step. What was asked for has at most half of the loop's time. */
static uint64_t step(struct store_actor *store)
{
	struct scan *scan = &store->scan;
	uint64_t began = now_ms(), took = 0;
	enum check check;
	unsigned blobs = 0;
	do {
		check = store_check_next(store->store);
		took = now_ms() - began;
	} while (scan->asked && check == CHECK_ONE_DONE && ++blobs < STEP_BLOBS && took < STEP_MS);
	if (scan->running)
		scan->counts = *store_check_counts(store->store);
	if (check == CHECK_END) {
		if (scan->running)
			scan_end(store);
		go_slowly(store);
	}
	if (scan->asked)
		return took + 1;
	return scan->running || check == CHECK_MORE ? CHECK_SOON_MS : CHECK_MS;
}

static void turn(struct actor *self, void *context)
{
	(void)context;
	struct store_actor *store = self_of(self);
	store->scan_timer = actor_after(self, step(store), turn, NULL);
}

void scan_ready(struct actor *self)
{
	struct store_actor *store = self_of(self);
	if (store->figures.check_all)
		scan_begin(store, false);
	else
		go_slowly(store);
	store->scan_timer = actor_after(self, CHECK_SOON_MS, turn, NULL);
}

/* -- handlers -------------------------------------------------------------------------------------------------------- */

/* One that goes by itself is hurried on: it began at the first blob, too. */
enum err on_store_scan_start(struct actor *self, struct call *call, const struct store_scan_start *in,
			     struct store_scan_start_reply *out)
{
	(void)in;
	struct store_actor *store = self_of(self);
	out->already = store->scan.running;
	if (!store->scan.running)
		scan_begin(store, true);
	else if (!store->scan.asked)
		log_info("store.scan_hurried", "uid=%u", call_asker(call).uid);
	store->scan.asked = true;
	actor_timer_cancel(self, store->scan_timer);
	store->scan_timer = actor_after(self, 0, turn, NULL);
	return ERR_OK;
}

enum err on_store_scan(struct actor *self, struct call *call, const struct store_scan *in,
		       struct store_scan_reply *out)
{
	(void)call, (void)in;
	struct store_actor *store = self_of(self);
	const struct scan *scan = &store->scan;
	struct store_figures now;
	store_figures(store->store, &now);
	*out = (struct store_scan_reply){.running = scan->running,
					 .broke = scan->broke,
					 .done = scan->counts.done,
					 .of = now.blobs,
					 .found = scan->counts.corrupt,
					 .unreadable = scan->counts.unreadable,
					 .corrupt = now.corrupt,
					 .since_ms = scan->since_ms,
					 .finished_ms = scan->finished_ms};
	return ERR_OK;
}

struct names {
	struct blob_row *rows;
	uint32_t count;
};

static void name_one(void *context, const struct cid *cid, uint64_t size)
{
	struct names *names = context;
	names->rows[names->count++] = (struct blob_row){*cid, size};
}

enum err on_store_corrupt(struct actor *self, struct call *call, const struct store_corrupt *in,
			  struct store_corrupt_reply *out)
{
	struct names names = {.rows = arena_take(call_arena(call), CORRUPT_PAGE * sizeof *names.rows)};
	enum err err = store_list_corrupt(self_of(self)->store, in->has_after ? &in->after : NULL, name_one,
					  &names, &out->next, &out->has_next);
	out->blobs = names.rows;
	out->blobs_count = names.count;
	return err;
}
