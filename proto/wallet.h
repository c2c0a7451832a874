/* wallet@N: holds every lasting private key of node N, says what it is for, and signs what it has understood and the policy
 * (proto/policy.h) allows. It asks nobody. No call signs bytes that the caller wrote. */
#ifndef WARREN_PROTO_WALLET_H
#define WARREN_PROTO_WALLET_H

#include "proto/call.h"

#define WALLET_ADDRESS_REPLY(F)  F(address, address, 0) F(str, text, 42)
#define WALLET_NODE_KEY_REPLY(F) F(key, key, 0) F(str, peer_id, 64)

/* The statement is EIP-191 text; both keys sign it, so each vouches for the other. */
#define WALLET_BINDING_REPLY(F)                                                                                        \
	F(text, statement, 512) F(signature, wallet_signature, 0) F(ed_signature, node_signature, 0)

/* `once` is the caller's own random key: asked again with it, the same transaction is answered and not charged again; another one
 * is refused. `type` is 0 (legacy, EIP-155: max_fee is the gas price) or 2 (EIP-1559). Amounts are wei. */
#define WALLET_SIGN_TX(F)                                                                                              \
	F(hash, once, 0) F(u8, type, 2) F(u64, chain_id, UINT32_MAX) F(u64, nonce, 0) F(u64, gas, 0)                   \
	F(u256, max_fee, 0) F(O(u256), max_priority, 0) F(address, to, 0) F(u256, value, 0) F(bin, data, 3072)         \
	F(str, purpose, 64)
#define WALLET_SIGN_TX_REPLY(F) F(bin, raw, 4096) F(hash, tx_hash, 0)

/* Their texts: actors/wallet/saying.h. Times are seconds since 1970. */
#define WALLET_PEER_PROOF(F)    F(u64, timestamp, INT64_MAX)
#define WALLET_HUB_CHALLENGE(F)                                                                                        \
	F(str, hub, 64) F(hash, challenge, 0) F(O(hash), session, 0) F(u64, expires, INT64_MAX)
#define WALLET_SAID_REPLY(F)    F(text, statement, 512) F(signature, signature, 0)
#define WALLET_RELAY_PROOF(F)                                                                                          \
	F(hash, message_hash, 0) F(hash, node_id, 0) F(u64, timestamp, INT64_MAX) F(u256, relay_nonce, 0)
#define WALLET_RELAY_PROOF_REPLY(F) F(hash, said, 0) F(signature, signature, 0)

/* The node's key says that its store answered a challenge: actors/base/proof/proof.h has the text. The time is the wallet's. */
#define WALLET_STORAGE_PROOF(F)                                                                                        \
	F(cid, cid, 0) F(u64, size, 0) F(hash, root, 0) F(hash, challenge, 0) F(hash, answer, 0)
#define WALLET_STORAGE_PROOF_REPLY(F) F(key, node, 0) F(u64, time, 0) F(ed_signature, signature, 0)

/* Amounts as decimal coins (18 places); the row without a name is the whole chain. Methods are selectors; "pay" is a plain
 * transfer. */
#define POLICY_ROW(F)                                                                                                  \
	F(str, rule, 24) F(u64, chain_id, 0) F(address, to, 0) F(text, methods, 128) F(u32, signed_today, 0)           \
	F(u32, count_per_day, 0) F(text, value_today, 80) F(text, value_per_day, 80) F(text, fee_today, 80)            \
	F(text, fee_per_day, 80) F(u8, amount_word, 0) F(text, amount_today, 80) F(text, amount_per_day, 80)           \
	F(u32, spacing_s, 0) F(u64, last, 0)
#define WALLET_POLICY_REPLY(F)                                                                                         \
	F(bool, present, 0) F(many(policy_row), rules, 20) F(text, statements, 128) F(text, hubs, 640)

#define WALLET_SIGNED(F)                                                                                               \
	F(str, rule, 24) F(str, purpose, 64) F(u64, chain_id, 0) F(u64, nonce, 0) F(address, to, 0) F(u256, value, 0)  \
	F(u256, fee, 0) F(hash, tx_hash, 0)
#define WALLET_REFUSED(F) F(str, call, 32) F(str, asker, 32) F(u32, uid, 0) F(text, why, 240)

#define WALLET_MESSAGES(M) M(policy_row, POLICY_ROW)
#define WALLET_CALLS(C)                                                                                                \
	C(wallet_address, 0x0501, READERS | MAY(STORE, SAME_NODE) | MAY(CHAIN, ANY_NODE), READ, 1000, NOTHING,         \
	  WALLET_ADDRESS_REPLY,                                                                                        \
	  "the node's wallet address, raw and in EIP-55 text")                                                         \
	C(wallet_node_key, 0x0502, READERS | MAY(STORE, SAME_NODE), READ, 1000, NOTHING, WALLET_NODE_KEY_REPLY,        \
	  "the node's Ed25519 public key and the peer id that is made of it")                                          \
	C(wallet_binding, 0x0503, READERS, READ, 2000, NOTHING, WALLET_BINDING_REPLY,                                  \
	  "a statement that binds wallet and node key, signed by both")                                                \
	C(wallet_sign_tx, 0x0504, OPERATORS | MAY(CHAIN, ANY_NODE), ONCE, 5000, WALLET_SIGN_TX, WALLET_SIGN_TX_REPLY,  \
	  "sign a transaction that the policy allows")                                                                 \
	C(wallet_sign_peer_proof, 0x0505, OPERATORS, IDEMPOTENT, 2000, WALLET_PEER_PROOF, WALLET_SAID_REPLY,           \
	  "sign that this node is who it is, for a peer")                                                              \
	C(wallet_sign_hub_challenge, 0x0506, OPERATORS, IDEMPOTENT, 2000, WALLET_HUB_CHALLENGE, WALLET_SAID_REPLY,     \
	  "answer the challenge of a hub that the policy names")                                                       \
	C(wallet_sign_relay_proof, 0x0507, OPERATORS, IDEMPOTENT, 2000, WALLET_RELAY_PROOF, WALLET_RELAY_PROOF_REPLY,  \
	  "sign, as the sender, that a message was relayed")                                                           \
	C(wallet_policy, 0x0508, READERS, READ, 2000, NOTHING, WALLET_POLICY_REPLY,                                    \
	  "what the wallet may sign, and what was spent in 24 hours")                                                  \
	C(wallet_sign_storage_proof, 0x0509, MAY(STORE, SAME_NODE), READ, 2000, WALLET_STORAGE_PROOF,            \
	  WALLET_STORAGE_PROOF_REPLY, "sign, with the node's key, that the store answered a challenge")
#define WALLET_EVENTS(E)                                                                                               \
	E(wallet_signed, 0x0511, READERS, WALLET_SIGNED, "a transaction was signed")                                   \
	E(wallet_refused, 0x0512, READERS, WALLET_REFUSED, "the policy refused to sign: also an alert")

DECLARE_PROTOCOL(WALLET)

#endif
