/* What an order is about: "store@1", "2" (all of node 2), "all" (every node). */
#ifndef WARREN_CONSOLE_TARGET_H
#define WARREN_CONSOLE_TARGET_H

#include "actors/console/processes.h"

struct target {
	bool all;
	enum kind kind; /* KIND_NONE: the whole node */
	uint16_t node;
	const char *text;
};

/* The first word of the command line. Complains. */
enum ending parse_target(struct console *console, struct target *target);

bool in_target(const struct target *target, const struct process_row *process);

/* How each process of it stands: a line, or {ok, target, processes[]}. */
void say_target(const struct console *console, const struct steward_status_reply *status, const struct target *target,
		bool ok);

#endif
