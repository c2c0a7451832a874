/* wallet@N: holds every lasting private key of node N and says what it is for. It asks nobody. */
#ifndef WARREN_PROTO_WALLET_H
#define WARREN_PROTO_WALLET_H

#include "proto/call.h"

#define WALLET_ADDRESS_REPLY(F)  F(address, address, 0) F(str, text, 42)
#define WALLET_NODE_KEY_REPLY(F) F(key, key, 0) F(str, peer_id, 64)

/* The statement is EIP-191 text; both keys sign it, so each vouches for the other. */
#define WALLET_BINDING_REPLY(F)                                                                                        \
	F(text, statement, 512) F(signature, wallet_signature, 0) F(ed_signature, node_signature, 0)

#define WALLET_MESSAGES(M)
#define WALLET_CALLS(C)                                                                                                \
	C(wallet_address, 0x0501, READERS | MAY(STORE, SAME_NODE), READ, 1000, NOTHING, WALLET_ADDRESS_REPLY,          \
	  "the node's wallet address, raw and in EIP-55 text")                                                         \
	C(wallet_node_key, 0x0502, READERS | MAY(STORE, SAME_NODE), READ, 1000, NOTHING, WALLET_NODE_KEY_REPLY,        \
	  "the node's Ed25519 public key and the peer id that is made of it")                                          \
	C(wallet_binding, 0x0503, READERS, READ, 2000, NOTHING, WALLET_BINDING_REPLY,                                  \
	  "a statement that binds wallet and node key, signed by both")
#define WALLET_EVENTS(E)

DECLARE_PROTOCOL(WALLET)

#endif
