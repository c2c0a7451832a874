/* The ring of reason records of this process (proto/reasons.h). Bounded: when it is full, the oldest that is over goes first,
 * then the oldest. Any thread may write; nothing waits but for another writer. Never a secret. */
#ifndef WARREN_REASONS_H
#define WARREN_REASONS_H

#include "proto/reasons.h"

#include <stddef.h>

enum { REASONS_MAX = 256, REASONS_OF_ACTOR = 64 };

/* Who this process is: what reason_note() is about; and how many it keeps, at most REASONS_MAX. */
void reasons_begin(unsigned kind, unsigned node, unsigned most);

/* It is so, now. About this process; `thing` may be "". The format makes the inputs, without a stop. Said again of the same
 * thing it is counted, and the newest inputs stay. */
void reason_note(enum reason_code code, const char *thing, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same about somebody else; `next_in_ms`: when it is tried again, 0: not by itself. */
struct about {
	unsigned kind, node;
	uint64_t next_in_ms;
};
void reason_about(enum reason_code code, struct about about, const char *thing, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A record that another process sent; `about` whom is the receiver's word, not the sender's, when `whose` is not NULL. */
void reason_take(const struct reason *reason, const struct about *whose);

/* It is no longer so. reason_over() of this process; NULL for every thing. */
void reason_over(enum reason_code code, const char *thing);
void reason_over_about(enum reason_code code, struct about about, const char *thing);

/* Whatever was so of one is over. */
void reasons_over_of(unsigned kind, unsigned node);

/* Copies the records, newest first; returns how many. */
unsigned reasons_copy(struct reason *into, unsigned most);

/* Those that changed since this was last called, oldest change first: for a process that passes its records on. */
unsigned reasons_changed(struct reason *into, unsigned most);

/* The newest one that holds; false: none. */
bool reasons_newest(struct reason *into);

/* For `warren limits`. */
const uint64_t *reasons_depth(void), *reasons_high(void), *reasons_drops(void);

#endif
