/* The rows of carry.h as bytes, and back. Pure. Whoever reads them is store@N in its jail, and trusts none of them. */
#include "actors/store/carry.h"

#include "actors/store/head.h"

#include <string.h>

static const char magic[8] = "WRNCARRY";

static void put(uint8_t *at, uint64_t number, int bytes)
{
	for (int i = 0; i < bytes; i++, number >>= 8)
		at[i] = (uint8_t)number;
}

static uint64_t get(const uint8_t *at, int bytes)
{
	uint64_t number = 0;
	for (int i = bytes; i-- > 0;)
		number = number << 8 | at[i];
	return number;
}

void carry_head_pack(const struct carry_head *head, uint8_t bytes[CARRY_HEAD])
{
	memset(bytes, 0, CARRY_HEAD);
	memcpy(bytes, magic, sizeof magic);
	put(bytes + 8, CARRY_VERSION, 4);
	put(bytes + 12, head->node, 2);
	put(bytes + 14, head->blobs ? CARRY_WITH_BLOBS : 0, 2);
	memcpy(bytes + 16, &head->store, sizeof head->store);
	put(bytes + 32, head->birth, 8);
}

enum store_end carry_head_unpack(const uint8_t bytes[CARRY_HEAD], struct carry_head *head)
{
	static const uint8_t zero[8];
	if (memcmp(bytes, magic, sizeof magic) != 0)
		return STORE_DAMAGED;
	uint64_t version = get(bytes + 8, 4), flags = get(bytes + 14, 2);
	if (version > CARRY_VERSION)
		return STORE_NEWER;
	*head = (struct carry_head){.node = (uint16_t)get(bytes + 12, 2),
				    .blobs = flags & CARRY_WITH_BLOBS,
				    .birth = get(bytes + 32, 8)};
	memcpy(&head->store, bytes + 16, sizeof head->store);
	bool fits = version && !(flags & ~(uint64_t)CARRY_WITH_BLOBS) && !(head->birth >> 23) &&
		    memcmp(bytes + 40, zero, sizeof zero) == 0;
	return fits ? STORE_OK : STORE_DAMAGED;
}

void carry_row_pack(const struct blob *blob, uint8_t bytes[CARRY_ROW])
{
	memcpy(bytes, &blob->cid, 32);
	memcpy(bytes + 32, &blob->id, 16);
	memcpy(bytes + 48, &blob->root, 32);
	put(bytes + 80, blob->sequence, 8);
	put(bytes + 88, blob->size, 8);
	put(bytes + 96, (uint64_t)blob->stored_at, 8);
}

bool carry_row_unpack(const uint8_t bytes[CARRY_ROW], struct blob *blob)
{
	*blob = (struct blob){.sequence = get(bytes + 80, 8),
			      .size = get(bytes + 88, 8),
			      .stored_at = (int64_t)get(bytes + 96, 8)};
	memcpy(&blob->cid, bytes, 32);
	memcpy(&blob->id, bytes + 32, 16);
	memcpy(&blob->root, bytes + 48, 32);
	return !(blob->size >> SIZE_MOST_BITS) && !(blob->sequence >> 63) && blob->stored_at >= 0;
}

void carry_end_pack(const struct carried *carried, uint8_t bytes[CARRY_END])
{
	put(bytes, carried->blobs, 8);
	put(bytes + 8, carried->listed, 8);
	put(bytes + 16, carried->damaged, 8);
	put(bytes + 24, carried->bytes, 8);
}

bool carry_end_fits(const struct carried *carried, const uint8_t bytes[CARRY_END])
{
	return carried->blobs == get(bytes, 8) && carried->listed == get(bytes + 8, 8) &&
	       carried->bytes == get(bytes + 24, 8);
}
