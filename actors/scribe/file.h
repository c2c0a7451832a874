/* The log files, one per process, below one folder: appended to, rotated by size, never waited for. When the
 * disk refuses, lines are dropped and counted; each FILE_RETRY_MS it is tried again, and the first line that
 * lies down says how many are missing. Opening is by descriptor and follows no symbolic link. */
#ifndef WARREN_SCRIBE_FILE_H
#define WARREN_SCRIBE_FILE_H

#include "proto/log_text.h"

enum {
	FILES_OPEN = 256, /* descriptors held at once; the one longest unused is closed for another */
	FILE_RETRY_MS = 1000,
	FILE_KEEP_MAX = 30, /* highest value of log_keep in proto/settings.def */
	FILE_MODE = 0640,
	FOLDER_MODE = 0750,
	TROUBLE_TEXT = 65,
};

struct moment {
	uint64_t ms;     /* CLOCK_MONOTONIC */
	int64_t wall_ms; /* CLOCK_REALTIME */
};

/* The file of one process, in memory that does not move while it is in use. */
struct file {
	char path[LOG_PATH_TEXT]; /* below the folder: "node2/store.log" */
	int fd;                   /* -1: closed until it is needed */
	bool unsynced;
	uint64_t size;
	uint64_t used;     /* when, in turns of struct files */
	int trouble;       /* errno of what the disk refused; 0: none */
	uint64_t retry_ms; /* not before */
	uint64_t dropped;  /* lines, since the trouble began */
};

struct files {
	int folder;
	uint64_t rotate_bytes;
	unsigned keep;
	uint32_t pid; /* our own, for the lines that are ours */
	uint64_t turn;
	struct file *open[FILES_OPEN];
	uint64_t open_count, open_high;
	uint64_t lines, bytes, dropped, rotations; /* since the start */
	uint64_t troubled;                         /* files in trouble now */
	char trouble[TROUBLE_TEXT];                /* the newest one, "" when none is in trouble */
};

/* `folder` is an open directory and stays the caller's. No file becomes larger than `rotate_bytes`, which is
 * at least LOG_TEXT_MAX; `keep` older ones (1 … FILE_KEEP_MAX) stay beside it. */
void files_begin(struct files *files, int folder, uint64_t rotate_bytes, unsigned keep, uint32_t pid);

/* Names the file and opens nothing. */
void file_begin(struct file *file, unsigned kind, unsigned node);

/* Whole lines, each with its LF, at most `rotate_bytes` in all. They are written at once, or dropped and
 * counted. */
void file_append(struct files *files, struct file *file, const char *text, size_t length,
		 const struct moment *now);

/* Each second, for each file in use: tries again in trouble, sees that somebody emptied or removed it. */
void file_tick(struct files *files, struct file *file, const struct moment *now);

/* Closes it; what it dropped and never said is added to no line any more, only to files->dropped. */
void file_end(struct files *files, struct file *file);

/* fdatasync() of one file that needs it; false when none does. A file that was closed to make room is the
 * kernel's to write out: a log line is not a promise. */
bool files_sync_one(struct files *files);

#endif
