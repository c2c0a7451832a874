/* chain: speaks to the chain of the machine's profile (proto/chain_profile.h). It keeps the outbox: every transaction that
 * was asked for, its nonce, what became of it. It holds no key: wallet@N builds and signs, under root's policy. */
#ifndef WARREN_PROTO_CHAIN_H
#define WARREN_PROTO_CHAIN_H

#include "proto/call.h"

/* state: unknown, good, behind, failing, other-chain. `said` is when it answered last, in seconds ago. */
#define CHAIN_RPC_ROW(F)                                                                                               \
	F(str, server, 160) F(str, state, 16) F(u64, head, 0) F(u32, answer_ms, 0) F(u64, answers, 0)                  \
	F(u64, failures, 0) F(O(u64), said, 0) F(str, why, 160)

/* trouble: why nothing is signed just now; empty: nothing is in the way. Ages are in seconds. */
#define CHAIN_STATUS_REPLY(F)                                                                                          \
	F(str, name, 24) F(u64, chain_id, 0) F(O(u64), head, 0) F(O(hash), head_hash, 0) F(O(u64), head_age, 0)        \
	F(O(u256), base_fee, 0) F(str, trouble, 160) F(u32, confirmations, 0) F(u32, open, 0) F(u64, confirmed, 0)     \
	F(u64, reorgs, 0) F(many(chain_rpc_row), servers, 4)

/* missing: methods of ours that its code does not have; each is switched off. */
#define CHAIN_CONTRACT_ROW(F)                                                                                          \
	F(str, contract, 24) F(address, address, 0) F(bool, probed, 0) F(bool, there, 0) F(u32, methods, 0)            \
	F(text, missing, 4000)
#define CHAIN_CONTRACTS_REPLY(F) F(many(chain_contract_row), contracts, 8)

/* Newest first. state: queued, signing, sent, included, confirmed, failed, cancelled, refused. Amounts are wei. */
#define CHAIN_OUTBOX(F) F(O(u16), node, 512) F(O(u64), before, 0)
#define CHAIN_SENT_ROW(F)                                                                                              \
	F(u64, id, 0) F(u16, node, 512) F(str, state, 12) F(str, purpose, 64) F(address, to, 0) F(str, method, 64)     \
	F(u256, value, 0) F(O(u64), nonce, 0) F(u32, attempts, 0) F(O(hash), tx_hash, 0) F(O(u64), block, 0)           \
	F(u64, confirmations, 0) F(u256, max_fee, 0) F(u256, fee_cap, 0) F(O(u256), fee_paid, 0) F(u64, asked, 0)      \
	F(text, why, 240)
#define CHAIN_OUTBOX_REPLY(F) F(many(chain_sent_row), sent, 32)

/* `contract` is one of the profile's, `method` and `args` ("name=value name=value", the last may hold spaces) as its ABI has them
 * (actors/chain/abi.def). Without a method: a plain transfer of `value` to `to`. gas 0: estimated, and a third more. Without
 * fee_cap: ten times the first fee. `once` is the asker's own random key: asked again with it, it is the same transaction. */
#define CHAIN_SEND(F)                                                                                                  \
	F(hash, once, 0) F(u16, node, 512) F(str, contract, 24) F(str, method, 64) F(text, args, 4000)                 \
	F(O(address), to, 0) F(u256, value, 0) F(u64, gas, 30000000) F(O(u256), fee_cap, 0) F(str, purpose, 64)
#define CHAIN_SEND_REPLY(F) F(u64, id, 0) F(str, state, 12)

#define CHAIN_CANCEL(F)       F(u64, id, 0)
#define CHAIN_CANCEL_REPLY(F) F(str, state, 12)

#define CHAIN_READ(F)         F(str, contract, 24) F(str, method, 64) F(text, args, 4000)
#define CHAIN_READ_REPLY(F)   F(u64, block, 0) F(text, answer, 16000)

/* What RelayManager knows of a node id; amounts are wei of MCT, uptime is in seconds. */
#define CHAIN_NODE(F) F(hash, node_id, 0)
#define CHAIN_NODE_REPLY(F)                                                                                            \
	F(u64, block, 0) F(address, wallet, 0) F(u8, tier, 0) F(u256, stake, 0) F(bool, active, 0) F(bool, online, 0)  \
	F(u64, uptime_today, 0) F(u64, storage_mb, 0) F(u64, registered, 0) F(u64, instance, 0) F(u64, relayed, 0)     \
	F(u256, rewards, 0) F(text, endpoint, 512)

#define CHAIN_MOVED(F) F(u64, id, 0) F(u16, node, 512) F(str, state, 12) F(str, purpose, 64) F(text, why, 240)

#define CHAIN_MESSAGES(M)                                                                                              \
	M(chain_rpc_row, CHAIN_RPC_ROW) M(chain_contract_row, CHAIN_CONTRACT_ROW) M(chain_sent_row, CHAIN_SENT_ROW)
#define CHAIN_CALLS(C)                                                                                                 \
	C(chain_status, 0x0701, READERS, READ, 1000, NOTHING, CHAIN_STATUS_REPLY,                                      \
	  "which chain, how far, how old its last block, how its servers fare, why nothing is signed")                 \
	C(chain_contracts, 0x0702, READERS, READ, 1000, NOTHING, CHAIN_CONTRACTS_REPLY,                                \
	  "the contracts of the profile, and what their code lacks")                                                   \
	C(chain_outbox, 0x0703, READERS, READ, 2000, CHAIN_OUTBOX, CHAIN_OUTBOX_REPLY,                                 \
	  "transactions and what became of them, newest first; older ones: before=ID")                                 \
	C(chain_send, 0x0704, OPERATORS, ONCE, 5000, CHAIN_SEND, CHAIN_SEND_REPLY,                                     \
	  "have a transaction signed by the node's wallet and brought into the chain, once")                           \
	C(chain_cancel, 0x0705, OPERATORS, IDEMPOTENT, 2000, CHAIN_CANCEL, CHAIN_CANCEL_REPLY,                         \
	  "put nothing in a transaction's place, while it is in no block")                                             \
	C(chain_read, 0x0706, READERS, READ, 8000, CHAIN_READ, CHAIN_READ_REPLY,                                       \
	  "ask a method of a contract that changes nothing")                                                           \
	C(chain_node, 0x0707, READERS, READ, 8000, CHAIN_NODE, CHAIN_NODE_REPLY,                                       \
	  "what RelayManager knows of a node: tier, stake, uptime today, whether it is active")
#define CHAIN_EVENTS(E)                                                                                                \
	E(chain_moved, 0x0711, READERS, CHAIN_MOVED, "a transaction of the outbox came into another state")

DECLARE_PROTOCOL(CHAIN)

#endif
