/* scribe: reads every process's log pipe and writes the files. Logs never travel on the bus; this says how it fares. */
#ifndef WARREN_PROTO_SCRIBE_H
#define WARREN_PROTO_SCRIBE_H

#include "proto/call.h"

#define SCRIBE_STAT_REPLY(F)                                                                                           \
	F(u64, lines, 0) F(u64, bytes, 0) F(u64, dropped, 0) F(u64, cut, 0) F(u32, pipes, 0) F(u32, rotations, 0)      \
	F(str, trouble, 64)

#define SCRIBE_MESSAGES(M)
#define SCRIBE_CALLS(C)                                                                                                \
	C(scribe_stat, 0x0201, READERS | MAY(METER, ANY_NODE), READ, 1000, NOTHING, SCRIBE_STAT_REPLY, \
	  "lines written, dropped (disk full) and cut (too long)")
#define SCRIBE_EVENTS(E)

DECLARE_PROTOCOL(SCRIBE)

#endif
