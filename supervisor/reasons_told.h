/* What the steward may look at besides the status: why things are as they are, and how full our tables are. */
#ifndef WARREN_SUPERVISOR_REASONS_TOLD_H
#define WARREN_SUPERVISOR_REASONS_TOLD_H

#include "supervisor/supervisor.h"

/* The records as they are now, so that the rows of one answer belong together. */
void reasons_told_begin(struct supervisor *s);

/* Write row `index`, counted from 0. False when it is the last one, CONTROL_DONE. */
bool reasons_row(const struct supervisor *s, unsigned index, struct control_row *row);
bool limits_row(const struct supervisor *s, unsigned index, struct control_row *row);

/* What others say of themselves (proto/roster.h, proto/birth.h). */
void broker_limit(struct supervisor *s, const struct roster_limit *limit);
void broker_reason(struct supervisor *s, const struct roster_reason *told);
void last_words(struct process *process, const void *bytes, size_t length);

/* What was so of a process is over: it is ready. */
void reasons_end_of(const struct process *process);
/* Of its node: an operator started it. */
void reasons_end_of_node(uint16_t node);

struct about process_about(const struct process *process);

#endif
