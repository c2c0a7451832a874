/* A pass of the collector. Main thread; see collector.h. A death in the middle leaves each blob there or gone, as any delete does;
 * the next pass looks anew. */
#include "actors/store/collector.h"

#include "actors/base/log/log.h"

void collector_begin(struct collector *collector, struct store *store, const struct gc_rules *rules,
		     int64_t now, bool dry)
{
	struct store_figures figures;
	bug_if(collector->state != COLLECTOR_IDLE);
	store_figures(store, &figures);
	gc_begin(&collector->gc, rules, now, figures.used < figures.quota ? figures.quota - figures.used : 0);
	collector->store = store;
	collector->collected = collector->collected_bytes = 0;
	collector->err = ERR_OK;
	collector->dry = dry;
	collector->first = true;
	collector->next = 0;
	collector->state = COLLECTOR_LOOKS;
}

static void look(void *context, const struct store_blob *blob)
{
	struct collector *collector = context;
	gc_look(&collector->gc, blob);
	collector->after = blob->cid;
	collector->page++;
}

static void look_at_page(struct collector *collector)
{
	struct cid after = collector->after;
	collector->page = 0;
	collector->err = store_blobs(collector->store, collector->first ? NULL : &after, COLLECT_PAGE, look,
				     collector);
	collector->first = false;
	if (collector->err == ERR_OK && collector->page == COLLECT_PAGE)
		return;
	if (collector->err != ERR_OK)
		collector->gc.count = 0;
	gc_choose(&collector->gc);
	collector->state = collector->dry ? COLLECTOR_IDLE : COLLECTOR_DELETES;
}

static void deleted(void *context, enum err err)
{
	struct collecting *slot = context;
	struct collector *collector = slot->collector;
	const struct store_blob *blob = &collector->gc.chosen[slot->at];
	slot->busy = false;
	collector->under_way--;
	if (err == ERR_OK) {
		collector->collected++;
		collector->collected_bytes += blob->charge;
		if (collector->each)
			collector->each(collector->context, blob);
	} else if (err == ERR_DISK) {
		collector->err = err;
	} /* else it was pinned, deleted or stored anew since it was looked at */
}

static void delete_some(struct collector *collector)
{
	struct gc *gc = &collector->gc;
	for (unsigned i = 0; i < COLLECT_AT_ONCE && collector->next < gc->count; i++) {
		struct collecting *slot = &collector->deletes[i];
		if (slot->busy)
			continue;
		*slot = (struct collecting){collector, collector->next, true};
		enum err err = store_collect(collector->store, &gc->chosen[slot->at], deleted, slot);
		slot->busy = err == ERR_KEPT;
		if (err == ERR_DISK)
			collector->err = err;
		if (err != ERR_KEPT)
			return;
		collector->next++;
		if (++collector->under_way > collector->high)
			collector->high = collector->under_way;
	}
}

void collector_stop(struct collector *collector)
{
	if (collector->state != COLLECTOR_IDLE)
		collector->err = ERR_NOT_READY;
	if (collector->state == COLLECTOR_LOOKS)
		collector->state = COLLECTOR_IDLE;
}

bool collector_turn(struct collector *collector)
{
	if (collector->state == COLLECTOR_LOOKS)
		look_at_page(collector);
	if (collector->state == COLLECTOR_DELETES) {
		if (collector->err == ERR_OK)
			delete_some(collector);
		bool over = collector->err != ERR_OK || collector->next == collector->gc.count;
		if (over && !collector->under_way)
			collector->state = COLLECTOR_IDLE;
	}
	return collector->state == COLLECTOR_IDLE;
}
