/* Whether what the steward hands on may be done at all: its shape, the asker's authority, the target. Pure. */
#ifndef WARREN_SUPERVISOR_CONTROL_CHECK_H
#define WARREN_SUPERVISOR_CONTROL_CHECK_H

#include "proto/actors.h"
#include "proto/control.h"
#include "proto/err.h"
#include "supervisor/why.h"

#include <stddef.h>

/* `declared[n]` is whether node n is; NODES_MAX + 1 of them. ERR_MALFORMED is for the log only: such an ask gets no answer.
 * Any other error is answered, with *why. */
enum err control_check(const struct control_ask *ask, size_t length, const bool *declared, struct why *why);

/* Whether it changes anything, and so is for operators and is logged. */
bool control_changes(unsigned verb);

const char *control_verb_name(unsigned verb);

#endif
