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

static void one_cid(void *context, const struct cid *cid, uint64_t size)
{
	(void)size;
	*(struct cid *)context = *cid;
}

/* Opens the next blob that can be opened. What cannot has told so by itself. */
static enum check open_next(struct store *store)
{
	struct check_state *check = &store->check;
	struct cid cid = {{0}}, none = {{0}};
	enum err err = store_list(store, check->from_first ? NULL : &check->next, 1, one_cid, &cid);
	if (err != ERR_OK || memcmp(&cid, &none, sizeof cid) == 0) {
		check->from_first = true;
		return CHECK_END;
	}
	check->from_first = false;
	check->next = cid;
	if (store_get_open(store, &cid, &check->get) != ERR_OK)
		return CHECK_ONE_DONE;
	store->get_count--; /* nobody asked for it */
	check->sum = sha256_begin();
	check->merkle = x_new(sizeof *check->merkle);
	return CHECK_MORE;
}

static void compare(struct store *store)
{
	struct check_state *check = &store->check;
	struct cid cid;
	struct hash root;
	sha256_end(&check->sum, cid.bytes);
	merkle_end(check->merkle, &root);
	struct blob *blob = get_blob(check->get);
	if (memcmp(&cid, &blob->cid, sizeof cid) != 0 || memcmp(&root, &blob->root, sizeof root) != 0)
		store_found_corrupt(store, blob, CORRUPT_HEADER);
}

enum check store_check_next(struct store *store)
{
	struct check_state *check = &store->check;
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
			compare(store);
		check_stop(store);
		return CHECK_ONE_DONE;
	}
	return CHECK_MORE;
}
