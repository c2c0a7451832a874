/* steward: carries what an operator asks of the machine to the supervisor, which speaks no msgpack (proto/control.h), and
 * the answer back. It decides nothing: the supervisor checks authority and target again. */
#ifndef WARREN_PROTO_STEWARD_H
#define WARREN_PROTO_STEWARD_H

#include "proto/actor.h"
#include "proto/alerts.h"
#include "proto/call.h"

#define MACHINE_ROW(F)                                                                                                 \
	F(str, name, 32) F(u32, nodes, 0) F(u32, processes, 0) F(u32, missing, 0) F(u64, up_ms, 0) F(u32, pid, 0)      \
	F(u32, uid_base, 0) F(bool, root, 0) F(bool, id_changed, 0) F(u64, disk, 0) F(u64, disk_free, 0)
#define NODE_ROW(F)                                                                                                    \
	F(u16, node, 0) F(bool, parked, 0) F(bool, draining, 0) F(str, tier, 16) F(u16, port, 0) F(u32, quota_mb, 0)  \
	F(u8, refused, 0)
#define PROCESS_ROW(F)                                                                                                 \
	F(str, actor, 16) F(u16, node, 0) F(str, state, 16) F(u32, pid, 0) F(u32, uid, 0) F(u32, restarts, 0)          \
	F(i64, last_end, 0) F(u32, missing, 0) F(u64, pss_kib, 0) F(u64, up_ms, 0) F(u64, next_ms, 0)
/* Why one does not start: the name of its last words, proto/reasons.def. Of the first few: the rows of a large machine fill
 * a body. */
#define FALLEN_ROW(F) F(str, actor, 16) F(u16, node, 0) F(str, why, 32)
#define BROKER_ROW(F)                                                                                                  \
	F(u32, open, 0) F(u32, open_high, 0) F(u32, open_limit, 0) F(u32, peers, 0) F(u32, people, 0)                  \
	F(u64, routed, 0) F(u64, denied, 0) F(u64, busy, 0) F(u64, late, 0) F(u64, gone, 0) F(u64, dropped, 0)  \
	F(u64, accused, 0) F(u8, accused_kind, 0) F(u16, accused_node, 0) F(u16, accused_number, 0)

#define STEWARD_STATUS_REPLY(F)                                                                                        \
	F(many(machine_row), machine, 1) F(many(node_row), nodes, 512) F(many(process_row), processes, 2600)           \
	F(many(broker_row), broker, 1) F(many(fallen_row), fallen, 8)

/* The bounds of those who are not on the bus: actor "broker", and "warrend", the supervisor. */
#define OWNED_LIMIT(F)                                                                                                 \
	F(str, actor, 16) F(str, name, 32) F(u64, depth, 0) F(u64, high, 0) F(u64, limit, 0) F(u64, drops, 0)
#define STEWARD_REASONS_REPLY(F) F(many(reason_row), reasons, 256)
#define STEWARD_LIMITS_REPLY(F)  F(many(owned_limit), limits, 64)

/* "wallet@2", "broker", or "2" for the whole of node 2. */
#define STEWARD_TARGET(F) F(str, target, 32)

/* What the machine carries; bytes. disk_rule and nodes_rule are those that bind; recommended is a tier, or "". */
#define STEWARD_INFO_REPLY(F)                                                                                          \
	F(u64, total, 0) F(u64, free, 0) F(u64, reserved, 0) F(u64, promised, 0) F(u64, share, 0) F(u64, keep, 0)      \
	F(u64, available, 0) F(u64, memory, 0) F(u32, cores, 0) F(u32, nodes, 0) F(u32, nodes_most, 0)                 \
	F(str, disk_rule, 23) F(str, nodes_rule, 23) F(str, recommended, 16) F(O(hash), machine_id, 0)                 \
	F(bool, id_changed, 0)
#define STEWARD_VERIFY(F)         F(u16, node, 512) /* 0: all */
#define HOLDING_ROW(F)            F(u16, node, 0) F(u64, claimed_mb, 0) F(u64, actual_mb, 0) F(bool, valid, 0)
#define STEWARD_VERIFY_REPLY(F)   F(many(holding_row), nodes, 512)
#define STEWARD_ROOM(F)       F(u32, storage_mb, 4194304)
#define STEWARD_ROOM_REPLY(F) F(bool, may, 0) F(text, reason, 240)
#define STEWARD_DRAIN(F)          F(u16, node, 512) F(u32, within_ms, 86400000)
#define STEWARD_DRAIN_REPLY(F)    F(bool, already, 0)
#define DRAIN_ROW(F)              F(u16, node, 0) F(bool, over, 0) F(bool, cut, 0) F(u64, since_ms, 0) F(u64, left_ms, 0)
#define STEWARD_DRAINS_REPLY(F)   F(many(drain_row), nodes, 512)

#define TELLERS (EVERY_ACTOR & ~MAY(WALLET, ANY_NODE) & ~MAY(STEWARD, ANY_NODE))
/* An actor about itself: who that is, the broker says. Not a wallet: what holds keys has no way out, not even of a sentence.
 * Told, not asked: nobody waits for an alert to be heard. Repeated while the condition holds, so that a reborn steward
 * hears of it again. Code 0, over: a birth begins, and what the last one held is over. */
#define STEWARD_ALERT(F) F(u16, code, 0) F(bool, over, 0) F(str, detail, 160)
#define ALERT_LINE(F)                                                                                                  \
	F(u64, id, 0) F(u16, code, 0) F(u8, kind, 0) F(u16, node, 0) F(bool, active, 0) F(u32, count, 0)               \
	F(i64, first_ms, 0) F(i64, last_ms, 0) F(i64, cleared_ms, 0) F(i64, acked_ms, 0) F(u32, acked_by, 0)           \
	F(str, detail, 160)
#define STEWARD_ALERTS_REPLY(F)                                                                                        \
	F(many(alert_line), alerts, 256) F(u64, raised, 0) F(u64, cleared, 0) F(u64, dropped, 0) F(u64, muted, 0)      \
	F(u64, news, 0) F(u64, delivered, 0)
#define STEWARD_ACK(F) F(u64, id, 0)
#define NEWS_ROW(F)                                                                                                    \
	F(u64, seq, 0) F(u64, id, 0) F(u8, change, 0) F(u16, code, 0) F(u8, kind, 0) F(u16, node, 0) F(u32, count, 0)  \
	F(u32, acked_by, 0) F(i64, at_ms, 0) F(i64, first_ms, 0) F(i64, last_ms, 0) F(str, detail, 160)
/* What came after `delivered`, which is done with: the next news of a herald that was born again begin there. */
#define STEWARD_NEWS(F)       F(u64, delivered, 0)
#define STEWARD_NEWS_REPLY(F) F(many(news_row), news, 16) F(u64, delivered, 0)

#define STEWARD_MESSAGES(M)                                                                                            \
	M(machine_row, MACHINE_ROW) M(node_row, NODE_ROW) M(process_row, PROCESS_ROW)                                    \
	M(fallen_row, FALLEN_ROW) M(broker_row, BROKER_ROW)                                                            \
	M(owned_limit, OWNED_LIMIT) M(holding_row, HOLDING_ROW) M(drain_row, DRAIN_ROW) M(alert_line, ALERT_LINE)      \
	M(news_row, NEWS_ROW)
#define STEWARD_CALLS(C)                                                                                               \
	C(steward_status, 0x0315, READERS | MAY(METER, ANY_NODE), READ, 3000, NOTHING, STEWARD_STATUS_REPLY, \
	  "the machine, its nodes, and every declared process with its state")                                         \
	C(steward_start, 0x0302, OPERATORS, IDEMPOTENT, 3000, STEWARD_TARGET, NOTHING, "start what is declared")       \
	C(steward_stop, 0x0303, OPERATORS, IDEMPOTENT, 15000, STEWARD_TARGET, NOTHING, "stop a process or a node")     \
	C(steward_restart, 0x0304, OPERATORS, IDEMPOTENT, 15000, STEWARD_TARGET, NOTHING, "stop it, start it")         \
	C(steward_reload, 0x0306, OPERATORS, IDEMPOTENT, 5000, NOTHING, NOTHING,                                       \
	  "read the configuration again: new nodes are born, removed ones end")                                        \
	C(steward_reasons, 0x0308, READERS, READ, 2000, NOTHING, STEWARD_REASONS_REPLY,                                \
	  "why the supervisor and the broker decided what they decided, newest first")                                 \
	C(steward_limits, 0x0309, READERS, READ, 2000, NOTHING, STEWARD_LIMITS_REPLY,                                  \
	  "the bounds of the supervisor and of the broker")                                                            \
	C(steward_info, 0x0310, READERS, READ, 5000, NOTHING, STEWARD_INFO_REPLY,                                      \
	  "disk, memory and nodes: what may still be promised, and the rules that bind (getDiskInfo)")                 \
	C(steward_verify, 0x0311, READERS, READ, 5000, STEWARD_VERIFY, STEWARD_VERIFY_REPLY,                           \
	  "whether nodes hold the storage that they claim (verifyNodeStorage)")                                        \
	C(steward_room, 0x0312, READERS, READ, 5000, STEWARD_ROOM, STEWARD_ROOM_REPLY,                 \
	  "whether a node of this size may be added, and what forbids it (canAllocateStorage)")                        \
	C(steward_drain, 0x0313, OPERATORS, IDEMPOTENT, 3000, STEWARD_DRAIN, STEWARD_DRAIN_REPLY,                      \
	  "let a node end its running work and take none on, then stop it; answers when that has begun")               \
	C(steward_drains, 0x0314, READERS, READ, 3000, NOTHING, STEWARD_DRAINS_REPLY,                                  \
	  "nodes that drain or were drained; actor_duties of their processes says what is waited for")                        \
	C(steward_alert, 0x0320, TELLERS, IDEMPOTENT, 1000, STEWARD_ALERT, NOTHING, \
	  "something is wrong with me (or over): proto/alerts.def; told, not asked")                                   \
	C(steward_alerts, 0x0321, READERS | MAY(METER, ANY_NODE), READ, 2000, NOTHING, STEWARD_ALERTS_REPLY,           \
	  "what stands, and what was over lately")                                                                     \
	C(steward_ack, 0x0322, OPERATORS, IDEMPOTENT, 2000, STEWARD_ACK, NOTHING, "somebody has seen this alert")      \
	C(steward_news, 0x0323, MAY(HERALD, ANY_NODE), IDEMPOTENT, 2000, STEWARD_NEWS, STEWARD_NEWS_REPLY,             \
	  "what was raised, cleared and acknowledged, in order, to be carried out of the machine")
#define STEWARD_EVENTS(E)                                                                                              \
	E(steward_alerted, 0x0328, READERS, NEWS_ROW, "an alert was raised, cleared or acknowledged")

DECLARE_PROTOCOL(STEWARD)

#endif
