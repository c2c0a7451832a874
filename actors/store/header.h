/* The header of a blob: what a lost index is rebuilt from. Written last, when every chunk is in place.
 *
 *   byte  size  little-endian
 *      0     8  magic "WRNBLOB\n"; zeroed when the blob is deleted
 *      8     2  version, 1
 *     10     2  zero
 *     12     4  runs: how many
 *     16    16  store id
 *     32    16  blob id
 *     48     8  sequence: birth << 40 | number; head.h. Rises with every blob
 *     56     8  through: the highest sequence that was known to be in the index when this was written
 *     64     8  size of the blob
 *     72     8  when it was stored, Unix time in seconds
 *     80    32  CID: SHA-256 of the bytes received
 *    112    32  Merkle root of the bytes received; merkle.h
 *    144     8  first slot of further runs, plus one; 0: none
 *    152    72  the first 9 runs, start << 24 | count each; the first unit of the first one is where this header lies
 *    224    32  HMAC-SHA-256 under the header key, of bytes 0..223 and the slots in their order
 *
 * A slot (slots.h) is the next slot plus one, or 0, and 15 runs. */
#ifndef WARREN_STORE_HEADER_H
#define WARREN_STORE_HEADER_H

#include "actors/store/chunk.h"
#include "actors/store/slots.h"

enum {
	HEADER_MAGIC = 8,      /* bytes of it */
	RUNS_MOST = 1 << 21,   /* of one blob: 1 GiB in 1 KiB units is 2^20 and a few */
	SIZE_MOST_BITS = 40,   /* a blob is at most 1 GiB (max_blob_mb); no sum of charges overflows */
};

/* A blob as the index and its header know it. Owns `runs` and `slots`. */
struct blob {
	struct cid cid;
	struct blob_id id;
	struct hash root; /* in the header alone */
	uint64_t sequence, size;
	int64_t stored_at;
	struct runs runs;
	uint64_t *slots;
	uint32_t slot_count;
	bool corrupt; /* a check failed: remembered in the index */
	bool pinned;     /* in the index alone */
	int64_t trashed; /* the same: when it was put in the trash, Unix time in seconds; 0: it was not */
};
void blob_end(struct blob *blob);

/* Whether it has as many units as its size asks for, and the size is one that sums can be made of. */
bool blob_fits(const struct blob *blob, uint32_t unit);

/* Writes the header, and the slots one after the other to `slots` (blob->slot_count * SLOT bytes, may be NULL for none). */
void header_write(const struct store_keys *keys, const struct store_id *store, const struct blob *blob, uint64_t through,
		  uint8_t out[BLOB_HEADER], uint8_t *slots);

/* Whether these bytes begin like a header of this store. Cheap: a scan asks it of every unit. */
bool header_looks(const uint8_t bytes[BLOB_HEADER], const struct store_id *store);

/* Reads a header and its slots, which `fetch` gets; true only when the HMAC is right. `*through` as above. On false `*blob`
 * holds nothing to end. */
typedef bool slot_fn(void *context, uint64_t slot, uint8_t bytes[SLOT]);
bool header_read(const struct store_keys *keys, const struct store_id *store, const uint8_t bytes[BLOB_HEADER],
		 slot_fn *fetch, void *context, struct blob *blob, uint64_t *through);

#endif
