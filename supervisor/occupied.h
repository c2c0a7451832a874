/* Whether a node has processes, known to whoever may open ROOT/machine/nodes: the supervisor holds byte N of it locked while
 * one of node N is there. The kernel's lock, so it ends with the supervisor, and with it every process. */
#ifndef WARREN_SUPERVISOR_OCCUPIED_H
#define WARREN_SUPERVISOR_OCCUPIED_H

#include "supervisor/machine.h"

/* -- the supervisor: the one descriptor of that file it ever opens (closing another would give all locks up, fcntl(2)) -- */
int occupied_open(const struct machine *machine); /* -1: errno */
bool occupied_say(int fd, uint16_t node, bool occupied);

/* -- everybody else -- */
bool node_occupied(const struct machine *machine, uint16_t node);
bool node_wait_free(const struct machine *machine, uint16_t node, unsigned ms);

#endif
