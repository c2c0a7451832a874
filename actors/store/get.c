/* A blob on its way out: each chunk read, authenticated, given. Main thread; touches the arena and the reading connection. */
#include "actors/store/store_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <errno.h>
#include <string.h>

struct get {
	struct store *store;
	struct get *next, **link; /* in store->gets */
	struct blob blob;
	struct gone *gone; /* it was deleted meanwhile */
	struct sealer *sealer;
	uint64_t at, end; /* of the range that is still to be given */
	uint8_t *chunk;
};

static enum err corrupt(struct get *get, uint64_t chunk)
{
	store_found_corrupt(get->store, &get->blob, chunk);
	return ERR_CORRUPT;
}

static enum err disk(const struct get *get, int failed)
{
	char text[CID_TEXT];
	log_warn("store.read_failed", "cid=%s errno=%d", cid_text(&get->blob.cid, text), failed);
	return ERR_DISK;
}

/* The header is not needed to read, but what would be lost with the index is noticed now and not then. */
static enum err check_header(struct get *get)
{
	struct store *store = get->store;
	struct blob there;
	uint64_t through;
	int failed = arena_read_header(&store->arena, store->keys, &store->marker.store,
				       get->blob.runs.run[0].start, &there, &through);
	if (failed == ENOENT)
		return corrupt(get, CORRUPT_HEADER);
	if (failed)
		return disk(get, failed);
	bool same = memcmp(&there.id, &get->blob.id, sizeof there.id) == 0 && there.size == get->blob.size &&
		    memcmp(&there.cid, &get->blob.cid, sizeof there.cid) == 0;
	get->blob.root = there.root;
	blob_end(&there);
	return same ? ERR_OK : corrupt(get, CORRUPT_HEADER);
}

static enum err open_it(struct get *get, const struct cid *cid, bool trash_too)
{
	struct store *store = get->store;
	enum index_end end = index_find(store->reads, cid, &get->blob);
	if (end != INDEX_OK)
		return store_index_err(store, end);
	if (get->blob.trashed && !trash_too)
		return ERR_NOT_FOUND;
	if (get->blob.corrupt)
		return ERR_CORRUPT;
	enum err err = check_header(get);
	if (err != ERR_OK)
		return err;
	get->sealer = blob_sealer(store->keys, &get->blob.id);
	get->end = get->blob.size;
	return ERR_OK;
}

enum err get_open(struct store *store, const struct cid *cid, bool trash_too, struct get **get)
{
	*get = NULL;
	if (store->gets_open == STORE_GETS) {
		store->gets_refused++;
		return ERR_BUSY;
	}
	struct get *new = x_new(sizeof *new);
	*new = (struct get){.store = store, .next = store->gets, .link = &store->gets};
	if (new->next)
		new->next->link = &new->next;
	store->gets = new;
	if (++store->gets_open > store->gets_high)
		store->gets_high = store->gets_open;
	enum err err = open_it(new, cid, trash_too);
	if (err != ERR_OK) {
		store_get_close(&new);
		return err;
	}
	*get = new;
	return ERR_OK;
}

enum err store_get_open(struct store *store, const struct cid *cid, struct get **get)
{
	enum err err = get_open(store, cid, false, get);
	store->get_count += err == ERR_OK;
	return err;
}

uint64_t get_size(const struct get *get)
{
	return get->blob.size;
}

struct blob *get_blob(struct get *get)
{
	return &get->blob;
}

enum err store_get_range(struct get *get, uint64_t offset, uint64_t length)
{
	uint64_t size = get->blob.size;
	if (offset > size)
		return ERR_BAD_VALUE;
	get->at = offset;
	get->end = length < size - offset ? offset + length : size;
	return ERR_OK;
}

enum err store_get_next(struct get *get, const uint8_t **bytes, size_t *length)
{
	struct blob *blob = &get->blob;
	*bytes = NULL;
	*length = 0;
	bool first = get->at == 0 && !get->chunk; /* an empty blob has a chunk to check, too */
	if (get->at == get->end && !(first && blob->size == 0))
		return ERR_OK;
	uint64_t number = get->at / CHUNK;
	size_t plain = chunk_length(blob->size, number), into = (size_t)(get->at % CHUNK);
	if (!get->chunk)
		get->chunk = x_grow(NULL, (blob->size < CHUNK ? (size_t)blob->size : CHUNK) + SEAL_TAG);
	int failed =
		arena_read(&get->store->arena, &blob->runs, chunk_at(number), get->chunk, plain + SEAL_TAG);
	if (failed)
		return disk(get, failed);
	if (!chunk_unseal(get->sealer, number, number + 1 == chunk_count(blob->size), get->chunk, plain,
			  get->chunk))
		return corrupt(get, number);
	uint64_t left = get->end - get->at;
	*bytes = get->chunk + into;
	*length = plain - into < left ? plain - into : (size_t)left;
	get->at += *length;
	return ERR_OK;
}

/* -- leaving --------------------------------------------------------------------------------------------------------- */

void store_get_close(struct get **at)
{
	struct get *get = *at;
	if (!get)
		return;
	struct gone *gone = get->gone;
	if (gone && --gone->readers == 0) {
		get->store->used_units -= gone->blob.runs.units;
		units_give(get->store, &gone->blob);
		x_free(&gone);
	}
	*get->link = get->next;
	if (get->next)
		get->next->link = get->link;
	get->store->gets_open--;
	sealer_free(&get->sealer);
	blob_end(&get->blob);
	x_free(&get->chunk);
	x_free(at);
}

void gets_drop(struct store *store)
{
	while (store->gets) {
		struct get *get = store->gets;
		store_get_close(&get);
	}
}

static bool reads(const struct get *get, const struct blob_id *id)
{
	return memcmp(&get->blob.id, id, sizeof *id) == 0;
}

bool get_is_open(struct store *store, const struct blob_id *id)
{
	for (struct get *get = store->gets; get; get = get->next)
		if (reads(get, id))
			return true;
	return false;
}

void gets_blob_gone(struct store *store, struct blob *blob)
{
	struct gone *gone = x_new(sizeof *gone);
	gone->blob = *blob;
	*blob = (struct blob){.cid = blob->cid, .id = blob->id};
	for (struct get *get = store->gets; get; get = get->next)
		if (reads(get, &gone->blob.id)) {
			get->gone = gone;
			gone->readers++;
		}
}
