/* What one may tell warrend to do about a running machine. Each prints for people and returns an exit code. */
#ifndef WARREN_SUPERVISOR_VERBS_H
#define WARREN_SUPERVISOR_VERBS_H

#include "supervisor/machine.h"

int verb_run(struct machine *machine);   /* in the foreground, until SIGTERM (drains), SIGINT or SIGQUIT */
int verb_start(struct machine *machine); /* in the background; returns when all are ready, or after 30 s */
int verb_stop(struct machine *machine);  /* returns when it has ended */
int verb_check(struct machine *machine); /* the configuration only */

#endif
