/* What every process on the bus answers, whatever its kind (answered in actors/base). */
#ifndef WARREN_PROTO_ACTOR_H
#define WARREN_PROTO_ACTOR_H

#include "proto/call.h"

/* One bounded thing: a queue, a cache, a table. */
#define LIMIT_ROW(F)                                                                                                   \
	F(str, name, 32) F(u64, depth, 0) F(u64, high, 0) F(u64, limit, 0) F(u64, drops, 0)

#define ACTOR_LIMITS_REPLY(F) F(many(limit_row), limits, 64)
#define ACTOR_LEVEL(F)        F(str, level, 8) F(u32, seconds, 86400)
/* What it has under way, and would end before it is drained: "upload" 2, "download" 1. */
#define DUTY_ROW(F)           F(str, what, 32) F(u32, count, 0)
#define ACTOR_DUTIES_REPLY(F) F(bool, closed, 0) F(many(duty_row), duties, 16)

#define ACTOR_PING_REPLY(F)   F(u64, up_ms, 0) F(u32, missing, 0)

/* One reason record (proto/reasons.h): `name` is a row of reasons.def; `actor` and `node` say whom it is about, "" the machine or
 * the whole node; times are ms since 1970, next_ms 0 where nothing is tried by itself. */
#define REASON_ROW(F)                                                                                                  \
	F(str, name, 32) F(str, actor, 16) F(u16, node, 0) F(str, thing, 64) F(text, inputs, 200) F(u32, count, 0)     \
	F(i64, first_ms, 0) F(i64, last_ms, 0) F(i64, next_ms, 0) F(bool, over, 0)
#define ACTOR_REASONS_REPLY(F) F(many(reason_row), reasons, 64)

/* Since its birth: calls answered and asked, and how long it had each of them: bucket i counts those of at most 2^i us. */
#define TIME_BUCKET(F)      F(u64, count, 0)
#define ACTOR_WORK_REPLY(F) F(u64, calls, 0) F(u64, asks, 0) F(u64, events, 0) F(many(time_bucket), times, 24)

#define ACTOR_MESSAGES(M)                                                                                              \
	M(limit_row, LIMIT_ROW) M(duty_row, DUTY_ROW) M(reason_row, REASON_ROW) M(time_bucket, TIME_BUCKET)
/*        name          number  who      effect      ms   request      reply               help */
#define ACTOR_CALLS(C)                                                                                                 \
	C(actor_ping, 0x0001, READERS, READ, 1000, NOTHING, ACTOR_PING_REPLY,                                          \
	  "is its loop turning, since when, and which walls (a mask) are missing around it")                           \
	C(actor_limits, 0x0002, READERS | MAY(METER, ANY_NODE), READ, 1000, NOTHING, ACTOR_LIMITS_REPLY,               \
	  "its queues, caches and tables: depth, highest, limit, drops")                                               \
	C(actor_level, 0x0003, OPERATORS, IDEMPOTENT, 1000, ACTOR_LEVEL, NOTHING,                                      \
	  "log at this level (debug, info, warn, error); back to info after `seconds`, 0: never")                      \
	C(actor_reasons, 0x0004, READERS, READ, 1000, NOTHING, ACTOR_REASONS_REPLY,                                    \
	  "why it decided what it decided, newest first: rule, inputs, how often, next try")                           \
	C(actor_work, 0x0005, READERS, READ, 1000, NOTHING, ACTOR_WORK_REPLY,                                          \
	  "how much it did since its birth: calls answered, asks, events, and how long answers took")                  \
	C(actor_duties, 0x0010, READERS, READ, 1000, NOTHING, ACTOR_DUTIES_REPLY,                                      \
	  "what it has under way, which a drain waits for; `closed`: it takes nothing new on")
#define ACTOR_EVENTS(E)

DECLARE_PROTOCOL(ACTOR)

#endif
