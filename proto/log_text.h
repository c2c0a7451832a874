/* A log line as it lies in a file: written by scribe, read by the console, which makes JSON of it when asked.
 *
 *   2026-11-21T10:47:03.123Z warn store@1[4130] store.retry tries=3 why="the disk is slow"
 *
 *   line   = time SP level SP actor "[" pid "]" SP event [ SP rest ] LF
 *   time   = RFC 3339, UTC, milliseconds, always 24 bytes: when scribe read the line from the pipe
 *   level  = "debug" | "info" | "warn" | "error"
 *   actor  = a name of actors.def, then "@" and the node where it has one; "warrend" is the supervisor
 *   pid    = decimal; 0 when scribe was not told
 *   event  = 1 to LOG_EVENT_MAX of A-Z a-z 0-9 "." "_" "-"
 *   rest   = words between spaces: key=value, or key="value with spaces"
 *            in quotes \" is a quote and \\ a backslash
 *
 * Up to and with "]" a line is scribe's word; from the event on it is the process's own.
 *
 * It is UTF-8 without control characters (C0, C1, line separators, marks of writing direction): each became
 * "?", a tab became a space. A line that was cut (proto/logs.h) ends in U+2026 "…", inside its last quote if
 * that was open. What a process writes in another shape is
 *
 *   … info store@1[4130] raw text="what it wrote"
 *
 * What scribe itself has to say about a file, it says as actor "scribe": scribe.dropped lines=12 why="…" */
#ifndef WARREN_PROTO_LOG_TEXT_H
#define WARREN_PROTO_LOG_TEXT_H

#include "proto/actors.h"
#include "proto/logs.h"

#include <stddef.h>

enum {
	LOG_TIME_TEXT = 25, /* with the NUL */
	LOG_EVENT_MAX = 64,
	LOG_TEXT_MAX = 2176, /* bytes of a whole line: a raw one whose every byte needs a backslash */
	LOG_PATH_TEXT = 48,
	LOG_LEVELS = 4,
};

#define LOG_RAW     "raw"
#define LOG_CUT     "\xe2\x80\xa6"
#define LOG_WARREND "warrend" /* kind 0 of proto/logs.h */

/* "debug" … "error" for 0 … 3, the numbers of enum log_level. */
const char *log_text_level(unsigned level); /* level < LOG_LEVELS */

/* Reads a level of `length` bytes: 0 … 3, or -1. */
int log_text_level_parse(const char *at, size_t length);

/* who_text(), which here also knows kind 0. */
const char *log_who_text(unsigned kind, unsigned node, char text[WHO_TEXT]);

/* Where the lines of a process lie, below ROOT/logs: "machine/broker.log", "node2/store.log". Older ones have
 * ".1", ".2" … */
const char *log_path_text(unsigned kind, unsigned node, char text[LOG_PATH_TEXT]);

/* Milliseconds since 1970 to text and back. Times before 1970 or after 9999 become the nearest of those. */
const char *log_time_text(int64_t ms, char text[LOG_TIME_TEXT]);
bool log_time_parse(const char *at, size_t length, int64_t *ms);

struct log_word { /* points into the line that was parsed; not terminated */
	const char *at;
	size_t length;
};

/* Whether this may stand where a line has its event. */
bool log_event_word(struct log_word word);

struct log_text {
	int64_t time_ms;
	unsigned level; /* 0 … 3 */
	uint16_t node;  /* 0 for a process of the machine */
	uint32_t pid;
	struct log_word actor; /* "store@1" */
	struct log_word event;
	struct log_word rest; /* for log_pair_next() */
};

/* Reads one line, with or without its LF. False for anything that is not this shape: a line torn by a power
 * cut, or another program's file. An actor's name need not be one that this build knows. */
bool log_line_parse(const char *line, size_t length, struct log_text *text);

struct log_pair {
	struct log_word key;   /* empty for a word that is no key=value */
	struct log_word value; /* without its quotes, backslashes still in it */
	bool quoted;
};

/* Takes the next word off `rest`; false when there is none. A quote that is never closed lasts to the end of
 * the line. */
bool log_pair_next(struct log_word *rest, struct log_pair *pair);

/* The value as it was meant. Returns its length, which is cut to fit; always terminated. */
size_t log_pair_value(const struct log_pair *pair, char *out, size_t room);

#endif
