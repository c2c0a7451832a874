/* What a job does to the rows of the index, and which ones it may not touch: what is pinned is deleted by nobody, what is in the
 * trash is not there for anybody but those who restore and purge. Decided here, inside the transaction, because whoever asked
 * may have seen an older state. On the committer's thread. */
#include "actors/store/apply.h"

#include "actors/base/log/log.h"

#include <string.h>

static enum index_end apply_put(struct job *job, struct index *index, struct index_counts *counts)
{
	enum index_end end = index_put(index, &job->blob);
	counts->blobs++;
	counts->bytes += job->blob.size;
	counts->units += job->blob.runs.units;
	if (job->blob.sequence > counts->sequence)
		counts->sequence = job->blob.sequence;
	return end;
}

/* Of a blob that is there. */
static enum err may(const struct job *job, const struct blob *here)
{
	bool trash = here->trashed;
	switch (job->kind) {
	case JOB_DELETE:
	case JOB_TRASH:
		return trash ? ERR_NOT_FOUND : here->pinned ? ERR_REFUSED : ERR_OK;
	case JOB_COLLECT:
		if (trash || memcmp(&here->id, &job->forget, sizeof here->id) != 0)
			return ERR_NOT_FOUND;
		return here->pinned ? ERR_REFUSED : ERR_OK;
	case JOB_PURGE:
		return trash && here->trashed <= job->when ? ERR_OK : ERR_NOT_FOUND;
	case JOB_PIN:
		return trash ? ERR_NOT_FOUND : ERR_OK;
	case JOB_FORGET:
	case JOB_RESTORE:
		return ERR_OK;
	case JOB_PUT:
	case JOB_CORRUPT:
	case JOB_RELEASE:
	case JOB_PROBE:
		break;
	}
	bug("not about a blob that is there");
}

static enum index_end apply_delete(struct job *job, struct index *index, struct index_counts *counts)
{
	struct cid cid = job->blob.cid;
	const struct blob_id *only = job->kind == JOB_FORGET ? &job->forget : NULL;
	enum index_end end = index_die(index, &cid, only, &job->blob);
	job->blob.cid = cid;
	if (end == INDEX_NONE) {
		job->err = ERR_NOT_FOUND;
		return INDEX_OK;
	}
	if (end != INDEX_OK)
		return end;
	counts->blobs--;
	counts->bytes -= job->blob.size;
	counts->corrupt -= job->blob.corrupt;
	return INDEX_OK;
}

/* Every kind that is about a blob that should be there. */
static enum index_end apply_there(struct job *job, struct index *index, struct index_counts *counts)
{
	struct blob here;
	enum index_end end = index_look(index, &job->blob.cid, &here);
	if (end != INDEX_OK && end != INDEX_NONE)
		return end;
	job->err = end == INDEX_NONE ? ERR_NOT_FOUND : may(job, &here);
	if (job->err != ERR_OK)
		return INDEX_OK;
	if (job_deletes(job))
		return apply_delete(job, index, counts);
	if (job->kind == JOB_PIN)
		return index_pin(index, &job->blob.cid, job->pinned);
	return index_trash(index, &job->blob.cid, job->kind == JOB_TRASH ? job->when : 0);
}

enum index_end job_apply(struct job *job, struct index *index, struct index_counts *counts)
{
	job->err = ERR_OK;
	enum index_end end = INDEX_OK;
	switch (job->kind) {
	case JOB_PUT:
		return apply_put(job, index, counts);
	case JOB_DELETE:
	case JOB_FORGET:
	case JOB_COLLECT:
	case JOB_PURGE:
	case JOB_PIN:
	case JOB_TRASH:
	case JOB_RESTORE:
		return apply_there(job, index, counts);
	case JOB_CORRUPT:
		end = index_corrupt(index, &job->blob.cid, &job->blob.id, &job->first);
		counts->corrupt += job->first;
		return end;
	case JOB_RELEASE:
		counts->held = false;
		return INDEX_OK;
	case JOB_PROBE: /* the commit alone shows whether the disk takes it */
		return INDEX_OK;
	}
	bug("no such job");
}

bool job_deletes(const struct job *job)
{
	return job->kind == JOB_DELETE || job->kind == JOB_FORGET || job->kind == JOB_COLLECT ||
	       job->kind == JOB_PURGE;
}
