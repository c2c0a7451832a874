/* The index of a store: one SQLite database, owned by this process. Which blobs there are, where they lie, and the sums.
 *
 *   blob   cid (key), id, sequence, size, stored_at (Unix seconds), corrupt (0 or 1), runs, slots, pinned (0 or 1), trashed
 *          (Unix seconds of when it was put in the trash; 0: it was not)
 *   dying  id (key) and the first eight: deleted, but the header in the arena may still stand. A start finishes these
 *   meta   one row: store id, blobs, bytes, units (Σ charge of blob and dying), corrupt, sequence (the highest here), synced
 *          (up to this sequence, the bytes in the arena were durable when this was written), commits (counted, so that every
 *          commit writes something: one that changes nothing would tell nothing about the disk), held (1: rebuilt, so the pins
 *          are lost; nothing is collected until an operator says so)
 *
 * runs and slots are u64 little-endian one after the other; slots is NULL for most. user_version is the version of this
 * layout. WAL, synchronous FULL: a commit that returned is on the disk. `meta` changes in the transaction that changes the
 * rows, so the sums are exact at any instant. The file grows by 1 MiB at a time.
 *
 * A connection belongs to one thread. The store has two: the committer's, which alone writes, and the main thread's. */
#ifndef WARREN_STORE_INDEX_H
#define WARREN_STORE_INDEX_H

#include "actors/store/header.h"
#include "proto/formats.h"

#define INDEX_FILE "index.db"
enum { INDEX_VERSION = FORMAT_index, INDEX_WHY = 160, INDEX_MIGRATE_WHY = 240 };

struct index;

enum index_end {
	INDEX_OK,
	INDEX_NONE,    /* no such row */
	INDEX_FULL,    /* the disk is full: nothing was changed */
	INDEX_DISK,    /* the disk refused: nothing was changed */
	INDEX_SYNC,    /* a sync failed: what is on the disk is not known; the process must end */
	INDEX_DAMAGED, /* not our layout, or inconsistent: to be rebuilt from the arena */
	INDEX_OLDER,   /* whole, of an older version: index_migrate() */
	INDEX_NEWER,   /* made by a newer program: not to be touched */
};

struct index_counts {
	uint64_t blobs, bytes, units, corrupt, sequence, synced; /* what is in the trash counts */
	bool held;
};

enum index_mode { INDEX_WRITES, INDEX_READS, INDEX_READ_ONLY_DISK };

/* Makes an empty index at `path`, replacing what is there. Not in WAL mode: to be closed, and renamed into place. */
enum index_end index_make(struct index **index, const char *path, const struct store_id *store);

/* Opens the one at `path`. INDEX_NONE: there is no file. INDEX_DAMAGED also for the index of another store. */
enum index_end index_open(struct index **index, const char *path, const struct store_id *store, enum index_mode mode);
void index_close(struct index **index);

/* After INDEX_DISK: it was a page that the disk did not give. NULL is fine. */
bool index_was_unread(const struct index *index);

/* Turns the older index at `path`, in this folder, into one of our version; the old one stays beside it (base/migrate). Nobody
 * has it open. *from: its version was. `alive` is called now and then. INDEX_DAMAGED: it is not what it says it is. Whatever it
 * returns, the name stands for a whole index. */
enum index_end index_migrate(int folder, const char *path, unsigned *from, void (*alive)(void *), void *alive_context,
			     char why[INDEX_MIGRATE_WHY]);

/* -- reading --------------------------------------------------------------------------------------------------------- */

enum index_end index_counts(struct index *index, struct index_counts *counts);

/* Fills *blob but for its root. INDEX_NONE: nothing to end. */
enum index_end index_find(struct index *index, const struct cid *cid, struct blob *blob);

/* The same without runs and slots: nothing to end. */
enum index_end index_look(struct index *index, const struct cid *cid, struct blob *blob);

/* CIDs above `after` (NULL: from the first), in order, `most` of them. Nothing of the trash. */
typedef void index_row_fn(void *context, const struct cid *cid, uint64_t size);
enum index_end index_page(struct index *index, const struct cid *after, uint32_t most, index_row_fn *row, void *context);

/* The same with the whole row, but for runs and slots, and with the trash. */
typedef void index_blob_fn(void *context, const struct blob *blob);
enum index_end index_rows(struct index *index, const struct cid *after, uint32_t most, index_blob_fn *row, void *context);

/* What was put in the trash at `until` or before, the first first, `most` of them; size is 0. */
enum index_end index_expired(struct index *index, int64_t until, uint32_t most, index_row_fn *row, void *context);

/* Every row of blob, then every row of dying. The function may take runs and slots away from *blob. It returns false to stop;
 * the end is then INDEX_DAMAGED. */
typedef bool index_each_fn(void *context, struct blob *blob, bool dying);
enum index_end index_each(struct index *index, index_each_fn *each, void *context);

/* -- writing, between index_begin() and index_commit(); after any end but INDEX_OK and INDEX_NONE, index_rollback() --------- */

enum index_end index_begin(struct index *index);
enum index_end index_put(struct index *index, const struct blob *blob);
/* blob → dying; `only`: if its id is this one (NULL: whatever it is), else INDEX_NONE. */
enum index_end index_die(struct index *index, const struct cid *cid, const struct blob_id *only, struct blob *was);
enum index_end index_bury(struct index *index, const struct blob_id *id);               /* dying → gone */
enum index_end index_corrupt(struct index *index, const struct cid *cid, const struct blob_id *id, bool *first);
enum index_end index_pin(struct index *index, const struct cid *cid, bool pinned);     /* of a row that is there */
enum index_end index_trash(struct index *index, const struct cid *cid, int64_t when); /* 0: out of it */
enum index_end index_commit(struct index *index, const struct index_counts *counts);
void index_rollback(struct index *index);

/* Headers found by a rebuild, in a table of their own. */
enum index_end index_found(struct index *index, uint64_t sequence, uint64_t unit);
typedef bool index_found_fn(void *context, uint64_t sequence, uint64_t unit);
enum index_end index_each_found(struct index *index, index_found_fn *found, void *context); /* highest sequence first */
enum index_end index_forget_found(struct index *index);

/* Writes pages of the log back into the database when there are many (*done). INDEX_SYNC as above. */
enum index_end index_checkpoint(struct index *index, bool *done);

/* Writes all of the log back and begins it anew, for a start: a log that a failed sync left in memory reads well and is
 * on no disk, and what is written behind it would be lost with it. INDEX_DISK, too, while somebody else reads the index. */
enum index_end index_begin_log_anew(struct index *index);

/* SQLite's integrity_check, of the whole file. False: index_why() says what it found. */
bool index_is_sound(struct index *index);

/* What the last end that was no success was about, for a log line. */
const char *index_why(struct index *index);

#endif
