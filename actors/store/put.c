/* A blob on its way in: reserved, hashed, sealed, written, and handed to the committer. Main thread; touches the arena. */
#include "actors/store/store_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/proof/merkle.h"

#include <string.h>

struct put {
	struct store *store;
	struct put *next, **link; /* in store->puts */
	struct job job;           /* job.blob is what is being made */
	struct sealer *sealer;
	struct sha256 *sum;
	struct merkle merkle;
	uint64_t declared; /* SIZE_UNKNOWN, or what was reserved at the beginning */
	uint64_t received;
	uint64_t reserved; /* units */
	uint8_t *image;    /* room for the header, one chunk, its tag */
	size_t room;       /* of the chunk in it */
	uint64_t filled;   /* of the chunk */
	uint64_t chunks;   /* written to the arena */
	bool wakes;        /* these bytes are in the trash: they are taken out */

	put_end_fn *end; /* set: being committed */
	void *context;
	struct put *followers; /* of the same bytes: they end when this one does, linked by `follower` */
	struct put *follower;
};

/* -- beginning and giving up ----------------------------------------------------------------------------------------- */

static bool reserve(struct put *put, uint64_t units)
{
	struct store *store = put->store;
	if (units <= put->reserved)
		return true;
	uint64_t more = units - put->reserved;
	if (store->used_units > store->quota_units || more > store->quota_units - store->used_units)
		return false;
	store->used_units += more;
	store->reserved_units += more;
	put->reserved = units;
	return true;
}

/* Units for the first `units` units of the blob. They are there: they were reserved, and slots have the slack. */
static void allocate(struct put *put, uint64_t units)
{
	struct runs *runs = &put->job.blob.runs;
	if (units > runs->units)
		bug_if(!freemap_take(put->store->map, units - runs->units, runs));
}

static void unlink_put(struct put *put)
{
	*put->link = put->next;
	if (put->next)
		put->next->link = put->link;
	put->store->puts_open--;
}

static void put_free(struct put *put)
{
	unlink_put(put);
	sealer_free(&put->sealer);
	sha256_drop(&put->sum);
	x_free(&put->image);
	x_free(&put);
}

/* Gives back what it held. Whatever it wrote is in units that are free again. */
static void let_go(struct put *put)
{
	put->store->used_units -= put->reserved;
	put->store->reserved_units -= put->reserved;
	put->reserved = 0;
	units_give(put->store, &put->job.blob);
}

void store_put_abort(struct put **put)
{
	if (!*put)
		return;
	let_go(*put);
	put_free(*put);
	*put = NULL;
}

void puts_drop(struct store *store)
{
	for (struct put *put = store->puts, *next; put; put = next) {
		next = put->next;
		if (!put->end)
			store_put_abort(&put);
	}
}

static enum err admit(struct store *store, uint64_t size)
{
	if (store->refusing)
		return ERR_NOT_READY;
	if (size != SIZE_UNKNOWN && size > store->shape.max_blob)
		return ERR_TOO_LARGE;
	if (store->trouble)
		return ERR_DISK;
	return store->puts_open < STORE_PUTS ? ERR_OK : ERR_BUSY;
}

enum err store_put_begin(struct store *store, uint64_t size, struct put **put)
{
	enum err err = admit(store, size);
	*put = NULL;
	if (err != ERR_OK) {
		store->puts_refused += err == ERR_BUSY;
		return err;
	}
	struct put *new = x_new(sizeof *new);
	*new = (struct put){.store = store, .declared = size, .next = store->puts, .link = &store->puts};
	if (new->next)
		new->next->link = &new->next;
	store->puts = new;
	if (++store->puts_open > store->puts_high)
		store->puts_high = store->puts_open;
	uint64_t units = blob_units(size == SIZE_UNKNOWN ? 0 : size, store->arena.unit);
	if (!reserve(new, units)) {
		store_put_abort(&new);
		return ERR_FULL;
	}
	if (size != SIZE_UNKNOWN)
		allocate(new, units); /* together, where there is such a stretch */
	random_bytes(&new->job.blob.id, sizeof new->job.blob.id);
	new->sealer = blob_sealer(store->keys, &new->job.blob.id);
	new->sum = sha256_begin();
	new->room = size < CHUNK ? (size_t)size : CHUNK;
	new->image = x_grow(NULL, BLOB_HEADER + new->room + SEAL_TAG);
	*put = new;
	return ERR_OK;
}

/* -- bytes ----------------------------------------------------------------------------------------------------------- */

static enum err wrote(struct store *store, int failed)
{
	if (failed)
		store_troubled(store, "the disk refuses the arena", failed);
	return failed ? ERR_DISK : ERR_OK;
}

/* Seals a whole chunk where it lies and writes it; there will be another one. */
static enum err flush(struct put *put)
{
	uint64_t at = chunk_at(put->chunks), end = at + CHUNK_SEALED;
	uint8_t *chunk = put->image + BLOB_HEADER;
	uint32_t unit = put->store->arena.unit;
	allocate(put, (end + unit - 1) / unit);
	chunk_seal(put->sealer, put->chunks++, false, chunk, CHUNK, chunk);
	put->filled = 0;
	return wrote(put->store,
		     arena_write(&put->store->arena, &put->job.blob.runs, at, chunk, CHUNK_SEALED));
}

static enum err may_take(const struct put *put, uint64_t size)
{
	if (put->declared != SIZE_UNKNOWN)
		return size <= put->declared ? ERR_OK : ERR_BAD_VALUE;
	return size <= put->store->shape.max_blob ? ERR_OK : ERR_TOO_LARGE;
}

enum err store_put_data(struct put *put, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	bug_if(put->end);
	enum err err = may_take(put, put->received + length);
	if (err == ERR_OK && !reserve(put, blob_units(put->received + length, put->store->arena.unit)))
		err = ERR_FULL;
	if (err != ERR_OK)
		return err;
	sha256_add(put->sum, from, length);
	merkle_add(&put->merkle, from, length);
	put->received += length;
	while (length) {
		if (put->filled == CHUNK && (err = flush(put)) != ERR_OK)
			return err;
		size_t take = put->room - put->filled < length ? put->room - put->filled : length;
		memcpy(put->image + BLOB_HEADER + put->filled, from, take);
		put->filled += take;
		from += take;
		length -= take;
	}
	return ERR_OK;
}

/* -- the end --------------------------------------------------------------------------------------------------------- */

/* The last chunk, and the header when nothing else is missing. A blob of one chunk goes in one piece. */
static enum err finish(struct put *put)
{
	struct store *store = put->store;
	struct blob *blob = &put->job.blob;
	allocate(put, blob_units(blob->size, store->arena.unit));
	blob->slot_count = slots_for(blob->runs.count);
	if (blob->slot_count) {
		blob->slots = x_new_array(blob->slot_count, sizeof *blob->slots);
		bug_if(!slots_take(&store->slots, blob->slots, blob->slot_count));
	}
	uint8_t *chunk = put->image + BLOB_HEADER;
	size_t sealed = put->filled + SEAL_TAG;
	chunk_seal(put->sealer, put->chunks, true, chunk, put->filled, chunk);
	int failed = 0;
	if (put->chunks)
		failed = arena_write(&store->arena, &blob->runs, chunk_at(put->chunks), chunk, sealed);
	if (!failed)
		failed = arena_write_start(&store->arena, store->keys, &store->marker.store, blob,
					   store->counts.sequence, put->image,
					   put->chunks ? BLOB_HEADER : BLOB_HEADER + sealed);
	if (failed)
		arena_void(&store->arena, blob->runs.run[0].start);
	return wrote(store, failed);
}

static struct put *same_under_way(struct store *store, const struct cid *cid)
{
	for (struct put *put = store->puts; put; put = put->next)
		if (put->end && !put->follower && memcmp(&put->job.blob.cid, cid, sizeof *cid) == 0)
			return put;
	return NULL;
}

static enum err commit(struct put *put)
{
	struct store *store = put->store;
	struct blob *blob = &put->job.blob;
	blob->sequence = store->head.birth << SEQUENCE_BITS | ++store->number;
	blob->stored_at = age_stamp(&store->age);
	merkle_end(&put->merkle, &blob->root);
	enum err err = finish(put);
	if (err != ERR_OK)
		return err;
	put->job.kind = JOB_PUT;
	put->job.owner = put;
	if (committer_add(store->committer, &put->job))
		return ERR_KEPT;
	return wrote(store, arena_void(&store->arena, blob->runs.run[0].start)) == ERR_OK ? ERR_BUSY
											  : ERR_DISK;
}

/* What is here already need not be stored; what is here and corrupt gives way, but for its pin. ERR_KEPT: it has to be stored, or
 * taken out of the trash. */
static enum err already(struct put *put, struct stored *stored)
{
	struct store *store = put->store;
	struct blob here;
	enum index_end end = index_look(store->reads, &put->job.blob.cid, &here);
	if (end == INDEX_NONE)
		return ERR_KEPT;
	if (end != INDEX_OK)
		return store_index_err(store, end);
	if (here.corrupt || store_knows_corrupt(store, &here.id)) {
		put->job.blob.pinned = here.pinned;
		return store_forget(store, &here.cid) ? ERR_KEPT : ERR_BUSY;
	}
	put->wakes = here.trashed;
	if (put->wakes)
		return ERR_KEPT;
	*stored = (struct stored){here.cid, here.size, false};
	return ERR_OK;
}

static enum err put_whole(struct put *put, struct stored *stored)
{
	struct store *store = put->store;
	if (put->declared != SIZE_UNKNOWN && put->received != put->declared)
		return ERR_TRUNCATED;
	put->job.blob.size = put->received;
	sha256_end(&put->sum, put->job.blob.cid.bytes);
	stored->cid = put->job.blob.cid;
	if (!shards_keep(&store->shape.shards, cid_shard(&stored->cid, store->shape.shards.count)))
		return ERR_WRONG_SHARD;
	if (store->trouble)
		return ERR_DISK;
	struct put *first = same_under_way(store, &put->job.blob.cid);
	if (!first)
		return already(put, stored);
	let_go(put);
	put->follower = first->followers ? first->followers : put;
	first->followers = put;
	return ERR_KEPT;
}

/* Acknowledged once it is out of the trash for sure. What the put wrote is kept until then: it may have been purged meanwhile. */
static enum err wake(struct put *put)
{
	put->job.kind = JOB_RESTORE;
	put->job.owner = put;
	return committer_add(put->store->committer, &put->job) ? ERR_KEPT : ERR_BUSY;
}

enum err store_put_end(struct put **at, struct stored *stored, put_end_fn *end, void *context)
{
	struct put *put = *at;
	struct store *store = put->store;
	*at = NULL;
	enum err err = put_whole(put, stored);
	if (err == ERR_KEPT && !put->follower)
		err = put->wakes ? wake(put) : commit(put);
	if (err == ERR_OK || err == ERR_KEPT)
		store->put_count++;
	if (err == ERR_KEPT) {
		put->end = end;
		put->context = context;
	} else {
		store_put_abort(&put);
	}
	return err;
}

/* The last of the chain of followers is its own follower. */
static void end_followers(struct put *put, enum err err, struct stored stored)
{
	stored.fresh = false;
	while (put) {
		struct put *next = put->follower == put ? NULL : put->follower;
		put->end(put->context, err, &stored);
		put_free(put);
		put = next;
	}
}

static void tell(struct put *put, enum err err, struct stored stored)
{
	struct put *followers = put->followers;
	put->end(put->context, err, &stored);
	put_free(put);
	end_followers(followers, err, stored);
}

void put_committed(struct store *store, struct job *job)
{
	struct put *put = job->owner;
	struct stored stored = {job->blob.cid, job->blob.size, true};
	if (job->err == ERR_OK) {
		store->reserved_units -= put->reserved;
		blob_end(&job->blob);
	} else {
		store_troubled(store, job->why, 0);
		let_go(put);
	}
	tell(put, job->err, stored);
}

void put_woken(struct store *store, struct job *job)
{
	struct put *put = job->owner;
	enum err err = job->err;
	struct stored stored = {job->blob.cid, job->blob.size, false};
	if (err == ERR_NOT_FOUND)
		err = commit(put);
	else if (err == ERR_DISK)
		store_troubled(store, job->why, 0);
	if (err == ERR_KEPT)
		return;
	let_go(put);
	tell(put, err, stored);
}
