/* Several logs as one, by time. Part of the console; reads through logfile.c. */
#include "actors/console/merge.h"

#include "actors/base/memory/memory.h"

/* The log with the earliest next line; NULL when none has one. */
static struct merged *earliest(struct merge *merge)
{
	struct merged *first = NULL;
	for (unsigned i = 0; i < merge->count; i++) {
		struct merged *log = &merge->logs[i];
		if (!log->has_head)
			log->has_head = logfile_next(&log->file, &log->head);
		if (log->has_head && (!first || log->head.time_ms < first->head.time_ms))
			first = log;
	}
	return first;
}

const struct log_line *merge_next(struct merge *merge)
{
	struct merged *first = earliest(merge);
	if (!first)
		return NULL;
	first->has_head = false; /* its bytes last until logfile_next() of this file */
	return &first->head;
}

const struct log_line *merge_next_before(struct merge *merge, int64_t now_ms)
{
	struct merged *first = earliest(merge);
	int64_t time_ms = first ? first->head.time_ms : 0;
	if (first && time_ms > now_ms - MERGE_SLACK_MS && time_ms < now_ms + MERGE_FUTURE_MS)
		return NULL;
	return merge_next(merge);
}

void merge_end(struct merge *merge)
{
	for (unsigned i = 0; i < merge->count; i++)
		logfile_end(&merge->logs[i].file);
	x_free(&merge->logs);
	merge->count = 0;
}
