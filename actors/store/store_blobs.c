/* store@N, the calls about single blobs and lists of them: delete, the trash, pins. Part of the process: runs as it, dies with
 * it. What is said here to have happened is durable. */
#include "actors/store/store_self.h"
#include "proto/store.h"

#include <inttypes.h>
#include <string.h>

/* -- changing -------------------------------------------------------------------------------------------------------- */

/* None of these calls has an answer with fields. */
struct change {
	struct call *call;
	const struct call_row *row;
};

static void on_changed(void *context, enum err err)
{
	struct change *change = context;
	if (err == ERR_OK)
		actor_reply(change->call, change->row, "");
	else if (err == ERR_REFUSED)
		call_fail_why(change->call, err, "it is pinned; unpin it first");
	else
		call_fail(change->call, err);
	x_free(&change);
}

static struct change *change_of(struct call *call, const struct call_row *row, const char *event,
				const struct cid *cid)
{
	char text[CID_TEXT];
	struct change *change = x_new(sizeof *change);
	*change = (struct change){call, row};
	log_info(event, "cid=%s uid=%u", cid_text(cid, text), call_asker(call).uid);
	return change;
}

static enum err began(struct change *change, enum err err)
{
	if (err != ERR_KEPT)
		x_free(&change);
	return err;
}

enum err on_store_delete(struct actor *self, struct call *call, const struct store_delete *in,
			 struct store_delete_reply *out)
{
	(void)out;
	struct store_actor *store = self_of(self);
	bool trash = store->keeping.trash_seconds;
	struct change *change =
		change_of(call, &row_store_delete, trash ? "store.trash" : "store.delete", &in->cid);
	return began(change, trash ? store_trash(store->store, &in->cid, store_stamp(store->store),
						 on_changed, change)
				   : store_delete(store->store, &in->cid, on_changed, change));
}

enum err on_store_restore(struct actor *self, struct call *call, const struct store_restore *in,
			  struct store_restore_reply *out)
{
	(void)out;
	struct change *change = change_of(call, &row_store_restore, "store.restore", &in->cid);
	return began(change, store_restore(self_of(self)->store, &in->cid, on_changed, change));
}

enum err on_store_purge(struct actor *self, struct call *call, const struct store_purge *in,
			struct store_purge_reply *out)
{
	(void)out;
	struct change *change = change_of(call, &row_store_purge, "store.purge", &in->cid);
	return began(change, store_purge(self_of(self)->store, &in->cid, INT64_MAX, on_changed, change));
}

enum err on_store_pin(struct actor *self, struct call *call, const struct store_pin *in,
		      struct store_pin_reply *out)
{
	(void)out;
	struct change *change =
		change_of(call, &row_store_pin, in->pinned ? "store.pin" : "store.unpin", &in->cid);
	return began(change, store_pin(self_of(self)->store, &in->cid, in->pinned, on_changed, change));
}

/* -- lists ----------------------------------------------------------------------------------------------------------- */

struct page {
	struct blob_row *rows;
	uint32_t count, most;
};

static void list_one(void *context, const struct cid *cid, uint64_t size)
{
	struct page *page = context;
	if (page->count < page->most)
		page->rows[page->count++] = (struct blob_row){*cid, size};
}

enum err on_store_list(struct actor *self, struct call *call, const struct store_list *in,
		       struct store_list_reply *out)
{
	struct page page = {.most = in->most};
	page.rows = arena_take(call_arena(call), (size_t)page.most * sizeof *page.rows + 1);
	enum err err = store_list(self_of(self)->store, in->has_after ? &in->after : NULL, in->most, list_one,
				  &page);
	out->blobs = page.rows;
	out->blobs_count = page.count;
	return err;
}

struct kept {
	struct kept_row *rows;
	uint32_t count, looked;
	bool pinned, trash; /* those alone */
	struct cid last;
};

static void keep_one(void *context, const struct store_blob *blob)
{
	struct kept *kept = context;
	kept->looked++;
	kept->last = blob->cid;
	if ((kept->pinned && !blob->pinned) || (kept->trash && !blob->trashed))
		return;
	kept->rows[kept->count++] = (struct kept_row){.cid = blob->cid,
						      .size = blob->size,
						      .charge = blob->charge,
						      .stored_at = blob->stored_at,
						      .pinned = blob->pinned,
						      .trashed = blob->trashed,
						      .corrupt = blob->corrupt};
}

enum err on_store_blobs(struct actor *self, struct call *call, const struct store_blobs *in,
			struct store_blobs_reply *out)
{
	struct kept kept = {.pinned = strcmp(in->which, "pinned") == 0,
			    .trash = strcmp(in->which, "trash") == 0};
	bool all = !*in->which || strcmp(in->which, "all") == 0;
	if (!in->most || (!all && !kept.pinned && !kept.trash))
		return ERR_BAD_VALUE;
	kept.rows = arena_take(call_arena(call), (size_t)in->most * sizeof *kept.rows);
	enum err err = store_blobs(self_of(self)->store, in->has_after ? &in->after : NULL, in->most,
				   keep_one, &kept);
	out->blobs = kept.rows;
	out->blobs_count = kept.count;
	out->has_next = kept.looked == in->most;
	out->next = kept.last;
	return err;
}
