/* The log of one process, read while scribe writes it. Part of the console; opens files below ROOT/logs for
 * reading, never a link, never a pipe. */
#include "actors/console/logfile.h"

#include "actors/base/memory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void logfile_begin(struct logfile *log, const char *path)
{
	*log = (struct logfile){.fd = -1, .buffer = x_new(LOGFILE_BUFFER)};
	snprintf(log->path, sizeof log->path, "%s", path);
}

void logfile_end(struct logfile *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	x_free(&log->buffer);
}

/* -- lines --------------------------------------------------------------------------------------------- */

void log_line_read(const char *at, size_t length, int64_t otherwise_ms, struct log_line *line)
{
	*line = (struct log_line){.at = at, .length = length, .time_ms = otherwise_ms};
	line->known = log_line_parse(at, length, &line->text);
	if (line->known)
		line->time_ms = line->text.time_ms;
}

bool log_wanted(const struct log_filter *filter, const struct log_line *line)
{
	if (line->known && line->text.level < filter->level)
		return false;
	if (line->time_ms < filter->since_ms)
		return false;
	return !filter->grep || memmem(line->at, line->length, filter->grep, strlen(filter->grep));
}

/* -- which file ---------------------------------------------------------------------------------------- */

static void age_path(const struct logfile *log, unsigned age, char path[LOGFILE_PATH + 16])
{
	if (age)
		snprintf(path, LOGFILE_PATH + 16, "%s.%u", log->path, age);
	else
		snprintf(path, LOGFILE_PATH + 16, "%s", log->path);
}

/* errno, or 0. */
static int open_age(struct logfile *log, unsigned age)
{
	char path[LOGFILE_PATH + 16];
	struct stat file;
	age_path(log, age, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno;
	if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) {
		close(fd);
		return EINVAL;
	}
	if (log->fd >= 0)
		close(log->fd);
	log->fd = fd;
	log->offset = 0;
	log->from = log->to = 0;
	return 0;
}

/* Where the file that we hold is now; -1: rotated out of existence. While we hold it no other has its inode.
 */
static int held_age(const struct logfile *log)
{
	char path[LOGFILE_PATH + 16];
	struct stat held, file;
	if (fstat(log->fd, &held) != 0)
		return -1;
	for (unsigned age = 0; age <= LOGFILE_OLDER; age++) {
		age_path(log, age, path);
		if (stat(path, &file) == 0 && file.st_ino == held.st_ino && file.st_dev == held.st_dev)
			return (int)age;
	}
	return -1;
}

static bool fill(struct logfile *log);

/* The moment of its first line; -1 for none that is known. */
static int64_t first_time(struct logfile *log)
{
	struct log_line line;
	const char *end = fill(log) ? memchr(log->buffer, '\n', log->to) : NULL;
	if (!end)
		return -1;
	log_line_read(log->buffer, (size_t)(end - log->buffer), -1, &line);
	return line.time_ms;
}

/* What we hold is nowhere any more: it was rotated out of existence, or removed by hand. The oldest file that
 * begins after what was given is next; when there is none, what is written from now on. */
static bool open_unread(struct logfile *log)
{
	struct stat file;
	for (unsigned age = LOGFILE_OLDER + 1; age-- > 0;) {
		if (open_age(log, age) != 0)
			continue;
		if (first_time(log) > log->time_ms)
			return true;
		log->from = log->to = 0;
		log->offset = fstat(log->fd, &file) == 0 ? (uint64_t)file.st_size : 0;
	}
	return false;
}

/* To the next newer file, when there is one. Scribe rotates by renaming upwards, so a number may be missing
 * for a moment. */
static bool open_newer(struct logfile *log)
{
	int age = held_age(log);
	if (age == 0)
		return false;
	if (age < 0)
		return open_unread(log);
	while (age-- > 0)
		if (open_age(log, (unsigned)age) == 0)
			return true;
	return false;
}

/* -- forwards ------------------------------------------------------------------------------------------ */

/* Reads more into the buffer; false when there is no more now. */
static bool fill(struct logfile *log)
{
	struct stat file;
	if (log->from) {
		memmove(log->buffer, log->buffer + log->from, log->to - log->from);
		log->to -= log->from;
		log->from = 0;
	}
	if (fstat(log->fd, &file) == 0 && (uint64_t)file.st_size < log->offset) { /* somebody emptied it */
		log->offset = 0;
		log->from = log->to = 0;
	}
	ssize_t got = pread(log->fd, log->buffer + log->to, LOGFILE_BUFFER - log->to, (off_t)log->offset);
	if (got <= 0)
		return false;
	log->to += (size_t)got;
	log->offset += (uint64_t)got;
	return true;
}

static void give(struct logfile *log, size_t length, size_t end, struct log_line *line)
{
	log_line_read(log->buffer + log->from, length, log->time_ms, line);
	log->time_ms = line->time_ms;
	log->from += length + end;
}

bool logfile_next(struct logfile *log, struct log_line *line)
{
	if (log->fd < 0 && !open_unread(log)) /* it was not there before: all of it is new */
		return false;
	for (;;) {
		size_t have = log->to - log->from;
		const char *end = memchr(log->buffer + log->from, '\n', have);
		if (end) {
			give(log, (size_t)(end - log->buffer) - log->from, 1, line);
			return true;
		}
		if (have == LOGFILE_BUFFER) {
			give(log, have, 0, line);
			return true;
		}
		if (fill(log))
			continue;
		if (held_age(log) == 0)
			return false;
		if (fill(log)) /* written just before it was rotated */
			continue;
		if (log->from < log->to) { /* a torn last line: nothing more will come of it */
			give(log, log->to - log->from, 0, line);
			return true;
		}
		if (!open_newer(log))
			return false;
	}
}

/* -- backwards ----------------------------------------------------------------------------------------- */

struct back {
	const struct log_filter *filter;
	uint64_t most, count;
	uint64_t position; /* of the earliest line that is to be given, in the file that is open */
	bool done;
};

/* One line, met from the end. */
static void met(struct back *back, const char *at, size_t length, uint64_t position)
{
	struct log_line line;
	log_line_read(at, length, INT64_MAX, &line); /* one of no known shape goes with the lines after it */
	if (line.known && line.time_ms < back->filter->since_ms)
		back->done = true;
	if (back->done)
		return;
	back->position = position;
	back->count += log_wanted(back->filter, &line);
	back->done = back->count == back->most;
}

/* The lines that end in block[0 … length), from the end; returns how many bytes at its start are no whole
 * line yet. */
static size_t met_block(struct back *back, const char *block, size_t length, uint64_t start)
{
	size_t end = length;
	while (end > 0 && !back->done) {
		const char *before = memrchr(block, '\n', end - 1);
		size_t begin = before ? (size_t)(before - block) + 1 : 0;
		if (!before && start > 0 && end < LOGFILE_BUFFER)
			break;
		met(back, block + begin, end - begin - 1, start + begin);
		end = begin;
	}
	return end;
}

/* Up to the last line feed: what comes after it is still being written. */
static uint64_t whole_lines(struct logfile *log, uint64_t size)
{
	while (size > 0) {
		uint64_t start = size > LOGFILE_BUFFER ? size - LOGFILE_BUFFER : 0;
		ssize_t got = pread(log->fd, log->buffer, (size_t)(size - start), (off_t)start);
		const char *end = got > 0 ? memrchr(log->buffer, '\n', (size_t)got) : NULL;
		if (end)
			return start + (uint64_t)(end - log->buffer) + 1;
		size = start;
	}
	return 0;
}

static void scan_back(struct logfile *log, struct back *back)
{
	struct stat file;
	uint64_t end = fstat(log->fd, &file) == 0 ? whole_lines(log, (uint64_t)file.st_size) : 0;
	back->position = end;
	while (end > 0 && !back->done) {
		uint64_t start = end > LOGFILE_BUFFER ? end - LOGFILE_BUFFER : 0;
		ssize_t got = pread(log->fd, log->buffer, (size_t)(end - start), (off_t)start);
		if (got != (ssize_t)(end - start)) /* emptied meanwhile */
			return;
		end = start + met_block(back, log->buffer, (size_t)got, start);
	}
}

int64_t logfile_tail(struct logfile *log, const struct log_filter *filter, uint64_t most)
{
	struct back back = {.filter = filter, .most = most};
	int error = open_age(log, 0);
	if (error == ENOENT && open_age(log, 1) == 0) /* in the middle of a rotation */
		error = 0;
	if (error)
		return -error;
	back.done = most == 0;
	scan_back(log, &back);
	for (int age = 0; !back.done; age++) {
		int held = held_age(log);
		if (held < 0 || held > LOGFILE_OLDER - 1 || age > LOGFILE_OLDER)
			break;
		if (open_age(log, (unsigned)held + 1) != 0)
			break;
		scan_back(log, &back);
	}
	log->offset = back.position;
	log->from = log->to = 0;
	return (int64_t)back.count;
}
