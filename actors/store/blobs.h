/* The store of one node: what actors/store/store.c and the tests call. One thread calls all of this; the committer thread
 * behind it is never seen. Nothing here waits for a sync.
 *
 * The folder holds: marker (marker.h), arena (arena.h), index.db with -wal and -shm (index.h), ballast (ballast.h).
 *
 * charge(size) = BLOB_HEADER + size + 16 for each chunk, rounded up to units. A put is refused with ERR_FULL if and only if its
 * charge is above quota - used, where `used` counts what is stored, what puts under way have reserved, and deleted blobs that
 * somebody still reads. */
#ifndef WARREN_STORE_BLOBS_H
#define WARREN_STORE_BLOBS_H

#include "proto/err.h"
#include "proto/ids.h"
#include "proto/shards.h"

struct store;

/* -- making and opening ---------------------------------------------------------------------------------------------- */

struct store_shape { /* what the configuration says; copied */
	const char *folder; /* at most 480 bytes */
	uint16_t node;
	uint64_t quota;    /* bytes */
	uint64_t max_blob; /* bytes */
	struct shards shards;
	const uint8_t *secret; /* 32 bytes: the process's sealing secret; read by store_open() alone */
	void (*working)(void *context); /* called now and then while an opening takes long; may be NULL */
	void *working_context;
};

enum store_end {
	STORE_OK,
	/* the folder is not what the configuration says: wait for a person */
	STORE_NO_MARKER, /* not mounted, or never made */
	STORE_OTHER_NODE,
	STORE_NO_ARENA,
	STORE_DAMAGED, /* marker or arena cannot be read as such */
	STORE_OTHER_SECRET,
	STORE_NEWER,
	/* the world: try again */
	STORE_TAKEN, /* another process has it open */
	STORE_NO_ROOM,
	STORE_DISK,
};
enum { STORE_WHY = 240 };

/* Makes the store in `folder`, which exists: arena, index, ballast, and last the marker. What is whole is found (*found) and
 * left as it is; what was left half made is made again, unless it was ever opened. *physical: bytes on the disk that it holds
 * or has reserved. On failure `why` is a sentence. */
enum store_end store_init(const struct store_shape *shape, uint64_t *physical, bool *found, char why[STORE_WHY]);

/* Opens it, ends what a crash left open, rebuilds a lost index. Never makes anything anew. Before the seal of the process:
 * it starts the committer thread and makes secret memory. On a disk that takes no writes it opens for reading. */
enum store_end store_open(struct store **store, const struct store_shape *shape, char why[STORE_WHY]);

/* Ends all puts and gets, waits for what is being committed (and calls the ends of that), and closes in good order. Leaves
 * NULL. */
void store_close(struct store **store);

/* -- turning --------------------------------------------------------------------------------------------------------- */

int store_fd(struct store *store);     /* readable: call store_turn() */
void store_turn(struct store *store);  /* hands out what the committer has finished */
void store_tend(struct store *store);  /* each second: notices within five seconds that an idle disk takes no writes, and that it
					  does again */
/* What the time is: for what expires, and for what is stamped to expire one day (actors/base/age). The last keeps it for the next
 * birth; it is no loss. */
int64_t store_now(struct store *store);
int64_t store_stamp(struct store *store);
void store_keep_age(struct store *store);

bool store_only_reads(const struct store *store); /* its disk took no writes when it was opened; a new birth looks again */
bool store_seems_mended(const struct store *store); /* it was read-only then, and is not now */
bool store_idle(struct store *store);  /* nothing is being put or committed */
void store_refuse(struct store *store); /* from now on no new put: ERR_NOT_READY */

/* A chunk, or CORRUPT_HEADER, that failed its check for the first time. */
#define CORRUPT_HEADER UINT64_MAX
typedef void store_corrupt_fn(void *context, const struct cid *cid, uint64_t chunk);
void store_on_corrupt(struct store *store, store_corrupt_fn *corrupt, void *context);

/* -- putting --------------------------------------------------------------------------------------------------------- */

enum { STORE_PUTS = 512 }; /* under way at once, those being committed included */
#define SIZE_UNKNOWN UINT64_MAX

struct put;
struct stored {
	struct cid cid;
	uint64_t size;
	bool fresh; /* false: these bytes were here already, and nothing was added */
};

/* ERR_FULL, ERR_TOO_LARGE, ERR_BUSY, ERR_DISK, ERR_NOT_READY. With a known size its charge is reserved now; else as the bytes
 * come, and ERR_FULL may come later. A put holds one chunk in memory. */
enum err store_put_begin(struct store *store, uint64_t size, struct put **put);

/* Any number of bytes. After an error the put is only good for store_put_abort(). */
enum err store_put_data(struct put *put, const void *bytes, size_t length);

/* Ends the put, whatever is returned, and leaves NULL. ERR_OK: stored already, *stored says what. ERR_KEPT: `end` is called by
 * a later store_turn(), when it is durable or has failed. Else nothing was stored: ERR_TRUNCATED, ERR_WRONG_SHARD, ERR_FULL,
 * ERR_DISK, ERR_BUSY; with ERR_WRONG_SHARD the CID is in *stored. */
typedef void put_end_fn(void *context, enum err err, const struct stored *stored);
enum err store_put_end(struct put **put, struct stored *stored, put_end_fn *end, void *context);

/* Before store_put_end(): nothing is stored. NULL is fine. */
void store_put_abort(struct put **put);

/* -- getting --------------------------------------------------------------------------------------------------------- */

enum { STORE_GETS = 512 };

struct get;

/* ERR_NOT_FOUND, ERR_CORRUPT, ERR_DISK, ERR_BUSY. From here on a delete of the blob does not disturb the reader. */
enum err store_get_open(struct store *store, const struct cid *cid, struct get **get);
uint64_t get_size(const struct get *get);

/* What store_get_next() gives: from `offset`, `length` bytes or to the end. ERR_BAD_VALUE: offset is past the end. */
enum err store_get_range(struct get *get, uint64_t offset, uint64_t length);

/* The next piece of the range, at most a chunk; it stays until the next call. *length 0: the end. ERR_CORRUPT: a chunk failed
 * its check, and nothing of it is given. */
enum err store_get_next(struct get *get, const uint8_t **bytes, size_t *length);
void store_get_close(struct get **get); /* NULL is fine */

/* -- the rest -------------------------------------------------------------------------------------------------------- */

struct store_row {
	uint64_t size, charge;
	int64_t stored_at; /* Unix time, seconds */
};
enum err store_head(struct store *store, const struct cid *cid, struct store_row *row);

/* CIDs above `after` (NULL: from the first) in order, `most` of them; not those in the trash. */
typedef void store_list_fn(void *context, const struct cid *cid, uint64_t size);
enum err store_list(struct store *store, const struct cid *after, uint32_t most, store_list_fn *each, void *context);

/* ERR_KEPT: `end` is called by a later store_turn(), with ERR_OK, ERR_NOT_FOUND, ERR_DISK, or ERR_REFUSED: it is pinned.
 * Else nothing will happen: ERR_BUSY, ERR_DISK. So with all that follows. */
typedef void delete_end_fn(void *context, enum err err);
enum err store_delete(struct store *store, const struct cid *cid, delete_end_fn *end, void *context);

/* -- pins and the trash (fate.c) --------------------------------------------------------------------------------------
 * What is pinned is neither deleted nor collected. What is in the trash is not there for readers, is in no list but that of
 * store_blobs(), and is charged; a put of the same bytes takes it out. Times are Unix time in seconds. */

enum err store_pin(struct store *store, const struct cid *cid, bool pinned, delete_end_fn *end, void *context);
enum err store_trash(struct store *store, const struct cid *cid, int64_t now, delete_end_fn *end, void *context);
enum err store_restore(struct store *store, const struct cid *cid, delete_end_fn *end, void *context);
/* For good, if it was put in the trash at `until` or before; INT64_MAX: whenever that was. */
enum err store_purge(struct store *store, const struct cid *cid, int64_t until, delete_end_fn *end, void *context);

struct store_blob {
	struct cid cid;
	uint8_t id[16]; /* of this upload; a later one of the same bytes has another */
	uint64_t size, charge;
	int64_t stored_at, trashed; /* trashed: 0, it is not */
	bool pinned, corrupt;
};
/* What the collector chose (gc.h): for good, if it still is that one, not pinned, and not in the trash. */
enum err store_collect(struct store *store, const struct store_blob *blob, delete_end_fn *end, void *context);
/* The index was rebuilt, which loses pins: whoever collects must ask an operator first. store_release(): he was asked. */
bool store_is_held(const struct store *store);
enum err store_release(struct store *store, delete_end_fn *end, void *context);

/* Every blob above `after` (NULL: from the first), in the order of CIDs, `most` of them; the trash too. */
typedef void store_blob_fn(void *context, const struct store_blob *blob);
enum err store_blobs(struct store *store, const struct cid *after, uint32_t most, store_blob_fn *each, void *context);
/* What was put in the trash at `until` or before, the first first; the size given is 0. */
enum err store_expired(struct store *store, int64_t until, uint32_t most, store_list_fn *each, void *context);

struct store_figures {
	uint64_t blobs, bytes, corrupt;   /* as of the last store_turn(); the trash counts */
	uint64_t used, quota, physical;   /* bytes; `used` without what puts under way have reserved */
	const char *trouble;              /* why it takes no puts, in a few words; NULL: it does */
	bool read_only;                   /* and that is because its disk is */
	uint64_t puts, gets, groups;      /* since the start */
	uint64_t puts_open, puts_high, puts_refused, gets_open, gets_high, gets_refused;
	uint64_t waiting, waiting_high, waiting_refused; /* for the committer */
	uint64_t units_free, slot_pages, slot_pages_limit;
	bool check_all;       /* the machine stopped without notice, or the arena was cut: check every blob */
	bool rebuilt;         /* the index was, at this start */
};
void store_figures(struct store *store, struct store_figures *stat);

/* Re-hashes stored blobs, a bounded step (256 KiB) at a time, in the order of their CIDs from `from` (NULL: the first) on.
 * What fails is remembered and told as above. */
enum check { CHECK_MORE, CHECK_ONE_DONE, CHECK_END /* past the last blob */ };
void store_check_from(struct store *store, const struct cid *from);
enum check store_check_next(struct store *store);

struct check_counts { /* since store_check_from() */
	uint64_t done, corrupt, unreadable; /* blobs; unreadable: the disk did not give them, so nothing is known */
};
const struct check_counts *store_check_counts(const struct store *store);
bool store_check_broke(const struct store *store); /* CHECK_END came as the index could not be read */

/* Those known to be corrupt among the next CORRUPT_PAGE blobs above `after` (NULL: from the first). *last: where to go on when
 * there are *more; untouched when there was none. */
enum { CORRUPT_PAGE = 1000 };
enum err store_list_corrupt(struct store *store, const struct cid *after, store_list_fn *each, void *context,
			    struct cid *last, bool *more);

#endif
