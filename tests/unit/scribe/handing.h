/* The test as the supervisor: hands pipes over as it does, through a real socket pair. */
#ifndef WARREN_TEST_SCRIBE_HANDING_H
#define WARREN_TEST_SCRIBE_HANDING_H

#include "actors/scribe/pipes.h"
#include "room.h"

extern struct room room;
extern struct files files;
extern struct pipes *pipes;
extern int ours, theirs; /* FD_LOGS: scribe's end, the supervisor's */

void begin(void);
void end(void);
void leave(void); /* after every test, also one that failed */

/* One datagram, whatever is in it. */
void hand(const void *entry, size_t length, const int *fds, unsigned count);

/* One that is right, and received; fd -1: none. */
void tell(enum logs_verb verb, unsigned kind, unsigned node, uint32_t pid, int fd);

/* Returns the write end of a new pipe; the read end is handed over and, unless `kept`, closed here. */
int declare(unsigned kind, unsigned node, uint32_t pid, int *kept);

void say(int fd, const char *text);
unsigned turn(uint64_t ms);
void assert_file(const char *name, const char *expect);

#define TIME "2026-11-21T10:47:03.123Z "

#endif
