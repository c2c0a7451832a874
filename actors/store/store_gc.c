/* store@N, how long blobs are kept: the trash is emptied by the clock (age.h), and the collector goes by `gc`, by itself each ten minutes
 * or when an operator says so. Part of the process: runs as it, dies with it; a new birth begins anew. */
#include "actors/store/store_self.h"
#include "actors/base/reasons/reasons.h"
#include "proto/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	FIRST_MS = 10000,     /* after the birth, and then … */
	GC_EVERY_MS = 600000, /* … as seed 003 does */
	TRASH_EVERY_MS = 60000,
	TRASH_AT_ONCE = 64, /* deletes; more of them follow soon */
	SOON_MS = 1000,
	DELETING_MS = 10, /* between two turns of a pass while deletes are under way */
	AN_HOUR = 3600,
};

/* -- the trash ------------------------------------------------------------------------------------------------------- */

struct expiring {
	struct store *store;
	int64_t until;
	unsigned count;
};

static void expire_one(void *context, const struct cid *cid, uint64_t size)
{
	struct expiring *expiring = context;
	(void)size;
	expiring->count++;
	store_purge(expiring->store, cid, expiring->until, NULL, NULL); /* not now: found again */
}

static void keep_age(struct actor *self, void *context)
{
	(void)context;
	store_keep_age(self_of(self)->store);
	actor_after(self, TRASH_EVERY_MS, keep_age, NULL);
}

static void empty_trash(struct actor *self, void *context)
{
	(void)context;
	struct store_actor *store = self_of(self);
	struct expiring expiring = {store->store, store_now(store->store) - store->keeping.trash_seconds, 0};
	if (store->keeping.stopping)
		return;
	store_expired(store->store, expiring.until, TRASH_AT_ONCE, expire_one, &expiring);
	if (expiring.count)
		log_info("store.trash_emptied", "blobs=%u", expiring.count);
	actor_after(self, expiring.count == TRASH_AT_ONCE ? SOON_MS : TRASH_EVERY_MS, empty_trash, NULL);
}

/* -- a pass of the collector ----------------------------------------------------------------------------------------- */

struct pass {
	struct collector collector;
	struct actor *actor;
	struct call *call; /* NULL: it came by itself */
	const struct call_row *row;
};

static void collected(void *context, const struct store_blob *blob)
{
	struct pass *pass = context;
	char cid[CID_TEXT];
	cid_text(&blob->cid, cid);
	log_info("store.collected", "cid=%s size=%" PRIu64 " stored_at=%" PRId64, cid, blob->size,
		 blob->stored_at);
	reason_note(REASON_STORE_COLLECTED, cid, "gc is %s; it was %" PRId64 " days old",
		    gc_mode_word(pass->collector.gc.rules.mode),
		    (pass->collector.gc.now - blob->stored_at) / (24 * AN_HOUR));
	publish_store_collected(pass->actor,
				&(struct store_collected){blob->cid, blob->size, blob->stored_at});
}

static void answer(struct pass *pass)
{
	const struct collector *collector = &pass->collector;
	const struct gc *gc = &collector->gc;
	struct store_gc_reply reply = {.held = store_is_held(collector->store),
				       .free = gc->free,
				       .floor = gc->rules.floor,
				       .days = gc->rules.days,
				       .looked = gc->looked,
				       .pinned = gc->pinned,
				       .collected = collector->collected,
				       .bytes = collector->collected_bytes,
				       .more = gc->more,
				       .chosen_count = gc->count};
	struct chosen_row *rows = arena_take(call_arena(pass->call), GC_MOST * sizeof *rows);
	snprintf(reply.mode, sizeof reply.mode, "%s", gc_mode_word(gc->rules.mode));
	for (unsigned i = 0; i < gc->count; i++)
		rows[i] = (struct chosen_row){gc->chosen[i].cid, gc->chosen[i].size, gc->chosen[i].charge,
					      gc->chosen[i].stored_at};
	reply.chosen = rows;
	actor_reply(pass->call, pass->row, &reply); /* of a plan it has the same fields */
}

static void pass_over(struct actor *self, struct pass *pass)
{
	struct keeping *keeping = &self_of(self)->keeping;
	const struct collector *collector = &pass->collector;
	if (collector->collected)
		log_info("store.gc", "collected=%" PRIu64 " bytes=%" PRIu64 " more=%d", collector->collected,
			 collector->collected_bytes, collector->gc.more);
	if (pass->call && collector->err != ERR_OK)
		call_fail(pass->call, collector->err);
	else if (pass->call)
		answer(pass);
	x_free(&keeping->pass);
}

static void turn_pass(struct actor *self, void *context)
{
	(void)context;
	struct keeping *keeping = &self_of(self)->keeping;
	struct pass *pass = keeping->pass;
	if (keeping->stopping)
		collector_stop(&pass->collector);
	bool over = collector_turn(&pass->collector);
	keeping->deletes = pass->collector.under_way;
	if (pass->collector.high > keeping->deletes_high)
		keeping->deletes_high = pass->collector.high;
	if (over)
		pass_over(self, pass);
	else
		actor_after(self, pass->collector.under_way ? DELETING_MS : 0, turn_pass, NULL);
}

/* The call, if there is one, is answered when it is over. */
static void begin_pass(struct actor *self, struct call *call, const struct call_row *row, bool dry)
{
	struct store_actor *store = self_of(self);
	struct pass *pass = x_new(sizeof *pass);
	*pass = (struct pass){.actor = self, .call = call, .row = row};
	pass->collector.each = collected;
	pass->collector.context = pass;
	store->keeping.pass = pass;
	collector_begin(&pass->collector, store->store, &store->keeping.rules, store_now(store->store), dry);
	actor_after(self, 0, turn_pass, NULL);
}

static void collect(struct actor *self, void *context)
{
	(void)context;
	struct store_actor *store = self_of(self);
	struct keeping *keeping = &store->keeping;
	if (keeping->stopping)
		return;
	actor_after(self, GC_EVERY_MS, collect, NULL);
	if (store_is_held(store->store))
		reason_note(REASON_STORE_GC_HELD, "", "gc is %s, and the index was rebuilt",
			    gc_mode_word(keeping->rules.mode));
	else if (!keeping->pass && !store_only_reads(store->store))
		begin_pass(self, NULL, NULL, false);
}

/* -- calls ----------------------------------------------------------------------------------------------------------- */

enum err on_store_gc_plan(struct actor *self, struct call *call, const struct store_gc_plan *in,
			  struct store_gc_plan_reply *out)
{
	(void)in, (void)out;
	struct keeping *keeping = &self_of(self)->keeping;
	if (keeping->pass || keeping->stopping)
		return ERR_BUSY;
	begin_pass(self, call, &row_store_gc_plan, true);
	return ERR_KEPT;
}

struct release {
	struct actor *actor;
	struct call *call;
};

static void on_released(void *context, enum err err)
{
	struct release *release = context;
	struct keeping *keeping = &self_of(release->actor)->keeping;
	if (err == ERR_OK)
		reason_over(REASON_STORE_GC_HELD, NULL);
	if (err == ERR_OK && (keeping->pass || keeping->stopping))
		err = ERR_BUSY;
	if (err == ERR_OK)
		begin_pass(release->actor, release->call, &row_store_gc, false);
	else
		call_fail(release->call, err);
	x_free(&release);
}

enum err on_store_gc(struct actor *self, struct call *call, const struct store_gc *in,
		     struct store_gc_reply *out)
{
	(void)out;
	struct store_actor *store = self_of(self);
	if (store->keeping.pass || store->keeping.stopping)
		return ERR_BUSY;
	log_info("store.gc_asked", "release=%d uid=%u", in->release, call_asker(call).uid);
	if (!store_is_held(store->store)) {
		begin_pass(self, call, &row_store_gc, false);
		return ERR_KEPT;
	}
	if (!in->release) {
		call_fail_why(call, ERR_REFUSED,
			      "its index was rebuilt, which loses pins; pin again what must stay, then "
			      "release it");
		return ERR_KEPT;
	}
	struct release *release = x_new(sizeof *release);
	*release = (struct release){self, call};
	enum err err = store_release(store->store, on_released, release);
	if (err != ERR_KEPT)
		x_free(&release);
	return err;
}

/* -- life ------------------------------------------------------------------------------------------------------------ */

void keeping_start(struct actor *self)
{
	struct store_actor *store = self_of(self);
	struct gc_rules *rules = &store->keeping.rules;
	store->keeping.trash_seconds = (int64_t)actor_setting_number(self, "trash_hours") * AN_HOUR;
	if (!gc_mode_parse(actor_setting(self, "gc"), &rules->mode))
		rules->mode = GC_OFF; /* the configuration was read by a newer supervisor: rather nothing */
	rules->days = (uint32_t)actor_setting_number(self, "gc_days");
	rules->floor = gc_floor(actor_setting_number(self, "gc_free_mb"), store->figures.quota);
}

void keeping_ready(struct actor *self)
{
	keep_age(self, NULL);
	actor_after(self, FIRST_MS, empty_trash, NULL);
	if (self_of(self)->keeping.rules.mode != GC_OFF)
		actor_after(self, FIRST_MS, collect, NULL);
}

void keeping_limits(struct actor *self)
{
	const struct keeping *keeping = &self_of(self)->keeping;
	actor_limit(self, (struct limit){"blobs being collected", &keeping->deletes, &keeping->deletes_high,
					 NULL, COLLECT_AT_ONCE});
}

void keeping_stop(struct actor *self)
{
	self_of(self)->keeping.stopping = true;
}
