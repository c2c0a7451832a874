/* Limits of memory and of tasks, by control groups of version 2 or 1, whichever can be written here:
 * <our own group>/warren-<pid of the supervisor>/node<N>/<actor>, or …/<actor> of a process of the machine. Where none can be,
 * WALL_MEMORY or WALL_PIDS is missing. */
#ifndef WARREN_SUPERVISOR_LIMITS_H
#define WARREN_SUPERVISOR_LIMITS_H

#include "proto/actors.h"

#include <sys/types.h>

enum { CGROUP_PATH = 512, TASKS_MOST = 64, GROUP_TEXT = 32 };

enum limit_kind { LIMIT_MEMORY, LIMIT_PIDS, LIMIT_KINDS };

struct limit_tree {
	bool there;
	bool second;             /* version 2: both kinds may be in the same tree */
	char path[CGROUP_PATH];  /* …/warren-<pid> */
};

struct limits {
	struct limit_tree trees[LIMIT_KINDS];
};

/* Looks for a place and makes warren-<pid> there; removes what supervisors that are dead left beside it. `without` are WALL_
 * bits to leave out. */
void limits_open(struct limits *limits, uint32_t without);

/* "node1/store", "broker". */
const char *limits_group(const char *actor, uint16_t node, char name[GROUP_TEXT]);

/* Makes the group of a node, above those of its processes, with a limit on their memory together; 0: none. Before limits_enter()
 * of the first of them. Returns whether what was asked for could be set. */
bool limits_node(struct limits *limits, uint16_t node, uint32_t memory_mib);

/* Puts a process into the group `name`, made when needed, with these limits. Returns the WALL_ bits that are missing. */
uint32_t limits_enter(struct limits *limits, const char *name, pid_t pid, uint32_t memory_mib);

/* Kills what is still in the group. */
void limits_kill(struct limits *limits, const char *name);

/* Removes the group, which must be empty, and that of its node when it was the last. */
void limits_leave(struct limits *limits, const char *name);

/* Removes warren-<pid>; groups still in it go first. */
void limits_close(struct limits *limits);

#endif
