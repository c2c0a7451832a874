/* Blob headers, to bytes and back. Pure. */
#include "actors/store/header.h"
#include "proto/formats.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"

#include <endian.h>
#include <string.h>

static const char magic[HEADER_MAGIC] = {'W', 'R', 'N', 'B', 'L', 'O', 'B', '\n'};

struct disk_header {
	char magic[HEADER_MAGIC];
	uint16_t version, zero;
	uint32_t runs;
	struct store_id store;
	struct blob_id id;
	uint64_t sequence, through, size, stored_at;
	struct cid cid;
	struct hash root;
	uint64_t slot;
	uint64_t run[HEADER_RUNS];
	uint8_t mac[32];
};
struct disk_slot {
	uint64_t next;
	uint64_t run[SLOT_RUNS];
};
enum { VERSION = FORMAT_blob, SIGNED = offsetof(struct disk_header, mac) };
_Static_assert(sizeof(struct disk_header) == BLOB_HEADER && SIGNED == 224, "the table in header.h");
_Static_assert(sizeof(struct disk_slot) == SLOT, "slots.h");

void blob_end(struct blob *blob)
{
	runs_end(&blob->runs);
	x_free(&blob->slots);
	blob->slot_count = 0;
}

bool blob_fits(const struct blob *blob, uint32_t unit)
{
	return !(blob->size >> SIZE_MOST_BITS) && blob->runs.units == blob_units(blob->size, unit);
}

/* HMAC of the header's first bytes and of the slots, in one piece for the library. */
static void sign(const struct store_keys *keys, const struct disk_header *header,
		 const struct disk_slot *slots, uint32_t count, uint8_t mac[32])
{
	if (!count) {
		hmac_sha256(keys->header, header, SIGNED, mac);
		return;
	}
	size_t length = SIGNED + (size_t)count * SLOT;
	uint8_t *all = x_grow(NULL, length);
	memcpy(all, header, SIGNED);
	memcpy(all + SIGNED, slots, (size_t)count * SLOT);
	hmac_sha256(keys->header, all, length, mac);
	x_free(&all);
}

static uint64_t run_to_disk(const struct runs *runs, uint32_t i)
{
	return i < runs->count ? htole64(run_pack(runs->run[i])) : 0;
}

void header_write(const struct store_keys *keys, const struct store_id *store, const struct blob *blob,
		  uint64_t through, uint8_t out[BLOB_HEADER], uint8_t *slots)
{
	bug_if(blob->slot_count != slots_for(blob->runs.count));
	struct disk_header header = {
		.version = htole16(VERSION),
		.runs = htole32(blob->runs.count),
		.store = *store,
		.id = blob->id,
		.sequence = htole64(blob->sequence),
		.through = htole64(through),
		.size = htole64(blob->size),
		.stored_at = htole64((uint64_t)blob->stored_at),
		.cid = blob->cid,
		.root = blob->root,
		.slot = htole64(blob->slot_count ? blob->slots[0] + 1 : 0),
	};
	memcpy(header.magic, magic, sizeof magic);
	for (uint32_t i = 0; i < HEADER_RUNS; i++)
		header.run[i] = run_to_disk(&blob->runs, i);
	struct disk_slot *slot = (struct disk_slot *)slots;
	for (uint32_t s = 0; s < blob->slot_count; s++) {
		slot[s].next = htole64(s + 1 < blob->slot_count ? blob->slots[s + 1] + 1 : 0);
		for (uint32_t i = 0; i < SLOT_RUNS; i++)
			slot[s].run[i] = run_to_disk(&blob->runs, HEADER_RUNS + s * SLOT_RUNS + i);
	}
	sign(keys, &header, slot, blob->slot_count, header.mac);
	memcpy(out, &header, sizeof header);
}

bool header_looks(const uint8_t bytes[BLOB_HEADER], const struct store_id *store)
{
	return memcmp(bytes, magic, sizeof magic) == 0 &&
	       memcmp(bytes + offsetof(struct disk_header, store), store, sizeof *store) == 0;
}

static bool take_run(struct blob *blob, uint64_t packed)
{
	struct run run = run_unpack(le64toh(packed));
	if (!run.count)
		return false;
	uint32_t before = blob->runs.count;
	runs_add(&blob->runs, run);
	return blob->runs.count == before + 1; /* runs that touch were one when they were written */
}

/* Follows the slots. What is read here is not trusted before the HMAC was compared, so every count is bounded. */
static bool take_slots(struct blob *blob, uint32_t runs, uint64_t next, slot_fn *fetch, void *context,
		       struct disk_slot *slots)
{
	for (uint32_t s = 0; s < blob->slot_count; s++) {
		if (!next || !fetch(context, next - 1, (uint8_t *)&slots[s]))
			return false;
		blob->slots[s] = next - 1;
		for (uint32_t i = 0; i < SLOT_RUNS && blob->runs.count < runs; i++)
			if (!take_run(blob, slots[s].run[i]))
				return false;
		next = le64toh(slots[s].next);
	}
	return next == 0;
}

static bool take_all(const struct store_keys *keys, const struct disk_header *header, slot_fn *fetch,
		     void *context, struct blob *blob)
{
	uint32_t runs = le32toh(header->runs);
	if (!runs || runs > RUNS_MOST)
		return false;
	for (uint32_t i = 0; i < HEADER_RUNS && i < runs; i++)
		if (!take_run(blob, header->run[i]))
			return false;
	struct disk_slot *slots = NULL;
	blob->slot_count = slots_for(runs);
	if (blob->slot_count) {
		slots = x_new_array(blob->slot_count, sizeof *slots);
		blob->slots = x_new_array(blob->slot_count, sizeof *blob->slots);
	}
	uint8_t mac[32];
	bool whole = take_slots(blob, runs, le64toh(header->slot), fetch, context, slots);
	if (whole)
		sign(keys, header, slots, blob->slot_count, mac);
	x_free(&slots);
	return whole && same_bytes(mac, header->mac, sizeof mac);
}

bool header_read(const struct store_keys *keys, const struct store_id *store,
		 const uint8_t bytes[BLOB_HEADER], slot_fn *fetch, void *context, struct blob *blob,
		 uint64_t *through)
{
	struct disk_header header;
	memcpy(&header, bytes, sizeof header);
	*blob = (struct blob){0};
	if (!header_looks(bytes, store) || le16toh(header.version) != VERSION)
		return false;
	blob->id = header.id;
	blob->cid = header.cid;
	blob->root = header.root;
	blob->sequence = le64toh(header.sequence);
	blob->size = le64toh(header.size);
	blob->stored_at = (int64_t)le64toh(header.stored_at);
	*through = le64toh(header.through);
	if (take_all(keys, &header, fetch, context, blob))
		return true;
	blob_end(blob);
	return false;
}
