/* The log of one process: its file, and the older ones beside it (".1" is the newest of those). Read only;
 * scribe may append and rotate at any time. Plain C. */
#ifndef WARREN_CONSOLE_LOGFILE_H
#define WARREN_CONSOLE_LOGFILE_H

#include "proto/log_text.h"

enum {
	LOGFILE_OLDER = 30,         /* highest log_keep in proto/settings.def */
	LOGFILE_BUFFER = 16 * 1024, /* a longer line, which no scribe wrote, is given in pieces */
	LOGFILE_PATH = 4096 + 64,
};

/* Which lines are wanted. */
struct log_filter {
	unsigned level;   /* this and above; a line of no known shape has none and passes */
	const char *grep; /* NULL: any */
	int64_t since_ms; /* since 1970 */
};

struct logfile {
	char path[LOGFILE_PATH];
	int fd;          /* -1: not there (yet) */
	uint64_t offset; /* in the file, of buffer[to] */
	char *buffer;
	size_t from, to; /* what was read and not yet given */
	int64_t time_ms; /* of the last line given: a line of no known shape has its neighbour's */
};

struct log_line {
	const char *at; /* until the next logfile_next() of this file; without its line feed */
	size_t length;
	int64_t time_ms;
	bool known; /* `text` was parsed */
	struct log_text text;
};

/* Opens nothing yet. `path` is that of the newest file. */
void logfile_begin(struct logfile *log, const char *path);
void logfile_end(struct logfile *log);

/* Goes to where at most `most` wanted lines follow, none of them older than filter->since_ms; returns how
 * many they are. Negative: -errno; -ENOENT when there is no file. */
int64_t logfile_tail(struct logfile *log, const struct log_filter *filter, uint64_t most);

/* The next whole line, wanted or not, across rotations. False when there is none now. */
bool logfile_next(struct logfile *log, struct log_line *line);

/* Parses one; for the filter and for whoever prints. */
void log_line_read(const char *at, size_t length, int64_t otherwise_ms, struct log_line *line);
bool log_wanted(const struct log_filter *filter, const struct log_line *line);

#endif
