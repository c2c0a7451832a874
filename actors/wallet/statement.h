/* The statement that binds a wallet and a node key: a text that names both and is signed by both, so each
 * vouches for the other. Anyone can check it with it alone.
 *
 *   Warren node binding                              the domain: no other text that these keys sign begins so
 *   version 1
 *   wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed          EIP-55
 *   node-key <64 lower-case hex digits>                        Ed25519 public key
 *   peer-id 12D3KooW…                                          libp2p's name for that key
 *
 * Lines end with "\n", the last one too. One pair of keys has exactly one such text. */
#ifndef WARREN_STATEMENT_H
#define WARREN_STATEMENT_H

#include "actors/wallet/keys.h"

enum { STATEMENT_TEXT = 512 + 1 };

struct binding {
	struct address wallet;
	struct key node;
};

struct statement {
	char text[STATEMENT_TEXT]; /* ends with NUL */
	size_t length;
	struct signature by_wallet;  /* EIP-191 personal_sign over the text */
	struct ed_signature by_node; /* RFC 8032 over the text itself */
};

/* The text alone; returns its length. */
size_t statement_text(const struct binding *binding, char text[STATEMENT_TEXT]);

void statement_make(const struct wallet_keys *keys, struct signer *signer, struct statement *statement);

enum statement_end {
	STATEMENT_OK,
	STATEMENT_MALFORMED,     /* not exactly the text above, for whatever keys */
	STATEMENT_NOT_BY_WALLET, /* the wallet that it names did not sign it */
	STATEMENT_NOT_BY_NODE,   /* the node key that it names did not sign it */
};

/* Whom a statement binds; *binding is zeroed unless STATEMENT_OK. The bytes may come from anywhere; no NUL is
 * needed. */
enum statement_end statement_verify(const char *text, size_t length, const struct signature *by_wallet,
				    const struct ed_signature *by_node, struct binding *binding);

#endif
