/* Whether the machine has come up, and telling those who wait for it: the service manager, and `warrend start`. */
#ifndef WARREN_SUPERVISOR_READY_H
#define WARREN_SUPERVISOR_READY_H

#include "supervisor/supervisor.h"

/* How long `warrend start` waits for all: so much, and so much more for each process. */
enum { START_PATIENCE_MS = 30000, START_PATIENCE_EACH_MS = 40 };

/* What the background process says to `warrend start`, which passes it on: READY_ALL, READY_LOCKED (all but what waits for
 * `warrend unlock`), or sentences. */
enum { READY_ALL = 'R', READY_LOCKED = 'L' };

void ready_turn(struct supervisor *s, uint64_t now);

#endif
