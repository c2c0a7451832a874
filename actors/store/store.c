/* store@N: the blobs of node N, sealed under a key of its own. Runs as its own uid without network; touches its folder, the
 * listener for its own gateway, and the bus. When it dies nothing that was acknowledged is lost; what was under way was never
 * acknowledged and leaves no trace. */
#include "actors/base/actor.h"
#include "actors/base/crypto/crypto.h"
#include "actors/base/reasons/reasons.h"
#include "actors/store/carry.h"
#include "actors/store/ends.h"
#include "actors/store/store_self.h"
#include "proto/store.h"
#include "proto/wallet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MIB = 1048576,
	TEND_MS = 1000,
	ASK_WALLET_MS = 20,        /* between attempts to hear from it who we are: doubled each time … */
	ASK_WALLET_MOST_MS = 1000, /* … up to this */
	DRAIN_MS = 100,
	AGAIN_MS =
		20000, /* of life, before a store that only reads is born anew, as its disk seems mended … */
	AGAIN_BLIND_MS = 300000, /* … or may be */
	AGAIN_CUT_MS = 10000,    /* for those who read meanwhile */
};

HANDLERS(handlers, STORE_CALLS);

/* -- who the node is ------------------------------------------------------------------------------------------------- */

static void ask_wallet(struct actor *self, void *context);

/* Of the two that are asked for. Whatever the wallet is, dead, locked or slow, it is asked again. */
static void one_answer_less(struct actor *self, enum err err)
{
	struct store_actor *store = self_of(self);
	uint16_t node = actor_node(self);
	if (err != ERR_OK)
		reason_about(REASON_WALLET_SILENT, (struct about){STORE, node, store->ask_again_ms}, "",
			     "wallet@%u has not told who the node is: %s", node, err_name(err));
	if (--store->answers_due)
		return;
	if (store->owner_known && store->key_known) {
		reason_over(REASON_WALLET_SILENT, NULL);
		return;
	}
	actor_after(self, store->ask_again_ms, ask_wallet, NULL);
	store->ask_again_ms *= 2;
	if (store->ask_again_ms > ASK_WALLET_MOST_MS)
		store->ask_again_ms = ASK_WALLET_MOST_MS;
}

static void on_address(struct actor *self, void *context, enum err err,
		       const struct wallet_address_reply *reply)
{
	(void)context;
	struct store_actor *store = self_of(self);
	if (err == ERR_OK) {
		snprintf(store->owner, sizeof store->owner, "%s", reply->text);
		store->owner_known = true;
	}
	one_answer_less(self, err);
}

static void on_node_key(struct actor *self, void *context, enum err err,
			const struct wallet_node_key_reply *reply)
{
	(void)context;
	struct store_actor *store = self_of(self);
	if (err == ERR_OK) {
		store->key = reply->key;
		snprintf(store->peer_id, sizeof store->peer_id, "%s", reply->peer_id);
		store->key_known = true;
	}
	one_answer_less(self, err);
}

static void ask_wallet(struct actor *self, void *context)
{
	(void)context;
	struct store_actor *store = self_of(self);
	uint16_t node = actor_node(self);
	store->answers_due = 2;
	enum err err = ask_wallet_address(self, node, &(struct wallet_address){}, on_address, NULL);
	if (err != ERR_OK)
		one_answer_less(self, err);
	err = ask_wallet_node_key(self, node, &(struct wallet_node_key){}, on_node_key, NULL);
	if (err != ERR_OK)
		one_answer_less(self, err);
}

/* -- handlers -------------------------------------------------------------------------------------------------------- */

enum err on_store_open(struct actor *self, struct call *call, const struct store_open *in,
		       struct store_open_reply *out)
{
	(void)call, (void)in;
	out->ticket = streams_ticket(self_of(self)->streams);
	return ERR_OK;
}

enum err on_store_stat(struct actor *self, struct call *call, const struct store_stat *in,
		       struct store_stat_reply *out)
{
	(void)call, (void)in;
	struct store_figures now;
	store_figures(self_of(self)->store, &now);
	*out = (struct store_stat_reply){.blobs = now.blobs,
					 .bytes = now.bytes,
					 .used = now.used,
					 .quota = now.quota,
					 .physical = now.physical,
					 .corrupt = now.corrupt,
					 .writable = !now.trouble,
					 .puts = now.puts,
					 .gets = now.gets,
					 .groups = now.groups};
	snprintf(out->trouble, sizeof out->trouble, "%s", now.trouble ? now.trouble : "");
	return ERR_OK;
}

enum err on_store_node(struct actor *self, struct call *call, const struct store_node *in,
		       struct store_node_reply *out)
{
	(void)in;
	const struct store_actor *store = self_of(self);
	struct shard_range *ranges = arena_take(call_arena(call), SHARD_SPANS * sizeof *ranges);
	for (unsigned i = 0; i < store->shards.spans; i++)
		ranges[i] = (struct shard_range){store->shards.span[i].start, store->shards.span[i].end};
	out->known = store->key_known && store->owner_known;
	out->key = store->key;
	snprintf(out->peer_id, sizeof out->peer_id, "%s", store->peer_id);
	snprintf(out->owner, sizeof out->owner, "%s", store->owner);
	out->shard_count = store->shards.count;
	out->shards = ranges;
	out->shards_count = store->shards.spans;
	return ERR_OK;
}

enum err on_store_head(struct actor *self, struct call *call, const struct store_head *in,
		       struct store_head_reply *out)
{
	(void)call;
	struct store_row row;
	enum err err = store_head(self_of(self)->store, &in->cid, &row);
	if (err == ERR_OK)
		*out = (struct store_head_reply){row.size, row.charge, row.stored_at};
	return err;
}

/* -- what the tap hears ---------------------------------------------------------------------------------------------- */

static void put_done(void *context, const struct stored *stored, uint64_t ms)
{
	publish_store_put_done(
		context, &(struct store_put_done){stored->cid, stored->size, stored->fresh, (uint32_t)ms});
}

static void get_done(void *context, const struct cid *cid, uint64_t bytes, uint64_t ms, enum err end)
{
	struct store_get_done done = {.cid = *cid, .bytes = bytes, .ms = (uint32_t)ms};
	snprintf(done.end, sizeof done.end, "%s", err_name(end));
	publish_store_get_done(context, &done);
}

static void corrupted(void *context, const struct cid *cid, uint64_t chunk)
{
	publish_store_corrupted(context, &(struct store_corrupted){*cid, chunk});
}

/* -- turning --------------------------------------------------------------------------------------------------------- */

static void turn_store(struct actor *self, void *context, int fd, short events)
{
	(void)context, (void)fd, (void)events;
	store_turn(self_of(self)->store);
	streams_turn(self_of(self)->streams); /* what was committed is told at once */
}

static void turn_streams(struct actor *self, void *context, int fd, short events)
{
	(void)context, (void)fd, (void)events;
	streams_turn(self_of(self)->streams);
}

static void hold(struct actor *self, enum alert_code code, bool holds, const char *detail)
{
	if (holds)
		actor_alert(self, code, "%s", detail);
	else
		actor_alert_over(self, code);
}

/* Full begins above 95 % and is over below 94 %, so that one upload and one delete do not make two letters. */
static void alert(struct actor *self, const struct store_figures *f)
{
	struct store_actor *store = self_of(self);
	char detail[80];
	snprintf(detail, sizeof detail, "%" PRIu64 " of %" PRIu64 " blobs", f->corrupt, f->blobs);
	hold(self, ALERT_STORE_CORRUPT, f->corrupt, detail);
	store->full = f->used > f->quota / 100 * (store->full ? 94 : 95);
	snprintf(detail, sizeof detail, "of %" PRIu64 " MiB", f->quota / MIB);
	hold(self, ALERT_STORE_FULL, store->full, detail);
	hold(self, ALERT_STORE_READ_ONLY, f->trouble && f->read_only, f->trouble ? f->trouble : "");
	hold(self, ALERT_DISK_REFUSES, f->trouble && !f->read_only, f->trouble ? f->trouble : "");
}

static void drain(struct actor *self);

/* What was opened for reading alone is opened for writing by a new birth, which ends what was left open. */
static void try_again(struct actor *self)
{
	struct store_actor *store = self_of(self);
	uint64_t life = now_ms() - store->opened_ms;
	if (store->again_ms || life < AGAIN_MS || !store_only_reads(store->store))
		return;
	bool mended = store_seems_mended(store->store);
	if (!mended && life < AGAIN_BLIND_MS)
		return;
	log_warn("store.again", "mended=%d then=\"a new birth looks at the disk\"", mended);
	store->again_ms = now_ms();
	drain(self);
}

static void tend(struct actor *self, void *context)
{
	(void)context;
	struct store_actor *store = self_of(self);
	store_tend(store->store);
	streams_tend(store->streams, now_ms());
	store_figures(store->store, &store->figures);
	alert(self, &store->figures);
	try_again(self);
}

/* -- life ------------------------------------------------------------------------------------------------------------ */

static int shape_of(struct actor *self, struct store_shape *shape)
{
	struct store_actor *store = self_of(self);
	char why[SHARDS_WHY];
	const char *wrong =
		shards_parse(actor_setting(self, "shards"),
			     (uint32_t)actor_setting_number(self, "shard_count"), &store->shards, why);
	if (wrong) {
		log_error("store.shards", "why=\"%s\"", wrong);
		reason_note(REASON_SHARDS_WRONG, "", "%s", wrong);
		return EXIT_CONFIG;
	}
	*shape = (struct store_shape){.folder = actor_self_path(self),
				      .node = actor_node(self),
				      .quota = actor_setting_number(self, "quota_mb") * MIB,
				      .max_blob = actor_setting_number(self, "max_blob_mb") * MIB,
				      .shards = store->shards,
				      .secret = actor_secret(self)};
	return 0;
}

/* Into a backup or out of one (carry.h). What was restored is then read whole, as a life of the store would. */
static enum store_end carry(struct actor *self, struct store_shape *shape, char why[STORE_WHY])
{
	uint8_t flags = actor_init_flags(self);
	bool scratch = flags & BIRTH_SCRATCH;
	struct carried carried;
	char id[33];
	enum store_end end = flags & BIRTH_BACKUP
				     ? carry_out(shape, flags & BIRTH_BLOBS, FD_FIRST, &carried, why)
				     : carry_in(shape, scratch, FD_FIRST, &carried, why);
	if (scratch)
		shape->quota = 8 * MIB; /* so that its index reserves little, too */
	if (end == STORE_OK && flags & BIRTH_RESTORE)
		end = carry_check(shape, &carried, why);
	if (end == STORE_OK)
		printf("store %s\nblobs %" PRIu64 "\nbytes %" PRIu64 "\nlisted %" PRIu64 "\ndamaged %" PRIu64
		       "\n",
		       hex_text(carried.store.bytes, sizeof carried.store.bytes, id), carried.blobs,
		       carried.bytes, carried.listed, carried.damaged);
	return end;
}

static int init(struct actor *self)
{
	struct store_shape shape;
	uint64_t physical = 0;
	bool found = false, carries = actor_init_flags(self) & (BIRTH_BACKUP | BIRTH_RESTORE);
	char why[STORE_WHY];
	int failed = shape_of(self, &shape);
	if (failed)
		return failed;
	enum store_end end = carries ? carry(self, &shape, why) : store_init(&shape, &physical, &found, why);
	if (end != STORE_OK) {
		log_error("store.init", "why=\"%s\"", why);
		return store_exit_code(end);
	}
	if (!carries)
		printf("quota %" PRIu64 "\nphysical %" PRIu64 "\nstore %s\n", shape.quota / MIB, physical,
		       found ? "found" : "made");
	return fflush(stdout) == 0 ? 0 : EXIT_WORLD;
}

static void pulse(void *context)
{
	(void)context;
	actor_alive();
}

static int start(struct actor *self)
{
	struct store_actor *store = self_of(self);
	struct store_shape shape;
	char why[STORE_WHY];
	int failed = shape_of(self, &shape);
	if (failed)
		return failed;
	shape.working = pulse;
	enum store_end end = store_open(&store->store, &shape, why);
	actor_forget_secret(self);
	if (end != STORE_OK) {
		log_error("store.open", "why=\"%s\"", why);
		reason_note(store_reason(end), "", "%s", why);
		return store_exit_code(end);
	}
	const struct streams_events events = {put_done, get_done, self};
	/* Without root all processes are one uid; then only the ticket tells our gateway from others. */
	uint32_t gateway = actor_lacks(self, WALL_UID) ? getuid() : getuid() + GATEWAY - STORE;
	store->streams = streams_new(actor_inherited(self, FD_STREAM), gateway, store->store,
				     store->shards.count, &events);
	if (!store->streams)
		return EXIT_WORLD;
	store->provers = provers_new(store->store);
	store->opened_ms = now_ms();
	if (store_only_reads(store->store))
		reason_about(
			REASON_STORE_DISK, (struct about){STORE, actor_node(self), AGAIN_BLIND_MS}, "",
			"its disk was read-only when it was opened; once that is mended it opens it anew");
	store_on_corrupt(store->store, corrupted, self);
	store_figures(store->store, &store->figures);
	keeping_start(self);
	log_info("store.opened", "blobs=%" PRIu64 " used=%" PRIu64 " quota=%" PRIu64 "%s%s",
		 store->figures.blobs, store->figures.used, store->figures.quota,
		 store->figures.rebuilt ? " index=rebuilt" : "",
		 store->figures.check_all ? " check=all" : "");
	return 0;
}

static void show_limits(struct actor *self)
{
	struct store_figures *f = &self_of(self)->figures;
	const struct streams_counts *counts = streams_counts(self_of(self)->streams);
	actor_limit(self, (struct limit){"transfers", &counts->transfers, &counts->transfers_high,
					 &counts->transfers_refused, STREAM_TRANSFERS});
	actor_limit(self, (struct limit){"connections", &counts->links, &counts->links_high,
					 &counts->links_refused, STREAM_LINKS});
	actor_limit(self,
		    (struct limit){"puts open", &f->puts_open, &f->puts_high, &f->puts_refused, STORE_PUTS});
	actor_limit(self,
		    (struct limit){"gets open", &f->gets_open, &f->gets_high, &f->gets_refused, STORE_GETS});
	actor_limit(self, (struct limit){"waiting for the committer", &f->waiting, &f->waiting_high,
					 &f->waiting_refused, STORE_PUTS});
	const struct proofs_told *told = proofs_told(self_of(self)->provers);
	actor_limit(self,
		    (struct limit){"proofs under way", &told->depth, &told->high, &told->refused, PROVERS});
	actor_limit(self,
		    (struct limit){"pages of run lists", &f->slot_pages, NULL, NULL, f->slot_pages_limit});
	keeping_limits(self);
	actor_limit(self, (struct limit){"bytes used", &f->used, NULL, NULL, f->quota});
}

static void ready(struct actor *self)
{
	actor_watch(self, store_fd(self_of(self)->store), POLLIN, turn_store, NULL);
	actor_watch(self, streams_fd(self_of(self)->streams), POLLIN, turn_streams, NULL);
	actor_every(self, TEND_MS, tend, NULL);
	scan_ready(self);
	keeping_ready(self);
	show_limits(self);
	self_of(self)->ask_again_ms = ASK_WALLET_MS;
	ask_wallet(self, NULL);
}

static void end_when_idle(struct actor *self, void *context)
{
	(void)context;
	struct store_actor *store = self_of(self);
	bool late = store->again_ms && now_ms() > store->again_ms + AGAIN_CUT_MS;
	bool idle = streams_idle(store->streams) && store_idle(store->store) &&
		    !proofs_told(store->provers)->depth && !store->keeping.pass;
	if (!late && !idle) {
		actor_after(self, DRAIN_MS, end_when_idle, NULL);
		return;
	}
	if (store->again_ms) /* nothing is written, so there is nothing to close */
		exit(EXIT_WORLD);
	streams_free(&store->streams);
	provers_free(&store->provers);
	store_close(&store->store);
	actor_drained(self);
}

static void drain(struct actor *self)
{
	store_refuse(self_of(self)->store);
	keeping_stop(self);
	end_when_idle(self, NULL);
}

int main(void)
{
	static struct store_actor self;
	static const struct actor_spec spec = {.kind = STORE,
					       .handlers = handlers,
					       .start = start,
					       .ready = ready,
					       .drain = drain,
					       .init = init};
	return actor_main(&spec, &self);
}
