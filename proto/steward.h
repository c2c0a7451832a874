/* steward: carries what an operator asks of the machine to the supervisor, which speaks no msgpack (proto/control.h), and
 * the answer back. It decides nothing: the supervisor checks authority and target again. */
#ifndef WARREN_PROTO_STEWARD_H
#define WARREN_PROTO_STEWARD_H

#include "proto/actor.h"
#include "proto/call.h"

#define MACHINE_ROW(F)                                                                                                 \
	F(str, name, 32) F(u32, nodes, 0) F(u32, processes, 0) F(u32, missing, 0) F(u64, up_ms, 0) F(u32, pid, 0)      \
	F(u32, uid_base, 0) F(bool, root, 0)
#define NODE_ROW(F)                                                                                                    \
	F(u16, node, 0) F(bool, parked, 0) F(bool, draining, 0) F(str, tier, 16) F(u16, port, 0) F(u32, quota_mb, 0)
#define PROCESS_ROW(F)                                                                                                 \
	F(str, actor, 16) F(u16, node, 0) F(str, state, 16) F(u32, pid, 0) F(u32, uid, 0) F(u32, restarts, 0)          \
	F(i64, last_end, 0) F(u32, missing, 0) F(u64, pss_kib, 0) F(u64, up_ms, 0) F(u64, next_ms, 0)
#define BROKER_ROW(F)                                                                                                  \
	F(u32, open, 0) F(u32, open_high, 0) F(u32, open_limit, 0) F(u32, peers, 0) F(u32, people, 0)                  \
	F(u64, routed, 0) F(u64, denied, 0) F(u64, busy, 0) F(u64, late, 0) F(u64, gone, 0) F(u64, dropped, 0)

#define STEWARD_STATUS_REPLY(F)                                                                                        \
	F(many(machine_row), machine, 1) F(many(node_row), nodes, 512) F(many(process_row), processes, 2600)           \
	F(many(broker_row), broker, 1)

/* The bounds of those who are not on the bus: actor "broker", and "warrend", the supervisor. */
#define OWNED_LIMIT(F)                                                                                                 \
	F(str, actor, 16) F(str, name, 32) F(u64, depth, 0) F(u64, high, 0) F(u64, limit, 0) F(u64, drops, 0)
#define STEWARD_REASONS_REPLY(F) F(many(reason_row), reasons, 256)
#define STEWARD_LIMITS_REPLY(F)  F(many(owned_limit), limits, 64)

/* "wallet@2", "broker", or "2" for the whole of node 2. */
#define STEWARD_TARGET(F) F(str, target, 32)

#define STEWARD_MESSAGES(M)                                                                                            \
	M(machine_row, MACHINE_ROW) M(node_row, NODE_ROW) M(process_row, PROCESS_ROW) M(broker_row, BROKER_ROW)         \
	M(owned_limit, OWNED_LIMIT)
#define STEWARD_CALLS(C)                                                                                               \
	C(steward_status, 0x0301, READERS, READ, 3000, NOTHING, STEWARD_STATUS_REPLY,                                  \
	  "the machine, its nodes, and every declared process with its state")                                         \
	C(steward_start, 0x0302, OPERATORS, IDEMPOTENT, 3000, STEWARD_TARGET, NOTHING, "start what is declared")       \
	C(steward_stop, 0x0303, OPERATORS, IDEMPOTENT, 15000, STEWARD_TARGET, NOTHING, "stop a process or a node")     \
	C(steward_restart, 0x0304, OPERATORS, IDEMPOTENT, 15000, STEWARD_TARGET, NOTHING, "stop it, start it")         \
	C(steward_drain, 0x0305, OPERATORS, IDEMPOTENT, 15000, STEWARD_TARGET, NOTHING,                                \
	  "let a node end its running work, then stop it")                                                             \
	C(steward_reload, 0x0306, OPERATORS, IDEMPOTENT, 5000, NOTHING, NOTHING,                                       \
	  "read the configuration again: new nodes are born, removed ones end")                                        \
	C(steward_reasons, 0x0308, READERS, READ, 2000, NOTHING, STEWARD_REASONS_REPLY,                                \
	  "why the supervisor and the broker decided what they decided, newest first")                                 \
	C(steward_limits, 0x0309, READERS, READ, 2000, NOTHING, STEWARD_LIMITS_REPLY,                                  \
	  "the bounds of the supervisor and of the broker")
#define STEWARD_EVENTS(E)

DECLARE_PROTOCOL(STEWARD)

#endif
