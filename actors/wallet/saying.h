/* Statements that the wallet signs besides the binding (statement.h), as EIP-191 texts. Each begins with a domain that no other
 * begins with, and every part of it is a field that was looked at.
 *
 *   peer proof       mumblechat:peer:<node id, 40 hex digits>:<seconds since 1970>            (FEATURES D5, seed 002's text)
 *   hub challenge    Warren hub challenge                                                     (ours: FEATURES H2)
 *                    version 1
 *                    hub hub.example.org
 *                    wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
 *                    challenge <64 hex digits>
 *                    session <64 hex digits: tls-exporter of the connection, RFC 9266> | none
 *                    expires <seconds since 1970>
 *   relay proof      32 bytes: Keccak-256 of messageHash 32, nodeId 32, timestamp u256, nonce u256 (FEATURES 1.3; the
 *                    contract's form, so its domain is the length: nothing else that we sign has 32 bytes)
 *
 * Lines end with "\n", the last one too. The node id is the first 20 bytes of Keccak-256 of the 20 address bytes (K4). */
#ifndef WARREN_SAYING_H
#define WARREN_SAYING_H

#include "proto/ids.h"

enum { SAYING_TEXT = 512 };

/* The texts, ended by NUL; return the length. */
size_t saying_peer_proof(const struct address *wallet, uint64_t timestamp, char text[SAYING_TEXT]);

struct hub_challenge {
	const char *hub; /* policy_hub_fits() */
	struct hash challenge;
	bool has_session;
	struct hash session;
	uint64_t expires;
};
size_t saying_hub_challenge(const struct address *wallet, const struct hub_challenge *challenge, char text[SAYING_TEXT]);

void saying_relay_proof(const struct hash *message, const struct hash *node, uint64_t timestamp, const struct u256 *nonce,
			struct hash *said);

#endif
