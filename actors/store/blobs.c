/* The store's façade: turning, deleting, listing, figures. Main thread. */
#include "actors/store/store_inside.h"

#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/reasons/reasons.h"
#include "actors/base/whole/whole.h"
#include "actors/store/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

enum {
	CORRUPT_JOBS = 64, /* marks under way; a blob not marked now is marked when it is read next */
	LOOK_TENDS =
		3, /* store_tend() calls, a second apart, between two looks at an idle disk: it is known to refuse within 5 s */
};

/* -- what the other files share -------------------------------------------------------------------------------------- */

void units_give(struct store *store, struct blob *blob)
{
	slots_give(&store->slots, blob->slots, blob->slot_count);
	freemap_give_all(store->map, &blob->runs);
	blob_end(blob);
}

void store_troubled(struct store *store, const char *what, int number)
{
	if (!store->trouble)
		log_error("store.trouble",
			  "what=\"%s\" errno=%d then=\"no puts until it is mended; reads go on\"", what,
			  number);
	reason_note(REASON_STORE_DISK, "", "%s%s%s", what, number ? ": " : "",
		    number ? strerror(number) : "");
	store->trouble = what;
}

enum err store_index_err(struct store *store, enum index_end end)
{
	if (end == INDEX_OK)
		return ERR_OK;
	if (end == INDEX_NONE)
		return ERR_NOT_FOUND;
	if (end == INDEX_DAMAGED && store->committer)
		index_is_damaged(store->folder, index_why(store->reads));
	log_warn("store.index_read", "why=\"%s\"", index_why(store->reads));
	return ERR_DISK;
}

static struct errand *mark_of(struct store *store, const struct blob_id *id, unsigned *count)
{
	*count = 0;
	for (struct errand *mark = store->marks; mark; mark = mark->next_mark, ++*count)
		if (memcmp(&mark->job.blob.id, id, sizeof *id) == 0)
			return mark;
	return NULL;
}

bool store_knows_corrupt(struct store *store, const struct blob_id *id)
{
	unsigned ignored;
	return mark_of(store, id, &ignored);
}

bool store_marks_full(struct store *store)
{
	unsigned count;
	mark_of(store, &(struct blob_id){{0}}, &count); /* drawn at random: nobody's */
	return count >= CORRUPT_JOBS;
}

struct errand *errand_new(enum job_kind kind, const struct cid *cid)
{
	struct errand *new = x_new(sizeof *new);
	new->job.kind = kind;
	if (cid)
		new->job.blob.cid = *cid;
	return new;
}

void store_found_corrupt(struct store *store, const struct blob *blob, uint64_t chunk)
{
	unsigned count;
	if (mark_of(store, &blob->id, &count) || count >= CORRUPT_JOBS)
		return;
	char text[CID_TEXT];
	log_error("store.corrupt", "cid=%s chunk=%lld", cid_text(&blob->cid, text), (long long)chunk);
	if (chunk == CORRUPT_HEADER)
		reason_note(REASON_STORE_CORRUPT, text, "its header failed its check");
	else
		reason_note(REASON_STORE_CORRUPT, text, "chunk %llu failed its check",
			    (unsigned long long)chunk);
	struct errand *mark = errand_new(JOB_CORRUPT, &blob->cid);
	mark->job.blob.id = blob->id;
	mark->chunk = chunk;
	if (!store->committer || !committer_add(store->committer, &mark->job)) {
		x_free(&mark);
		return;
	}
	mark->next_mark = store->marks;
	store->marks = mark;
}

bool store_forget(struct store *store, const struct cid *cid)
{
	struct blob here;
	if (index_look(store->reads, cid, &here) != INDEX_OK)
		return false;
	struct errand *forget = errand_new(JOB_FORGET, cid);
	forget->job.forget = here.id;
	if (committer_add(store->committer, &forget->job))
		return true;
	x_free(&forget);
	return false;
}

void store_on_corrupt(struct store *store, store_corrupt_fn *corrupt, void *context)
{
	store->on_corrupt = corrupt;
	store->on_corrupt_context = context;
}

/* -- deleting, probing ----------------------------------------------------------------------------------------------- */

enum err errand_go(struct store *store, struct errand *errand, delete_end_fn *end, void *context)
{
	errand->end = end;
	errand->context = context;
	if (store->committer && committer_add(store->committer, &errand->job))
		return ERR_KEPT;
	x_free(&errand);
	return store->committer ? ERR_BUSY : ERR_DISK;
}

enum err store_delete(struct store *store, const struct cid *cid, delete_end_fn *end, void *context)
{
	return errand_go(store, errand_new(JOB_DELETE, cid), end, context);
}

/* Whether the disk would take a write. Nothing is synced: a disk that is asleep stays so. */
static int look_at_disk(struct store *store)
{
	struct statvfs fs;
	uint8_t byte;
	if (fstatvfs(store->folder, &fs) == 0 && fs.f_flag & ST_RDONLY)
		return EROFS;
	int failed = read_whole_at(store->arena.fd, &byte, 1, HEAD - 1); /* never used: head.h */
	return failed ? failed : write_whole_at(store->arena.fd, &byte, 1, HEAD - 1);
}

/* A store to which nobody writes would not notice that its disk has become read-only. One that has just committed knows. */
static void look_now_and_then(struct store *store)
{
	uint64_t groups = committer_figures(store->committer)->groups;
	if (groups == store->looked_at_groups && ++store->tends % LOOK_TENDS == 0) {
		int failed = look_at_disk(store);
		if (failed)
			store_troubled(store, "the disk takes no writes", failed);
	}
	store->looked_at_groups = groups;
}

void store_tend(struct store *store)
{
	if (!store->committer || store->probing)
		return;
	if (!store->trouble)
		look_now_and_then(store);
	if (!store->trouble)
		return;
	struct errand *probe = errand_new(JOB_PROBE, NULL);
	store->probing = committer_add(store->committer, &probe->job);
	if (!store->probing)
		x_free(&probe);
}

static void deleted(struct store *store, struct errand *delete)
{
	struct blob *blob = &delete->job.blob;
	if (delete->job.err == ERR_OK && get_is_open(store, &blob->id)) {
		gets_blob_gone(store, blob);
	} else if (delete->job.err == ERR_OK) {
		store->used_units -= blob->runs.units;
		units_give(store, blob);
	} else if (delete->job.err == ERR_DISK) {
		store_troubled(store, delete->job.why, 0);
	}
	if (delete->end)
		delete->end(delete->context, delete->job.err);
}

/* A pin, a way into the trash or out of it, a release: nothing but its row has changed. */
static void noted(struct store *store, struct errand *errand)
{
	if (errand->job.err == ERR_DISK)
		store_troubled(store, errand->job.why, 0);
	if (errand->end)
		errand->end(errand->context, errand->job.err);
}

static void marked(struct store *store, struct errand *mark)
{
	struct errand **at = &store->marks;
	while (*at != mark)
		at = &(*at)->next_mark;
	*at = mark->next_mark;
	bool tell = mark->job.first || mark->job.err != ERR_OK;
	if (tell && store->on_corrupt)
		store->on_corrupt(store->on_corrupt_context, &mark->job.blob.cid, mark->chunk);
}

static void probed(struct store *store, const struct job *job)
{
	store->probing = false;
	if (job->err != ERR_OK) {
		store_troubled(store, job->why, 0);
		return;
	}
	log_info("store.recovered", "was=\"%s\"", store->trouble);
	store->trouble = NULL;
	reason_over(REASON_STORE_DISK, NULL);
}

/* -- turning --------------------------------------------------------------------------------------------------------- */

int store_fd(struct store *store)
{
	return store->committer ? committer_fd(store->committer) : -1;
}

static void job_done(struct store *store, struct job *job)
{
	struct errand *other = (struct errand *)job;
	switch (job->kind) {
	case JOB_PUT:
		put_committed(store, job);
		return;
	case JOB_DELETE:
	case JOB_FORGET:
	case JOB_COLLECT:
	case JOB_PURGE:
		deleted(store, other);
		break;
	case JOB_RESTORE:
		if (job->owner) {
			put_woken(store, job);
			return;
		}
		noted(store, other);
		break;
	case JOB_PIN:
	case JOB_TRASH:
	case JOB_RELEASE:
		noted(store, other);
		break;
	case JOB_CORRUPT:
		marked(store, other);
		break;
	case JOB_PROBE:
		probed(store, job);
		break;
	}
	x_free(&other);
}

void store_turn(struct store *store)
{
	if (!store->committer)
		return;
	struct job *job = committer_done(store->committer, &store->counts);
	while (job) {
		struct job *next = job->next;
		job_done(store, job);
		job = next;
	}
}

bool disk_is_read_only(const struct store *store)
{
	struct statvfs fs;
	return fstatvfs(store->folder, &fs) == 0 && fs.f_flag & ST_RDONLY;
}

bool store_seems_mended(const struct store *store)
{
	return store->was_read_only && !disk_is_read_only(store);
}

int64_t store_now(struct store *store)
{
	return age_now(&store->age);
}

int64_t store_stamp(struct store *store)
{
	return age_stamp(&store->age);
}

void store_keep_age(struct store *store)
{
	store_now(store);
	if (!store_only_reads(store))
		age_save(&store->age, store->folder);
}

bool store_only_reads(const struct store *store)
{
	return !store->committer;
}

bool store_idle(struct store *store)
{
	return !store->puts && (!store->committer || committer_idle(store->committer));
}

void store_refuse(struct store *store)
{
	store->refusing = true;
}

/* -- looking --------------------------------------------------------------------------------------------------------- */

enum err store_head(struct store *store, const struct cid *cid, struct store_row *row)
{
	struct blob blob;
	enum index_end end = index_look(store->reads, cid, &blob);
	if (end != INDEX_OK)
		return store_index_err(store, end);
	if (blob.trashed)
		return ERR_NOT_FOUND;
	uint32_t unit = store->arena.unit;
	*row = (struct store_row){blob.size, blob_units(blob.size, unit) * unit, blob.stored_at};
	return ERR_OK;
}

enum err store_list(struct store *store, const struct cid *after, uint32_t most, store_list_fn *each,
		    void *context)
{
	return store_index_err(store, index_page(store->reads, after, most, each, context));
}

static uint64_t physical(struct store *store)
{
	uint64_t index = file_bytes(store->folder, INDEX_FILE) + file_bytes(store->folder, INDEX_FILE "-wal");
	uint64_t reserve = ballast_reserve_for(store->shape.quota);
	return arena_file_bytes(&store->arena) + (index > reserve ? index : reserve);
}

void store_figures(struct store *store, struct store_figures *stat)
{
	static const struct committer_figures none;
	const struct committer_figures *figures =
		store->committer ? committer_figures(store->committer) : &none;
	*stat = (struct store_figures){
		.blobs = store->counts.blobs,
		.bytes = store->counts.bytes,
		.corrupt = store->counts.corrupt,
		.used = (store->used_units - store->reserved_units) * store->arena.unit,
		.quota = store->quota_units * store->arena.unit,
		.physical = physical(store),
		.trouble = store->trouble,
		.read_only = store->trouble && disk_is_read_only(store),
		.puts = store->put_count,
		.gets = store->get_count,
		.groups = figures->groups,
		.puts_open = store->puts_open,
		.puts_high = store->puts_high,
		.puts_refused = store->puts_refused,
		.gets_open = store->gets_open,
		.gets_high = store->gets_high,
		.gets_refused = store->gets_refused,
		.waiting = figures->waiting,
		.waiting_high = figures->waiting_high,
		.waiting_refused = figures->refused,
		.units_free = freemap_left(store->map),
		.slot_pages = store->slots.pages,
		.slot_pages_limit = slots_slack(store->quota_units),
		.check_all = store->check_all,
		.rebuilt = store->rebuilt,
	};
}
