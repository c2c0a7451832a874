/* What the files of chain that move transactions on share. */
#ifndef WARREN_CHAIN_STEPS_H
#define WARREN_CHAIN_STEPS_H

#include "actors/chain/chain_self.h"
#include "proto/reasons.h"
#include "proto/wallet.h"

/* False: the disk refused; the process ends, and the next one goes on from what is there. */
void step_to_disk(struct chain *self, bool done);
void step_why(struct entry *entry, const char *format, ...) __attribute__((format(printf, 2, 3)));
void step_reason(enum reason_code code, const struct entry *entry, uint64_t next_in_ms);
void step_told(struct chain *self, const struct entry *entry); /* its new state: log, event */

/* Told, then saved; a settled one is gone after that. */
void step_move(struct chain *self, struct entry *entry, enum outbox_state state);
void step_wait(struct entry *entry, uint64_t ms);
const struct address *step_address(struct chain *self, uint16_t node); /* NULL: its wallet was asked just now */

/* Another attempt with the entry's nonce and fee; `cancel`: nothing, to ourselves. */
void step_attempt(struct chain *self, struct entry *entry, bool cancel);

void step_queued(struct chain *self, struct entry *entry); /* chain_prepare.c */
uint64_t step_resend_ms(const struct chain *self);

void looks_turn(struct chain *self); /* chain_looks.c: asks what became of those that are due */

#endif
