/* What a backup says about itself, its last piece: text, a line each. A restore compares it with what it made.
 *
 *   warren 0.1.0
 *   made 1763744718
 *   machine 0x12…            "-": the host had no id
 *   secret file              or "sealed" (under the machine's passphrase), or "elsewhere" (a systemd credential)
 *   blobs 1
 *   node 1 0x5aAe… 12D3… 0f1e… 12 345678 0 0     wallet, peer id, store id, blobs, their bytes, blobs listed, blobs damaged
 */
#ifndef WARREN_BACKUP_FACTS_H
#define WARREN_BACKUP_FACTS_H

#include "supervisor/add.h"

#include <stdint.h>

enum { FACTS_MOST = 262144, FACTS_MACHINE = 68, FACTS_WORD = 24 };

struct node_facts {
	uint16_t node;
	char wallet[44], peer[65], store[33];
	uint64_t blobs, bytes, listed, damaged;
};

struct facts {
	char version[FACTS_WORD], machine[FACTS_MACHINE], secret[FACTS_WORD];
	int64_t made; /* Unix seconds */
	bool blobs;
	struct node_facts *nodes; /* in rising order */
	unsigned count, room;
};
void facts_end(struct facts *facts);

/* What a wallet and a store said about themselves. */
void facts_add(struct facts *facts, uint16_t node, const struct init_said *said);
const struct node_facts *facts_node(const struct facts *facts, uint16_t node); /* NULL: none */

/* x_new'd text. */
char *facts_print(const struct facts *facts);
/* False: it is none. Ends *facts then. */
bool facts_parse(const char *text, struct facts *facts);

/* Whether two nodes are the same; else *what is what differs. */
bool facts_same(const struct node_facts *a, const struct node_facts *b, const char **what);

#endif
