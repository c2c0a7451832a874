/* RLP, Ethereum's encoding of lists of byte strings (Yellow Paper, appendix B): the writing half only, as a wallet reads nobody's
 * transactions. */
#ifndef WARREN_RLP_H
#define WARREN_RLP_H

#include "proto/ids.h"

/* A list under way: its items are written into `at`, its head comes last. */
struct rlp {
	uint8_t *at;
	size_t room, used;
	bool full; /* something did not fit: nothing of it may be used */
};

enum { RLP_HEAD = 9 }; /* the longest head of a string or a list */

void rlp_bytes(struct rlp *list, const void *bytes, size_t length);
void rlp_number(struct rlp *list, uint64_t number);            /* no leading zeros; 0 is the empty string */
void rlp_u256(struct rlp *list, const struct u256 *number);    /* likewise */
void rlp_empty_list(struct rlp *list);

/* The head of a list whose items are `length` bytes; returns its own length. */
size_t rlp_list_head(size_t length, uint8_t head[RLP_HEAD]);

#endif
