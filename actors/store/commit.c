/* The committer thread: see commit.h. Runs inside store@N; touches the arena's descriptor, the index's writing connection and
 * the ballast. When it must give up it takes the process with it: the next start finds what was acknowledged. */
#include "actors/store/commit.h"

#include "actors/base/whole/whole.h"
#include "actors/store/apply.h"
#include "actors/store/arena.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/store/syncer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK = 256 * 1024 };

struct jobs {
	struct job *first, **last;
	uint64_t count;
};

struct committer {
	struct committer_parts parts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int done_fd;

	/* under the lock */
	struct jobs waiting, done;
	struct index_counts counts; /* after the last commit */
	uint64_t groups;
	uint64_t jobs; /* with us, whatever their state */
	bool stop;

	struct committer_figures figures; /* the main thread's */

	/* the committer's own */
	struct syncer *syncer;
	struct jobs zeroed; /* deletes whose header is zeroed, not yet on the disk */
	struct jobs erased; /* the same, on the disk: their row can leave `dying` */
	bool voided;        /* headers of puts that failed were zeroed, not yet on the disk */
};

static void jobs_begin(struct jobs *jobs)
{
	*jobs = (struct jobs){.last = &jobs->first};
}

static void jobs_add(struct jobs *jobs, struct job *job)
{
	job->next = NULL;
	*jobs->last = job;
	jobs->last = &job->next;
	jobs->count++;
}

static struct job *jobs_take(struct jobs *jobs)
{
	struct job *job = jobs->first;
	if (!job)
		return NULL;
	jobs->first = job->next;
	if (!jobs->first)
		jobs->last = &jobs->first;
	jobs->count--;
	return job;
}

/* Adds all of `from` to the end of `to`. */
static void jobs_move(struct jobs *to, struct jobs *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	to->count += from->count;
	jobs_begin(from);
}

_Noreturn void index_is_damaged(int folder, const char *why)
{
	int fd = openat(folder, REBUILD_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		fsync(fd), close(fd);
	log_error("store.index_damaged", "why=\"%s\" then=\"it is rebuilt from the arena at the next start\"",
		  why);
	abort();
}

/* -- one group ------------------------------------------------------------------------------------------------------- */

/* A delete that was rolled back holds a row it no longer has a claim to. */
static void take_back(struct jobs *group)
{
	for (struct job *job = group->first; job; job = job->next)
		if (job_deletes(job))
			blob_end(&job->blob);
}

static enum index_end transaction(struct committer *c, struct jobs *group)
{
	struct index_counts counts = c->parts.counts;
	enum index_end end = index_begin(c->parts.index);
	for (struct job *job = c->erased.first; job && end == INDEX_OK; job = job->next) {
		end = index_bury(c->parts.index, &job->blob.id);
		counts.units -= job->blob.runs.units;
	}
	for (struct job *job = group->first; job && end == INDEX_OK; job = job->next)
		end = job_apply(job, c->parts.index, &counts);
	if (end == INDEX_OK)
		end = index_commit(c->parts.index, &counts);
	if (end == INDEX_OK) {
		c->parts.counts = counts;
		return INDEX_OK;
	}
	if (end == INDEX_SYNC)
		sync_failed(index_why(c->parts.index), errno);
	if (end == INDEX_DAMAGED || end == INDEX_NEWER)
		index_is_damaged(c->parts.folder, index_why(c->parts.index));
	log_warn("store.commit_failed", "why=\"%s\"", index_why(c->parts.index));
	index_rollback(c->parts.index);
	take_back(group);
	return end;
}

/* A full disk: the ballast gives way, a part at a time. */
static enum index_end insist(struct committer *c, struct jobs *group, enum ballast_for purpose)
{
	enum index_end end = transaction(c, group);
	while (end == INDEX_FULL && ballast_yield(c->parts.ballast, purpose))
		end = transaction(c, group);
	return end;
}

static void fail(struct committer *c, struct jobs *group, enum index_end end)
{
	for (struct job *job = group->first; job; job = job->next) {
		job->err = ERR_DISK;
		job->why = end == INDEX_FULL ? "the disk is full" : "the disk refuses the index";
		if (job->kind != JOB_PUT)
			continue;
		/* Its header must not outlive it: synced before a higher sequence is committed. */
		arena_void(c->parts.arena, job->blob.runs.run[0].start);
		c->voided = true;
	}
}

/* What was removed from the index loses its header; it is done two turns later. */
static void zero_headers(struct committer *c, struct jobs *group, struct jobs *done)
{
	struct job *job;
	while ((job = jobs_take(group))) {
		bool was_there = job_deletes(job) && job->err == ERR_OK;
		int failed = was_there ? arena_void(c->parts.arena, job->blob.runs.run[0].start) : 0;
		if (failed) {
			log_warn("store.delete_unfinished", "errno=%d", failed);
			job->err = ERR_DISK;
			job->why = "the disk refuses the arena";
			blob_end(&job->blob);
		}
		jobs_add(was_there && !failed ? &c->zeroed : done, job);
	}
}

/* Leaves in `group` what is no put. */
static void take_puts(struct jobs *group, struct jobs *puts)
{
	struct jobs rest;
	struct job *job;
	jobs_begin(&rest);
	while ((job = jobs_take(group)))
		jobs_add(job->kind == JOB_PUT ? puts : &rest, job);
	jobs_move(group, &rest);
}

static bool has_puts(const struct jobs *group)
{
	for (const struct job *job = group->first; job; job = job->next)
		if (job->kind == JOB_PUT)
			return true;
	return false;
}

static bool has_deletes(const struct committer *c, const struct jobs *group)
{
	for (const struct job *job = group->first; job; job = job->next)
		if (job_deletes(job) || job->kind == JOB_TRASH)
			return true;
	return c->erased.first;
}

/* A full disk still lets deletes through: they are what mends it. */
static enum index_end without_puts(struct committer *c, struct jobs *group, struct jobs *done)
{
	struct jobs puts;
	jobs_begin(&puts);
	take_puts(group, &puts);
	fail(c, &puts, INDEX_FULL);
	jobs_move(done, &puts);
	if (!has_deletes(c, group))
		return INDEX_FULL;
	return insist(c, group, FOR_DELETES);
}

/* The rows of deletes that could not be ended stay in `dying`, their units stay taken: the next start ends them. */
static void fail_all(struct committer *c, struct jobs *group, enum index_end end, struct jobs *done)
{
	take_back(&c->zeroed);
	take_back(&c->erased);
	jobs_move(group, &c->zeroed);
	jobs_move(group, &c->erased);
	fail(c, group, end);
	jobs_move(done, group);
}

static enum index_end commit_group(struct committer *c, struct jobs *group, struct jobs *done)
{
	bool puts = has_puts(group), deleting = has_deletes(c, group);
	if (!group->first && !deleting)
		return INDEX_OK;
	enum index_end end = insist(c, group, puts ? FOR_PUTS : deleting ? FOR_DELETES : FOR_NOTHING);
	return end == INDEX_FULL && puts ? without_puts(c, group, done) : end;
}

static void do_group(struct committer *c, struct jobs *group, struct jobs *done)
{
	bool sync = has_puts(group) || c->zeroed.first;
	if (c->voided) {
		syncer_begin(c->syncer);
		syncer_wait(c->syncer);
		c->voided = false;
	}
	if (sync)
		syncer_begin(c->syncer);
	enum index_end end = commit_group(c, group, done);
	if (sync)
		syncer_wait(c->syncer);
	if (end != INDEX_OK) {
		fail_all(c, group, end, done);
		return;
	}
	c->parts.counts.synced = c->parts.counts.sequence;
	jobs_move(done, &c->erased);
	jobs_move(&c->erased, &c->zeroed);
	zero_headers(c, group, done);
}

/* -- looking after the disk ------------------------------------------------------------------------------------------ */

static uint64_t index_bytes(const struct committer *c)
{
	return file_bytes(c->parts.folder, INDEX_FILE) + file_bytes(c->parts.folder, INDEX_FILE "-wal");
}

/* Rewrites a byte of the arena's head that is never used, and waits for it. */
static bool arena_takes_writes(struct committer *c)
{
	uint8_t byte;
	if (read_whole_at(c->parts.arena->fd, &byte, 1, HEAD - 1) ||
	    write_whole_at(c->parts.arena->fd, &byte, 1, HEAD - 1))
		return false;
	syncer_begin(c->syncer);
	syncer_wait(c->syncer);
	return true;
}

/* The index has just shown that it takes a commit. */
static void probe(struct committer *c, struct job *job)
{
	if (job->err != ERR_OK)
		return;
	job->err = ERR_DISK;
	if (!arena_takes_writes(c))
		job->why = "the disk refuses the arena";
	else if (!ballast_fill(c->parts.ballast, index_bytes(c)) &&
		 ballast_spent(c->parts.ballast, index_bytes(c)))
		job->why = "the disk is full: the reserve of the index is spent";
	else
		job->err = ERR_OK;
}

static void write_back(struct committer *c)
{
	bool done;
	enum index_end end = index_checkpoint(c->parts.index, &done);
	if (end == INDEX_SYNC)
		sync_failed(index_why(c->parts.index), errno);
	if (end == INDEX_DAMAGED)
		index_is_damaged(c->parts.folder, index_why(c->parts.index));
	if (done && !ballast_fill(c->parts.ballast, index_bytes(c)))
		log_warn("store.reserve", "why=\"the disk is full: the reserve of the index is not whole\"");
}

/* -- the thread ------------------------------------------------------------------------------------------------------ */

/* Waits for work. False: told to stop, and nothing is left. */
static bool take_group(struct committer *c, struct jobs *group)
{
	pthread_mutex_lock(&c->lock);
	bool ending = c->zeroed.first || c->erased.first; /* deletes */
	while (!c->waiting.first && !ending && !c->stop)
		pthread_cond_wait(&c->wake, &c->lock);
	while (c->waiting.first && group->count < COMMIT_GROUP)
		jobs_add(group, jobs_take(&c->waiting));
	bool work = group->first || ending;
	pthread_mutex_unlock(&c->lock);
	return work;
}

static void hand_back(struct committer *c, struct jobs *done)
{
	pthread_mutex_lock(&c->lock);
	jobs_move(&c->done, done);
	c->counts = c->parts.counts;
	c->groups++;
	pthread_mutex_unlock(&c->lock);
	uint64_t one = 1;
	if (write(c->done_fd, &one, sizeof one) != sizeof one)
		bug("eventfd");
}

static void *committer_run(void *context)
{
	struct committer *c = context;
	for (;;) {
		struct jobs group, done;
		jobs_begin(&group);
		jobs_begin(&done);
		if (!take_group(c, &group))
			return NULL;
		do_group(c, &group, &done);
		for (struct job *job = done.first; job; job = job->next)
			if (job->kind == JOB_PROBE)
				probe(c, job);
		hand_back(c, &done);
		write_back(c);
	}
}

/* -- the main thread's side ------------------------------------------------------------------------------------------ */

struct committer *committer_start(const struct committer_parts *parts)
{
	struct committer *c = x_new(sizeof *c);
	c->parts = *parts;
	c->counts = parts->counts;
	jobs_begin(&c->waiting);
	jobs_begin(&c->done);
	jobs_begin(&c->zeroed);
	jobs_begin(&c->erased);
	c->syncer = syncer_start(parts->arena->fd);
	c->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bug_if(c->done_fd < 0 || pthread_mutex_init(&c->lock, NULL) || pthread_cond_init(&c->wake, NULL));
	pthread_attr_t attributes;
	sigset_t all, before;
	sigfillset(&all);
	bug_if(pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK));
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	bug_if(pthread_create(&c->thread, &attributes, committer_run, c));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return c;
}

void committer_finish(struct committer *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	bug_if(pthread_join(c->thread, NULL));
}

void committer_end(struct committer **committer)
{
	struct committer *c = *committer;
	bug_if(c->done.first || !c->stop);
	syncer_end(&c->syncer);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	close(c->done_fd);
	x_free(committer);
}

bool committer_add(struct committer *c, struct job *job)
{
	pthread_mutex_lock(&c->lock);
	bool room = c->waiting.count < COMMIT_QUEUE && !c->stop;
	if (room) {
		jobs_add(&c->waiting, job);
		c->jobs++;
		pthread_cond_signal(&c->wake);
	}
	c->figures.waiting = c->waiting.count;
	pthread_mutex_unlock(&c->lock);
	if (c->figures.waiting > c->figures.waiting_high)
		c->figures.waiting_high = c->figures.waiting;
	c->figures.refused += !room;
	return room;
}

bool committer_idle(struct committer *c)
{
	pthread_mutex_lock(&c->lock);
	bool idle = c->jobs == 0;
	pthread_mutex_unlock(&c->lock);
	return idle;
}

int committer_fd(struct committer *c)
{
	return c->done_fd;
}

struct job *committer_done(struct committer *c, struct index_counts *counts)
{
	uint64_t ignored;
	if (read(c->done_fd, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
		bug("eventfd");
	pthread_mutex_lock(&c->lock);
	struct job *first = c->done.first;
	c->jobs -= c->done.count;
	jobs_begin(&c->done);
	*counts = c->counts;
	c->figures.waiting = c->waiting.count;
	c->figures.groups = c->groups;
	pthread_mutex_unlock(&c->lock);
	return first;
}

const struct committer_figures *committer_figures(const struct committer *c)
{
	return &c->figures;
}
