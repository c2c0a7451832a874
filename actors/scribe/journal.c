/* Lines on their way into the journal. Plain C in the process of scribe; writes only to the socket that the
 * supervisor opened, and never waits for whoever reads it. */
#include "actors/scribe/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_MAX = LOG_TEXT_MAX + 8 };

void journal_begin(struct journal *journal, int fd)
{
	journal_end(journal);
	*journal = (struct journal){.fd = fd, .open = true};
}

void journal_end(struct journal *journal)
{
	if (journal->open)
		close(journal->fd);
	*journal = (struct journal){0};
}

/* The priorities of syslog(3), which <N> before a line sets (sd-daemon(3)). */
static int priority(unsigned level)
{
	static const int priorities[LOG_LEVELS] = {7, 6, 4, 3};
	return priorities[level];
}

/* A stream: when only a part went, the next line first ends it. */
static bool put(struct journal *journal, const char *text, size_t length)
{
	ssize_t sent = send(journal->fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent == (ssize_t)length) {
		journal->torn = false;
		return true;
	}
	if (sent > 0)
		journal->torn = true;
	else if (errno != EAGAIN && errno != EINTR)
		journal_end(journal); /* it is gone; the files go on */
	return false;
}

static void put_line(struct journal *journal, const char *line, size_t length)
{
	char text[TEXT_MAX];
	struct log_text read;
	if (!log_line_parse(line, length, &read))
		return;
	const char *who = line + LOG_TIME_TEXT + strlen(log_text_level(read.level)) + 1;
	if (journal->dropped) {
		int said = snprintf(text, sizeof text,
				    "%s<4>scribe.dropped lines=%llu why=\"the journal is full\"\n",
				    journal->torn ? "\n" : "", (unsigned long long)journal->dropped);
		if (!put(journal, text, (size_t)said)) {
			journal->dropped++;
			return;
		}
		journal->dropped = 0;
	}
	int said = snprintf(text, sizeof text, "%s<%d>%.*s", journal->torn ? "\n" : "", priority(read.level),
			    (int)(length - (size_t)(who - line)), who);
	if (said >= (int)sizeof text || !put(journal, text, (size_t)said))
		journal->dropped++;
}

void journal_append(struct journal *journal, const char *text, size_t length)
{
	while (journal->open && length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end ? (size_t)(end - text) + 1 : length;
		put_line(journal, text, line);
		text += line;
		length -= line;
	}
}
