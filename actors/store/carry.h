/* A store on its way into a backup and out of it: `warren-store --init` with BIRTH_BACKUP or BIRTH_RESTORE writes or reads this
 * stream, in the jail and under the uid of store@N. Blobs stay sealed: a chunk depends on the store's secret, the store id, the
 * blob id and its number, not on where it lies. So where a blob lay is not carried; a restore places it anew.
 *
 *   bytes   little-endian
 *       8   "WRNCARRY"
 *       4   version, 2; in 1 there was no 'P'
 *       2   node
 *       2   flags: 1, the blobs are there
 *      16   store id
 *       8   birth of the store: no blob has a later one
 *       8   zero
 *   then records, each a byte and what follows it:
 *     'B'   a row, the sealed chunks of its blob (blob_stored(size) - BLOB_HEADER bytes), and a byte: 'K', 'P': the same, and it
 *           was pinned, or 'D': it was deleted while it was being read, what precedes is void
 *     'L'   a row alone: there is such a blob, and it is not here
 *     'E'   u64 each: how many were kept, listed, damaged, bytes of those kept. The end
 *   a row: CID 32, blob id 16, Merkle root 32, sequence 8, size 8, stored at 8 (Unix seconds)
 *
 * A backup does not stop the store. Its rows are read a page at a time, by a connection of our own, and nothing is held between
 * two pages. A delete zeroes a blob's header before its units are free, so a blob whose header is still there after its chunks
 * were read was read whole. All that was acknowledged before the beginning, and not deleted before the end, is carried. What
 * is in the trash is deleted: it is not carried. */
#ifndef WARREN_STORE_CARRY_H
#define WARREN_STORE_CARRY_H

#include "actors/store/blobs.h"
#include "actors/store/header.h"

#include <stdio.h>

enum { CARRY_VERSION = 2, CARRY_HEAD = 48, CARRY_ROW = 104, CARRY_WITH_BLOBS = 1 };

/* Blobs that were not carried: with their CIDs, one a line, "CID size stored_at". In the store's folder, after a restore. */
#define LOST_FILE "lost"

struct carried {
	struct store_id store;
	uint64_t blobs, bytes; /* kept: their bytes are in the stream, or in the new store */
	uint64_t listed;       /* whose bytes are not */
	uint64_t damaged;      /* fail their check: not carried, and named in the log */
};

/* Writes the stream of the store in shape->folder, which may be open elsewhere; `to` stays open. STORE_DISK also when nobody
 * takes it. */
enum store_end carry_out(const struct store_shape *shape, bool blobs, int to, struct carried *carried, char why[STORE_WHY]);

/* Makes a store of a stream, in an empty folder; the marker comes last. `scratch`: only to look at, the disk reserves nothing. */
enum store_end carry_in(const struct store_shape *shape, bool scratch, int from, struct carried *carried, char why[STORE_WHY]);

/* Opens the store that is there, as its life would, and reads all of it: SQLite's integrity_check, the sums, every header, chunk
 * and CID. */
enum store_end carry_check(const struct store_shape *shape, const struct carried *carried, char why[STORE_WHY]);

/* -- the inside: what carry_out.c and carry_in.c share ------------------------------------------------------------------ */

struct carry_head {
	uint16_t node;
	bool blobs;
	struct store_id store;
	uint64_t birth;
};
void carry_head_pack(const struct carry_head *head, uint8_t bytes[CARRY_HEAD]);
/* STORE_DAMAGED, or STORE_NEWER. */
enum store_end carry_head_unpack(const uint8_t bytes[CARRY_HEAD], struct carry_head *head);

/* All but runs and slots. False: no blob has such numbers. */
void carry_row_pack(const struct blob *blob, uint8_t bytes[CARRY_ROW]);
bool carry_row_unpack(const uint8_t bytes[CARRY_ROW], struct blob *blob);

enum { CARRY_END = 32 };
void carry_end_pack(const struct carried *carried, uint8_t bytes[CARRY_END]);
bool carry_end_fits(const struct carried *carried, const uint8_t bytes[CARRY_END]);

#endif
