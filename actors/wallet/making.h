/* `warren-wallet --init`: how a node's keys come to be, and how its wallet key is taken elsewhere. In the jail of the wallet,
 * with no bus; descriptor 0 is a terminal or a pipe, for what a person types. */
#ifndef WARREN_MAKING_H
#define WARREN_MAKING_H

#include "actors/wallet/keyfile.h"

struct making {
	int folder; /* the node's own */
	uint16_t node;
	const uint8_t *secret; /* sealing secret */
	struct signer *signer;
	struct wallet_keys *keys; /* secret memory; wiped by the caller */
	int file;                 /* to import from, or to export to; -1: ask for the key, or export to stdout */
};

enum making_end {
	MAKING_OK,
	MAKING_REFUSED, /* why[] says it */
	MAKING_KEYS,    /* the key file: *end, errno */
};
enum { MAKING_WHY = 240 };

/* Opens the keys, making them first where there are none (*made), and reads back what was written. */
enum making_end making_new(struct making *making, bool *made, enum keyfile_end *end);

/* Makes the keys of a wallet secret that comes from elsewhere, a V3 keystore or 64 hex digits, and a new node key. Never over
 * keys that are there. */
enum making_end making_import(struct making *making, enum keyfile_end *end, char why[MAKING_WHY]);

/* Opens the keys that are there, and makes none. */
enum making_end making_look(struct making *making, enum keyfile_end *end);

/* The same for keys that came out of a backup: their books say that the day is spent (spent.h). `now`: seconds since 1970. */
enum making_end making_restored(struct making *making, uint64_t now, enum keyfile_end *end, char why[MAKING_WHY]);

/* What a birth with these BIRTH_ flags asks for, one of all these. *how is what it did, in a word. */
enum making_end making_do(struct making *making, uint8_t flags, const char **how, enum keyfile_end *end,
			  char why[MAKING_WHY]);

/* Writes the wallet secret (not the node key) as V3 keystore under a passphrase that is asked for. */
enum making_end making_export(struct making *making, enum keyfile_end *end, char why[MAKING_WHY]);

#endif
