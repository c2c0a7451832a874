/* Several logs as one, by time. Plain C. */
#ifndef WARREN_CONSOLE_MERGE_H
#define WARREN_CONSOLE_MERGE_H

#include "actors/console/logfile.h"

enum { LOGS_MAX = 4096 };

struct merged {
	struct logfile file;
	struct log_line head; /* its next line */
	bool has_head;
};

struct merge {
	struct merged *logs; /* x_new'd array, at most LOGS_MAX */
	unsigned count;
};

/* The earliest of the next lines of all; of two of the same moment, the one of the log that is named first.
 * NULL when none has one now. The line lasts until the next call. */
const struct log_line *merge_next(struct merge *merge);

/* The same while the logs are being written, at `now_ms` of the wall clock: a line of the last MERGE_SLACK_MS
 * waits, as an earlier one of another process may still be on its way. One from the far future does not wait:
 * somebody set the clock back. */
enum { MERGE_SLACK_MS = 50, MERGE_FUTURE_MS = 5000 };
const struct log_line *merge_next_before(struct merge *merge, int64_t now_ms);

void merge_end(struct merge *merge);

#endif
