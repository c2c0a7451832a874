/* Nodes that are half there. A command that makes or removes a node leaves a mark in ROOT/machine first and takes it away last,
 * so whatever kills it in between, the next command knows what to finish:
 *
 *   adding    "N"            without etc/nodeN.conf: what there is of node N goes
 *   removing  "N FOLDER"     without etc/nodeN.conf: its keys go into ROOT/archive/FOLDER ("-": nowhere), the rest goes
 *
 * etc/nodeN.conf is the node: it is written last when one is made, and goes first when one is removed. A mark with its file
 * there means that nothing happened. */
#ifndef WARREN_SUPERVISOR_HALF_H
#define WARREN_SUPERVISOR_HALF_H

#include "supervisor/machine.h"

bool half_mark_adding(const struct machine *machine, uint16_t node, struct why *why);
bool half_mark_removing(const struct machine *machine, uint16_t node, const char *folder, struct why *why);

/* Ends what a mark began, and takes it away; true when there is no mark (any more). Says on stderr what it removed. The
 * caller has the lock. */
bool half_end(const struct machine *machine, struct why *why);

/* One command at a time: ROOT/machine/add.lock, -1 when somebody has it. */
int half_lock(const struct machine *machine, struct why *why);

bool node_has_config(const struct machine *machine, uint16_t node);
/* Whether its number is taken, by a configuration or a folder: 1, 0, or -1 and errno when that cannot be known. */
int node_is_taken(const struct machine *machine, uint16_t node);

/* ROOT/archive, 0700 ours: made when it is not there. -1 and the sentence. */
int archive_open(const struct machine *machine, struct why *why);
enum { ARCHIVE_FOLDER = 64 };

/* SIGHUP to the supervisor, if one runs. */
void tell_supervisor(const struct machine *machine);

#endif
