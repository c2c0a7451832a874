/* herald: carries alerts to the operator's webhook. It asks the steward for news; of it one may ask how it fares. */
#ifndef WARREN_PROTO_HERALD_H
#define WARREN_PROTO_HERALD_H

#include "proto/call.h"

#define HERALD_STAT_REPLY(F)                                                                                           \
	F(u64, sent, 0) F(u64, failed, 0) F(u64, given_up, 0) F(u64, seq, 0) F(u32, waiting, 0) F(str, trouble, 160)

#define HERALD_MESSAGES(M)
#define HERALD_CALLS(C)                                                                                                \
	C(herald_stat, 0x1401, READERS, READ, 1000, NOTHING, HERALD_STAT_REPLY,                 \
	  "alerts delivered, attempts that failed, alerts given up, and what is the matter")
#define HERALD_EVENTS(E)

DECLARE_PROTOCOL(HERALD)

#endif
