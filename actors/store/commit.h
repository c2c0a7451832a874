/* The committer: the store's helper thread that waits for the disk. It takes whatever waits as one group:
 *
 *   fdatasync(arena), and beside it one transaction of the index → both are done → the whole group is acknowledged
 *
 * and the next group is whatever came meanwhile; there is no timer. The two go side by side (syncer.h), so a crash may leave
 * rows whose bytes are not all there. They belong to one group at most, that nobody was told of: `synced` in the index says up
 * to which sequence the bytes were there when a group began, and a start after a crash reads what is above it (open.c).
 *
 * A delete takes three turns: its row is moved to `dying` and committed, the header's magic is zeroed; that is synced; then the
 * row is removed, and it is acknowledged. When the log has grown, the committer also writes it back into the database and fills
 * up the ballast.
 *
 * Jobs go in through a bounded queue and come back through a list and an eventfd. What a job holds belongs to the committer in
 * between. A sync that fails ends the process (syncer.h). */
#ifndef WARREN_STORE_COMMIT_H
#define WARREN_STORE_COMMIT_H

#include "actors/store/arena.h"
#include "actors/store/ballast.h"
#include "actors/store/index.h"
#include "proto/err.h"

enum {
	COMMIT_QUEUE = 1024, /* jobs waiting; one more is refused */
	COMMIT_GROUP = 256,  /* jobs in one transaction */
};

enum job_kind {
	JOB_PUT,     /* blob: to be inserted; its bytes and header are written, not synced */
	JOB_DELETE,  /* blob.cid: to be removed; afterwards blob is what was there. ERR_NOT_FOUND, ERR_REFUSED: it is pinned */
	JOB_FORGET,  /* blob.cid, if it still is the one of id `forget`, pinned or not */
	JOB_COLLECT, /* the same, if it is neither pinned nor in the trash */
	JOB_PURGE,   /* blob.cid, if it was put in the trash at `when` or before */
	JOB_TRASH,   /* blob.cid: into the trash, as of `when`. ERR_NOT_FOUND, ERR_REFUSED: it is pinned */
	JOB_RESTORE, /* blob.cid: out of it, if it is there; ERR_NOT_FOUND: there is no such blob. With an owner: for a put */
	JOB_PIN,     /* blob.cid: `pinned` or not. ERR_NOT_FOUND */
	JOB_CORRUPT, /* blob.cid, blob.id: to be remembered as corrupt; `first`: it was not yet */
	JOB_RELEASE, /* the collector is no longer held */
	JOB_PROBE,   /* after trouble: does the disk take writes again? */
};

struct job {
	enum job_kind kind;
	struct job *next;
	struct blob blob;
	struct blob_id forget;
	int64_t when; /* Unix time, seconds */
	bool pinned;
	enum err err;    /* how it ended */
	const char *why; /* ERR_DISK: a few words for people, static */
	bool first;
	void *owner; /* the main thread's */
};

struct committer;

struct committer_parts { /* for the committer alone while it runs; all outlive it */
	int folder;
	const struct arena_file *arena;
	struct index *index;
	struct ballast *ballast;
	struct index_counts counts;
};
struct committer *committer_start(const struct committer_parts *parts);

/* Does what waits and ends the thread; nothing can be added any more. What is done is then to be taken, before the end. */
void committer_finish(struct committer *committer);
void committer_end(struct committer **committer);

bool committer_add(struct committer *committer, struct job *job); /* false: the queue is full */
bool committer_idle(struct committer *committer);                 /* nothing waits, is being done, or is done */
int committer_fd(struct committer *committer);                    /* readable: some are done */
struct job *committer_done(struct committer *committer, struct index_counts *counts); /* those, in order; and the sums */

/* For `warren limits`; the values are only as fresh as the last committer_done(). */
struct committer_figures {
	uint64_t waiting, waiting_high, refused, groups;
};
const struct committer_figures *committer_figures(const struct committer *committer);

/* Asks for a rebuild at the next start, and ends the process. */
_Noreturn void index_is_damaged(int folder, const char *why);
#define REBUILD_FILE "rebuild"

#endif
