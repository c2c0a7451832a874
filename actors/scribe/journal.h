/* The journal of systemd, beside the file: one stream for each process, opened by the supervisor with the process's name as
 * its identifier and handed over like a pipe (proto/logs.h). Lines go there with the priority of their level and without
 * their time, which the journal has itself. It is never waited for: what it does not take at once is dropped, counted and
 * said with the next line that fits; the file has it all the same. */
#ifndef WARREN_SCRIBE_JOURNAL_H
#define WARREN_SCRIBE_JOURNAL_H

#include "proto/log_text.h"

/* Zeroed: there is none, and appending does nothing. */
struct journal {
	bool open;
	int fd;
	bool torn;        /* the last line went only in part */
	uint64_t dropped; /* lines since the last that went */
};

void journal_begin(struct journal *journal, int fd); /* takes the descriptor over */
void journal_end(struct journal *journal);

/* Whole lines as proto/log_text.h says, each with its LF. */
void journal_append(struct journal *journal, const char *text, size_t length);

#endif
