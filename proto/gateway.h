/* gateway@N: HTTP for strangers. Holds nothing, parses everything, asks only its own store. */
#ifndef WARREN_PROTO_GATEWAY_H
#define WARREN_PROTO_GATEWAY_H

#include "proto/call.h"

#define GATEWAY_STAT_REPLY(F)                                                                                          \
	F(u64, requests, 0) F(u64, refused, 0) F(u64, failed, 0) F(u64, bytes_in, 0) F(u64, bytes_out, 0)              \
	F(u32, connections, 0) F(u32, transfers, 0)

#define GATEWAY_PROBE_REPLY(F) F(u32, store_us, 0) F(bool, writable, 0) F(u64, blobs, 0)

#define GATEWAY_MESSAGES(M)
#define GATEWAY_CALLS(C)                                                                                               \
	C(gateway_stat, 0x0601, READERS | MAY(METER, ANY_NODE), READ, 1000, NOTHING, GATEWAY_STAT_REPLY, \
	  "requests answered, refused (4xx) and failed (5xx), bytes, open connections")                                \
	C(gateway_probe, 0x0602, READERS, READ, 3000, NOTHING, GATEWAY_PROBE_REPLY,                                    \
	  "asks its store, as it does for strangers: whether the way stands, and how long it is (microseconds)")
#define GATEWAY_EVENTS(E)

DECLARE_PROTOCOL(GATEWAY)

#endif
