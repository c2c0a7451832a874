/* From the raw bytes of a log pipe to the lines of a file, whose shape proto/log_text.h says. What comes in
 * was written by a process that may be broken or taken over; what goes out is one clean line that cannot pass
 * for two, nor for another's. */
#ifndef WARREN_SCRIBE_LINE_H
#define WARREN_SCRIBE_LINE_H

#include "proto/log_text.h"

/* What has come of a line so far. Zeroed memory is an empty one. */
struct line {
	uint16_t length; /* at most LOG_LINE_MAX */
	bool cut;        /* there was more; it is thrown away up to the end of the line */
	char bytes[LOG_LINE_MAX];
};

/* One line without its LF, still raw; `cut` when it was longer than LOG_LINE_MAX. May be empty. */
typedef void line_fn(void *context, const char *bytes, size_t length, bool cut);

/* Calls `whole` for each line that these bytes complete. How the bytes are split over calls makes no
 * difference. */
void line_feed(struct line *line, const char *bytes, size_t length, line_fn *whole, void *context);

/* What has no LF yet becomes a line: its writer is dead, or has been silent for long. Nothing is called when
 * there is nothing. */
void line_flush(struct line *line, line_fn *whole, void *context);

/* What a writer cannot choose. */
struct stamp {
	char time[LOG_TIME_TEXT];
	char actor[WHO_TEXT];
	uint32_t pid;
};

/* The line for the file, with its LF, not terminated. Returns its length; 0 for a line of nothing but spaces.
 * `length` is at most LOG_LINE_MAX. */
size_t line_text(const struct stamp *stamp, const char *bytes, size_t length, bool cut,
		 char out[LOG_TEXT_MAX]);

#endif
