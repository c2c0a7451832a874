/* meter: the machine's metrics over HTTP on 127.0.0.1, where an operator asked for it (metrics_port). */
#ifndef WARREN_PROTO_METER_H
#define WARREN_PROTO_METER_H

#include "proto/call.h"

#define METER_STAT_REPLY(F) F(u64, pages, 0) F(u64, refused, 0) F(u32, connections, 0)

#define METER_MESSAGES(M)
#define METER_CALLS(C)                                                                                                 \
	C(meter_stat, 0x1501, READERS, READ, 1000, NOTHING, METER_STAT_REPLY,                                          \
	  "pages served, requests refused, connections open")
#define METER_EVENTS(E)

DECLARE_PROTOCOL(METER)

#endif
