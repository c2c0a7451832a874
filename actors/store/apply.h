/* What a job does to the rows of the index. The committer calls it, inside its transaction. */
#ifndef WARREN_STORE_APPLY_H
#define WARREN_STORE_APPLY_H

#include "actors/store/commit.h"

/* job->err says how it ended for whoever asked; `counts` are as they will be. An end but INDEX_OK: to be rolled back. */
enum index_end job_apply(struct job *job, struct index *index, struct index_counts *counts);

/* Whether it takes the blob away; if its err is ERR_OK afterwards, the blob's header is to be zeroed. */
bool job_deletes(const struct job *job);

#endif
