/* A part of a bundle: one file of it, in memory until the archive is written. */
#ifndef WARREN_CONSOLE_PART_H
#define WARREN_CONSOLE_PART_H

#include "actors/console/tar.h"

enum part_state {
	PART_WHOLE,
	PART_CUT,     /* there was more than its share; the newest is kept */
	PART_MISSING, /* it could not be had; `why` says so */
};

struct part {
	char name[TAR_NAME];
	char *bytes; /* x_free; NULL: nothing */
	size_t length;
	uint64_t of; /* bytes that there were */
	enum part_state state;
	char why[200]; /* a sentence, or "" */
};

struct parts {
	struct part *all;
	unsigned count, room;
	int interrupted; /* a descriptor that becomes readable when a person wants no bundle any more */
	bool stopped;    /* and that they do */
};

/* A new one, valid until the next; the name is cut to its bound. */
struct part *part_new(struct parts *parts, const char *format, ...) __attribute__((format(printf, 2, 3)));
void part_missing(struct part *part, const char *format, ...) __attribute__((format(printf, 2, 3)));
void parts_end(struct parts *parts);

/* Runs a program to its end, at most `limit_ms`, with nothing to read, and takes what it prints to standard output, the first
 * `most` bytes. With `errors`, its standard error too. Returns its exit code, or -1: it did not begin, was killed, or took too
 * long; then the part is missing, and has what came until then. argv[0] is a path, or NULL for this very program. */
struct program {
	const char *const *argv;
	unsigned limit_ms;
	size_t most;
	bool errors;
};
int part_of_program(struct parts *parts, struct part *part, const struct program *program);

/* The last `most` bytes of a file from the begin of a line on, of what stands in it now. */
void part_of_file(struct part *part, int folder, const char *path, uint64_t most);

#endif
