/* A new birth of a store: what the one before left open is ended. Main thread, before the store is open. */
#include "actors/store/open_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <unistd.h>

void blobs_keep(struct blobs *blobs, struct blob *blob)
{
	if (blobs->count == blobs->room) {
		blobs->room = blobs->room ? blobs->room * 2 : 16;
		blobs->blob = x_grow(blobs->blob, blobs->room * sizeof *blobs->blob);
	}
	blobs->blob[blobs->count++] = *blob;
	*blob = (struct blob){0};
}

void blobs_end(struct blobs *blobs)
{
	for (size_t i = 0; i < blobs->count; i++)
		blob_end(&blobs->blob[i]);
	x_free(&blobs->blob);
	*blobs = (struct blobs){0};
}

/* -- a new birth ----------------------------------------------------------------------------------------------------- */

/* What the last birth may have left behind is void from now on; see head.h. */
int begin_birth(struct store *store)
{
	struct head *head = &store->head;
	if (head->birth && !head->clean) {
		store->check_all |= head_machine_restarted(head);
		if (head->void_count == HEAD_VOIDS) {
			log_warn("store.orphans",
				 "why=\"%u births ended without notice; their orphans are erased\"",
				 HEAD_VOIDS);
			int failed = orphans_erase(store);
			if (failed)
				return failed;
			head->void_count = 0;
		}
		uint64_t through = store->counts.sequence >> SEQUENCE_BITS == head->birth
					   ? store->counts.sequence & SEQUENCE_NUMBER
					   : 0;
		head->voids[head->void_count++] = (struct head_void){head->birth, through};
	}
	head->birth++;
	head->clean = false;
	head->units = store->arena.units;
	head_machine_now(head);
	int failed = head_write(store->arena.fd, head, store->keys);
	if (failed)
		return failed;
	return fdatasync(store->arena.fd) == 0 ? 0 : errno;
}

/* Deletes that were acknowledged to nobody yet: their headers go, then their rows. */
static enum index_end bury(struct opening *o)
{
	struct store *store = o->store;
	struct index_counts counts = store->counts;
	for (size_t i = 0; i < o->dying.count; i++) {
		counts.units -= o->dying.blob[i].runs.units;
		if (arena_void(&store->arena, o->dying.blob[i].runs.run[0].start) != 0)
			return INDEX_DISK;
	}
	if (fdatasync(store->arena.fd) != 0)
		return INDEX_DISK;
	enum index_end end = index_begin(store->writes);
	for (size_t i = 0; i < o->dying.count && end == INDEX_OK; i++)
		end = index_bury(store->writes, &o->dying.blob[i].id);
	if (end == INDEX_OK)
		end = index_commit(store->writes, &counts);
	if (end != INDEX_OK)
		return end;
	store->counts = counts;
	for (size_t i = 0; i < o->dying.count; i++) {
		store->used_units -= o->dying.blob[i].runs.units;
		units_give(store, &o->dying.blob[i]);
	}
	o->dying.count = 0;
	return INDEX_OK;
}

/* A put of the same bytes will be told that they are here already, so here they must be. */
static int make_sure(struct store *store, const struct blob *blob)
{
	struct blob there;
	uint64_t through;
	if (arena_read_header(&store->arena, store->keys, &store->marker.store, blob->runs.run[0].start,
			      &there, &through) != 0)
		return 0;
	int failed = arena_write_again(&store->arena, &there);
	blob_end(&there);
	return failed;
}

/* Blobs of the last group, whose row was on the disk before their bytes were: as if they had been deleted. */
static enum index_end drop(struct opening *o)
{
	struct store *store = o->store;
	struct index_counts counts = store->counts;
	struct blobs dropped = {0};
	enum index_end end = index_begin(store->writes);
	for (size_t i = 0; i < o->doubtful.count && end == INDEX_OK; i++) {
		struct blob *blob = &o->doubtful.blob[i], was;
		if (store->shape.working)
			store->shape.working(store->shape.working_context);
		if (blob_is_there(store, blob)) {
			if (make_sure(store, blob) != 0)
				end = INDEX_DISK;
			continue;
		}
		end = index_die(store->writes, &blob->cid, &blob->id, &was);
		if (end != INDEX_OK)
			break;
		counts.blobs--;
		counts.bytes -= was.size;
		counts.corrupt -= was.corrupt;
		blobs_keep(&dropped, &was);
	}
	if (end == INDEX_OK && fdatasync(store->arena.fd) != 0)
		end = INDEX_DISK;
	if (end == INDEX_OK)
		end = index_commit(store->writes, &counts);
	for (size_t i = 0; i < dropped.count && end == INDEX_OK; i++)
		blobs_keep(&o->dying, &dropped.blob[i]);
	if (end == INDEX_OK) {
		store->counts = counts;
		blobs_end(&o->doubtful);
	}
	blobs_end(&dropped);
	return end;
}

/* A first commit makes the index's log. SQLite syncs the folder then and does not look whether that failed: we do. */
static enum index_end begin_log(struct opening *o)
{
	struct store *store = o->store;
	store->counts.synced = store->counts.sequence; /* all of it was looked at */
	enum index_end end = index_begin_log_anew(store->writes);
	if (end == INDEX_OK)
		end = index_begin(store->writes);
	if (end == INDEX_OK)
		end = index_commit(store->writes, &store->counts);
	if (end == INDEX_OK && fsync(store->folder) != 0)
		end = INDEX_DISK;
	return end;
}

/* A full disk: the ballast gives way. */
static enum index_end insist(struct opening *o, enum index_end (*what)(struct opening *))
{
	enum index_end end = what(o);
	while (end != INDEX_OK) {
		index_rollback(o->store->writes);
		if (end != INDEX_FULL || !ballast_yield(&o->store->ballast, FOR_DELETES))
			return end;
		end = what(o);
	}
	return INDEX_OK;
}

enum index_end end_what_was_open(struct opening *o)
{
	enum index_end end = o->doubtful.count ? insist(o, drop) : INDEX_OK;
	if (end == INDEX_OK && o->dying.count)
		end = insist(o, bury);
	return end == INDEX_OK ? insist(o, begin_log) : end;
}
