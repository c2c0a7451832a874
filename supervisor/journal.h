/* Streams into systemd's journal, for scribe to write to. */
#ifndef WARREN_SUPERVISOR_JOURNAL_H
#define WARREN_SUPERVISOR_JOURNAL_H

#include <stdbool.h>

/* Whether the service manager connected our own stderr to the journal. */
bool journal_is_ours(void);

/* A stream whose lines have this SYSLOG_IDENTIFIER, close-on-exec and non-blocking; -1 when the journal does not take it now.
 * Never waits. */
int journal_open(const char *identifier);

#endif
