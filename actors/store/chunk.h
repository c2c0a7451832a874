/* How the bytes of a blob are sealed, and the sums that follow from it.
 *
 *   store key  = HKDF-SHA-256(the process's sealing secret, salt: store id, info: "warren store 1")
 *   header key = HKDF-SHA-256(store key, no salt, info: "warren header 1")
 *   blob key   = HKDF-SHA-256(store key, no salt, info: "warren blob 1" and the blob id)
 *
 * A blob is cut into chunks of 64 KiB; the last one is shorter and not padded. A blob of 0 bytes is one empty chunk. Each is
 * sealed by AES-256-GCM under the blob key, ciphertext then tag. The nonce (12 bytes) is three zero bytes, the chunk's number
 * (u64, big-endian), and 1 for the last chunk or 0 (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015:
 * a chunk that was cut off, swapped or repeated fails its tag). A blob id is drawn for every upload, so a key seals one blob
 * once and no nonce is ever stored or used twice. */
#ifndef WARREN_STORE_CHUNK_H
#define WARREN_STORE_CHUNK_H

#include "actors/base/crypto/crypto.h"

enum {
	CHUNK = 65536, /* bytes of a blob in one chunk; a frame of proto/stream.h carries exactly one */
	CHUNK_SEALED = CHUNK + SEAL_TAG,
	BLOB_HEADER = 256, /* bytes before the first chunk; header.h */
};

struct blob_id { /* random, drawn when an upload begins: the CID is not known yet */
	uint8_t bytes[16];
};
struct store_id { /* random, drawn when the store is made */
	uint8_t bytes[16];
};

/* The keys of one store, in secret memory (actors/base/secret): made before the seal of the process. */
struct store_keys {
	uint8_t store[32];
	uint8_t header[32];
};
struct store_keys *store_keys_new(const uint8_t secret[32], const struct store_id *id);
void store_keys_free(struct store_keys **keys);

/* The sealer of one blob; x_new'd, freed by sealer_free(). */
struct sealer *blob_sealer(const struct store_keys *keys, const struct blob_id *id);

/* Chunk `number` of one blob. `plain` is at most CHUNK bytes, `sealed` SEAL_TAG more; the two may be the same place. */
void chunk_seal(struct sealer *sealer, uint64_t number, bool last, const uint8_t *plain, size_t length, uint8_t *sealed);
bool chunk_unseal(struct sealer *sealer, uint64_t number, bool last, const uint8_t *sealed, size_t length, uint8_t *plain);

/* A blob as it lies on disk is one row of bytes: header, sealed chunk 0, sealed chunk 1, … */
uint64_t chunk_count(uint64_t size);                       /* at least 1 */
uint64_t chunk_at(uint64_t number);                        /* where the sealed chunk begins in that row */
size_t chunk_length(uint64_t size, uint64_t number);       /* of its plain bytes */
uint64_t blob_stored(uint64_t size);                       /* length of the whole row */
uint64_t blob_units(uint64_t size, uint32_t unit);         /* rounded up to units: what the quota is charged */

#endif
