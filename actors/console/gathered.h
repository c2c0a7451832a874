/* Reason records of the whole machine, collected from whoever keeps them: the supervisor and the broker (through the steward),
 * and every process that answers. */
#ifndef WARREN_CONSOLE_GATHERED_H
#define WARREN_CONSOLE_GATHERED_H

#include "actors/console/processes.h"
#include "proto/actor.h"
#include "proto/reasons.h"

struct gathered_reason {
	const struct reason_row *row;
	const struct reason_rule *rule; /* NULL: a name that this build does not know */
	char by[WHO_TEXT];              /* who decided it: "store@1", "warrend" (or the broker, which tells through it) */
};

struct gathered {
	const struct steward_status_reply *status;
	struct gathered_reason *all; /* those that hold first, then newest first */
	unsigned count;
	char (*silent)[WHO_TEXT]; /* who was asked and did not answer */
	unsigned silent_count;
};

/* Whom to ask besides the steward: of one node (any when 0), of one kind (any when KIND_NONE). Complains. */
enum ending gather(struct console *console, struct client *client, enum kind kind, unsigned node, struct gathered *gathered);
void gathered_end(struct gathered *gathered);

/* Whether a reason is about a process, or about its node as a whole. Kind KIND_NONE: about anything of the node. */
bool reason_is_about(const struct reason_row *row, enum kind kind, unsigned node);

#endif
