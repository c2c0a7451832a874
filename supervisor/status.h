/* The rows of a STATUS (proto/control.h), made one at a time from what is true when each is written. */
#ifndef WARREN_SUPERVISOR_STATUS_H
#define WARREN_SUPERVISOR_STATUS_H

#include "supervisor/supervisor.h"

/* Writes row `index`, counted from 0. False when it is the last one, CONTROL_DONE. */
bool status_row(const struct supervisor *s, unsigned index, struct control_row *row);

/* The same of nodes that drain or were drained; *next is the number of the node to look at first, and is moved on to the one
 * that was written. */
bool drains_row(const struct supervisor *s, unsigned *next, struct control_row *row);

/* WALL_ bits that this machine could not build around some process that runs. */
uint32_t status_missing(const struct supervisor *s);

/* Looks up the memory of a few processes, the next ones each time: the kernel walks every page to say it. */
void status_measure(struct supervisor *s);

#endif
