/* The steward's line to the supervisor (FD_CONTROL): a real socket pair, with the test as the supervisor. */
#ifndef WARREN_TESTS_STEWARD_LINE_H
#define WARREN_TESTS_STEWARD_LINE_H

#include "actors/steward/control.h"

extern struct control *control;
extern int ours, theirs; /* the steward's end, the supervisor's */

void begin(uint32_t serial);
void end(void);

/* What the supervisor says. */
void send_row(struct control_row row);
void send_done(uint32_t serial, enum err err, const char *why);

#endif
