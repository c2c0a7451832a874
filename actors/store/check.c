/* Re-hashing what is stored, a step at a time. Main thread. */
#include "actors/store/store_inside.h"

#include "actors/base/memory/memory.h"
#include "actors/base/proof/merkle.h"

#include <string.h>

enum { STEP_CHUNKS = 4 };

void check_stop(struct store *store)
{
	struct check_state *check = &store->check;
	store_get_close(&check->get);
	sha256_drop(&check->sum);
	x_free(&check->merkle);
}

void store_check_from(struct store *store, const struct cid *from)
{
	check_stop(store);
	store->check = (struct check_state){.from_first = !from};
	if (from)
		store->check.next = *from;
}

static void one_cid(void *context, const struct store_blob *blob)
{
	*(struct cid *)context = blob->cid;
}

const struct check_counts *store_check_counts(const struct store *store)
{
	return &store->check.counts;
}

/* How looking at one blob ended. One that was deleted meanwhile was not looked at. */
static enum check one_done(struct check_counts *counts, enum err err)
{
	counts->done += err != ERR_NOT_FOUND;
	counts->corrupt += err == ERR_CORRUPT;
	counts->unreadable += err == ERR_DISK;
	return CHECK_ONE_DONE;
}

/* Opens the next blob. */
static enum check open_next(struct store *store)
{
	struct check_state *check = &store->check;
	struct cid cid = {{0}}, none = {{0}};
	enum err err = store_blobs(store, check->from_first ? NULL : &check->next, 1, one_cid, &cid);
	if (err != ERR_OK || memcmp(&cid, &none, sizeof cid) == 0) {
		check->broken = err != ERR_OK;
		check->from_first = true;
		return CHECK_END;
	}
	err = get_open(store, &cid, true, &check->get);
	if (err == ERR_BUSY) /* readers have all places: it is looked at when they leave one */
		return CHECK_MORE;
	check->from_first = false;
	check->next = cid;
	if (err != ERR_OK)
		return one_done(&check->counts, err);
	check->sum = sha256_begin();
	check->merkle = x_new(sizeof *check->merkle);
	return CHECK_MORE;
}

/* ERR_OK, or ERR_CORRUPT: each chunk was right, and they are not the blob of that name. */
static enum err compare(struct store *store)
{
	struct check_state *check = &store->check;
	struct cid cid;
	struct hash root;
	sha256_end(&check->sum, cid.bytes);
	merkle_end(check->merkle, &root);
	struct blob *blob = get_blob(check->get);
	if (memcmp(&cid, &blob->cid, sizeof cid) == 0 && memcmp(&root, &blob->root, sizeof root) == 0)
		return ERR_OK;
	store_found_corrupt(store, blob, CORRUPT_HEADER);
	return ERR_CORRUPT;
}

enum check store_check_next(struct store *store)
{
	struct check_state *check = &store->check;
	if (store_marks_full(store)) /* what is found now would not be remembered */
		return CHECK_MORE;
	if (!check->get)
		return open_next(store);
	for (int i = 0; i < STEP_CHUNKS; i++) {
		const uint8_t *bytes;
		size_t length;
		enum err err = store_get_next(check->get, &bytes, &length);
		if (err == ERR_OK && length) {
			sha256_add(check->sum, bytes, length);
			merkle_add(check->merkle, bytes, length);
			continue;
		}
		if (err == ERR_OK)
			err = compare(store);
		check_stop(store);
		return one_done(&check->counts, err);
	}
	return CHECK_MORE;
}

bool store_check_broke(const struct store *store)
{
	return store->check.broken;
}

/* -- their names ----------------------------------------------------------------------------------------------------- */

struct naming {
	struct store *store;
	store_list_fn *each;
	void *context;
	struct cid *last;
	uint32_t seen;
};

static void name_one(void *context, const struct store_blob *blob)
{
	struct naming *naming = context;
	struct blob_id id;
	_Static_assert(sizeof id == sizeof blob->id, "an id is 16 bytes");
	memcpy(&id, blob->id, sizeof id);
	if (blob->corrupt || store_knows_corrupt(naming->store, &id))
		naming->each(naming->context, &blob->cid, blob->size);
	*naming->last = blob->cid;
	naming->seen++;
}

enum err store_list_corrupt(struct store *store, const struct cid *after, store_list_fn *each, void *context,
			    struct cid *last, bool *more)
{
	struct naming naming = {store, each, context, last, 0};
	enum err err = store_blobs(store, after, CORRUPT_PAGE, name_one, &naming);
	*more = naming.seen == CORRUPT_PAGE;
	return err;
}
