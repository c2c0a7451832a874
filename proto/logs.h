/* Supervisor and scribe, over FD_LOGS: log pipes are handed over, one a datagram with one descriptor (SCM_RIGHTS) and this
 * struct. The supervisor keeps both ends, so a line written while scribe is dead waits in the pipe. */
#ifndef WARREN_PROTO_LOGS_H
#define WARREN_PROTO_LOGS_H

#include <stdint.h>

enum logs_verb {
	LOGS_PIPE = 1, /* with a descriptor: the read end of that process's log pipe */
	LOGS_BORN,     /* without: from now on lines of this process carry this pid */
	LOGS_END,      /* without: that process is no longer declared; close its pipe */
	LOGS_JOURNAL,  /* with a descriptor, after LOGS_PIPE: a stream into systemd's journal, for its lines beside the file */
};

struct logs_entry {
	uint8_t verb;
	uint8_t kind; /* 0: the supervisor itself */
	uint16_t node;
	uint32_t pid;
};

/* A line as a process writes it on FD_LOG: "level event key=value key=value\n". Scribe puts time, process and pid before
 * it, which the writer therefore cannot forge. Longer lines are cut. */
enum { LOG_LINE_MAX = 1024 };

#endif
