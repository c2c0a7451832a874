/* Pins, the trash, and what a collector needs: asked of the committer, told when it is durable. Main thread. */
#include "actors/store/store_inside.h"

#include <string.h>

enum err store_pin(struct store *store, const struct cid *cid, bool pinned, delete_end_fn *end, void *context)
{
	struct errand *pin = errand_new(JOB_PIN, cid);
	pin->job.pinned = pinned;
	return errand_go(store, pin, end, context);
}

enum err store_trash(struct store *store, const struct cid *cid, int64_t now, delete_end_fn *end,
		     void *context)
{
	struct errand *trash = errand_new(JOB_TRASH, cid);
	trash->job.when = now > 0 ? now : 1; /* 0 would say that it is not there */
	return errand_go(store, trash, end, context);
}

enum err store_restore(struct store *store, const struct cid *cid, delete_end_fn *end, void *context)
{
	return errand_go(store, errand_new(JOB_RESTORE, cid), end, context);
}

enum err store_purge(struct store *store, const struct cid *cid, int64_t until, delete_end_fn *end,
		     void *context)
{
	struct errand *purge = errand_new(JOB_PURGE, cid);
	purge->job.when = until;
	return errand_go(store, purge, end, context);
}

enum err store_collect(struct store *store, const struct store_blob *blob, delete_end_fn *end, void *context)
{
	struct errand *collect = errand_new(JOB_COLLECT, &blob->cid);
	memcpy(&collect->job.forget, blob->id, sizeof collect->job.forget);
	return errand_go(store, collect, end, context);
}

bool store_is_held(const struct store *store)
{
	return store->counts.held;
}

enum err store_release(struct store *store, delete_end_fn *end, void *context)
{
	return errand_go(store, errand_new(JOB_RELEASE, NULL), end, context);
}

/* -- looking --------------------------------------------------------------------------------------------------------- */

struct looking {
	uint32_t unit;
	store_blob_fn *each;
	void *context;
};

static void one_row(void *context, const struct blob *blob)
{
	const struct looking *looking = context;
	struct store_blob row = {.cid = blob->cid,
				 .size = blob->size,
				 .charge = blob_units(blob->size, looking->unit) * looking->unit,
				 .stored_at = blob->stored_at,
				 .trashed = blob->trashed,
				 .pinned = blob->pinned,
				 .corrupt = blob->corrupt};
	_Static_assert(sizeof row.id == sizeof blob->id, "an id is 16 bytes");
	memcpy(row.id, &blob->id, sizeof row.id);
	looking->each(looking->context, &row);
}

enum err store_blobs(struct store *store, const struct cid *after, uint32_t most, store_blob_fn *each,
		     void *context)
{
	struct looking looking = {store->arena.unit, each, context};
	return store_index_err(store, index_rows(store->reads, after, most, one_row, &looking));
}

enum err store_expired(struct store *store, int64_t until, uint32_t most, store_list_fn *each, void *context)
{
	return store_index_err(store, index_expired(store->reads, until, most, each, context));
}
