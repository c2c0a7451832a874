/* The inside of `struct store`: what open.c, put.c, get.c, blobs.c, check.c and rebuild.c share, and nobody else sees. */
#ifndef WARREN_STORE_INSIDE_H
#define WARREN_STORE_INSIDE_H

#include "actors/base/age/age.h"
#include "actors/store/blobs.h"
#include "actors/store/commit.h"
#include "actors/store/marker.h"

#define ARENA_FILE "arena"
enum { STORE_PATH = 512 };

struct check_state {
	struct cid next; /* the first to look at */
	bool from_first, broken;
	struct check_counts counts;
	struct get *get;
	struct sha256 *sum;
	struct merkle *merkle;
};

struct errand {                   /* a job that is not a put */
	struct job job;           /* first: a job is found again by its address */
	struct errand *next_mark; /* JOB_CORRUPT, in store->marks */
	uint64_t chunk;
	delete_end_fn *end; /* NULL: nobody asked */
	void *context;
};

/* Deleted, but somebody still reads it: its units are given back when the last reader leaves. */
struct gone {
	struct blob blob;
	unsigned readers;
};

struct store {
	char folder_path[STORE_PATH];
	int folder;
	struct store_shape shape; /* its folder is folder_path, its secret NULL */
	struct age age; /* by which blobs are stamped and expire */
	struct marker marker;
	struct store_keys *keys;
	struct head head;
	struct arena_file arena;
	struct ballast ballast;
	struct index *writes, *reads; /* `writes` is the committer's */
	struct committer *committer;  /* NULL: the disk takes no writes */
	bool check_all, rebuilt;
	bool was_read_only; /* the disk, when it was opened */

	struct freemap *map;
	struct slots slots;
	uint64_t quota_units;
	uint64_t used_units;     /* stored, reserved, or still read */
	uint64_t reserved_units; /* of those, reserved by puts that are not stored yet */

	uint64_t number; /* of the last header written in this birth */
	struct index_counts counts;
	const char *trouble;
	bool refusing, probing;
	uint64_t tends, looked_at_groups;

	struct put *puts; /* open, or being committed */
	struct get *gets;
	struct errand *marks; /* of corrupt blobs, on their way into the index; blobs.c */
	uint64_t puts_open, puts_high, puts_refused, gets_open, gets_high, gets_refused, put_count, get_count;
	store_corrupt_fn *on_corrupt;
	void *on_corrupt_context;
	struct check_state check;
};

/* put.c */
void put_committed(struct store *store, struct job *job);
void puts_drop(struct store *store); /* those that are open: at the end of the store */

/* get.c */
struct blob *get_blob(struct get *get);
/* store_get_open() for the store itself, which is no reader: it looks at what is in the trash, too, and is not counted. */
enum err get_open(struct store *store, const struct cid *cid, bool trash_too, struct get **get);
void gets_drop(struct store *store);
bool get_is_open(struct store *store, const struct blob_id *id);
void gets_blob_gone(struct store *store, struct blob *blob); /* takes it over, until the last reader left */

void put_woken(struct store *store, struct job *job); /* JOB_RESTORE for a put */

/* blobs.c */
struct errand *errand_new(enum job_kind kind, const struct cid *cid);
enum err errand_go(struct store *store, struct errand *errand, delete_end_fn *end, void *context); /* takes it over */
void units_give(struct store *store, struct blob *blob); /* back to the map; ends the blob */
void store_troubled(struct store *store, const char *what, int number); /* a write failed */
void store_found_corrupt(struct store *store, const struct blob *blob, uint64_t chunk);
bool store_marks_full(struct store *store); /* what is found corrupt now cannot be marked as such yet */
bool store_knows_corrupt(struct store *store, const struct blob_id *id);
bool store_forget(struct store *store, const struct cid *cid); /* a corrupt blob gives way; false: the queue is full */
enum err store_index_err(struct store *store, enum index_end end);

bool disk_is_read_only(const struct store *store);

/* check.c */
void check_stop(struct store *store);

/* rebuild.c. A new index from the headers in the arena, in place of whatever is there. False, with why: the disk refused. */
bool index_rebuild(struct store *store, char why[STORE_WHY]);
/* Whether header and chunks of a blob are there, and right. What the disk will not give may be right. */
bool blob_is_there(struct store *store, struct blob *blob);
/* Headers that are void lose their magic, so that the list of voids can begin anew. 0 or an errno. */
int orphans_erase(struct store *store);

/* init.c. Makes index.db out of index.new: all that is in it is on the disk before it has its name. */
bool index_put_in_place(int folder);
#define INDEX_UNFINISHED "index.new"
void store_path(const struct store_shape *shape, const char *name, char path[STORE_PATH]);

#endif
