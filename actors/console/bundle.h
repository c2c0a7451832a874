/* What goes into a bundle, beside what the commands of `warren` say. Inside of bundle*.c. */
#ifndef WARREN_CONSOLE_BUNDLE_H
#define WARREN_CONSOLE_BUNDLE_H

#include "actors/console/part.h"
#include "actors/console/scrub.h"

enum {
	BUNDLE_MOST = 10 << 20,    /* bytes of the archive (FEATURES I13), and of all that is in it: so it holds for what cannot
				      be compressed, and whoever unpacks it knows what comes */
	BUNDLE_SPARE = 256 << 10,  /* of them: for the table of contents, and what compression may add */
	BUNDLE_ANSWERS = 4 << 20,  /* the answers of processes, together; what they leave is the logs' */
	BUNDLE_ANSWER = 512 << 10, /* one of them */
	BUNDLE_JOURNAL = 512 << 10,
};

/* Bytes that a part takes of the archive before compression. */
uint64_t part_room(const struct part *part);
uint64_t parts_room(const struct parts *parts);

/* bundle_host.c: kernel, distribution, processor, memory, disk; the installed programs. */
void bundle_host(struct parts *parts, const char *root);
void bundle_programs(struct parts *parts, const char *root);

/* bundle_files.c. Configuration and policies, scrubbed; the tail of each log, `room` bytes shared by all; systemd's journal. */
void bundle_config(struct parts *parts, const char *root, struct secrets *secrets);
void bundle_logs(struct parts *parts, const char *root, uint64_t room);
void bundle_journal(struct parts *parts);

#endif
