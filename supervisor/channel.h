/* A SEQPACKET pair to a child: whole datagrams, never waiting. The other end belongs to one birth of one process. */
#ifndef WARREN_SUPERVISOR_CHANNEL_H
#define WARREN_SUPERVISOR_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum channel_end { CHANNEL_SENT, CHANNEL_FULL, CHANNEL_BROKEN };

/* Makes a pair; ours is non-blocking. Returns the child's end, or -1. Both are close-on-exec. */
int channel_open(int *ours);

/* `descriptor` goes with it (SCM_RIGHTS); -1: none. */
enum channel_end channel_send(int fd, const void *datagram, size_t length, int descriptor);

/* Bytes of the next datagram, which is cut at `room`; 0: the other end is closed; -1: none now. */
ssize_t channel_receive(int fd, void *datagram, size_t room);

#endif
