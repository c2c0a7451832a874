/* The machine as the steward reports it, and words for it. */
#ifndef WARREN_CONSOLE_PROCESSES_H
#define WARREN_CONSOLE_PROCESSES_H

#include "actors/console/console.h"
#include "proto/control.h"
#include "proto/steward.h"

/* Asks the steward; complains when it does not answer. `*status` lies in the client's arena. */
enum ending ask_status(struct console *console, struct client *client,
		       const struct steward_status_reply **status);

/* alerts.c: how many alerts stand that nobody has seen, those of severity info aside; 0 when nobody says. */
unsigned alerts_unseen(struct client *client);

/* PROCESS_STATE_COUNT for a word that is none. */
enum process_state process_state(const struct process_row *process);

/* The kind of a row; KIND_NONE for a name that this build does not know. */
enum kind process_kind(const struct process_row *process);

/* "store@1": harmless whatever the row holds. */
const char *process_who(const struct process_row *process, char who[WHO_TEXT]);

bool process_ready(const struct process_row *process);

/* Whether it can be asked: ready, and on the bus (the broker is the bus). */
bool process_answers(const struct process_row *process);

/* NULL when there is none. */
const struct process_row *find_process(const struct steward_status_reply *status, enum kind kind,
				       unsigned node);

/* A question of every process that answers, of one kind (KIND_NONE: each), without a request. x_new'd,
 * `*count` of them. */
struct question *ask_each(struct client *client, const struct steward_status_reply *status,
			  const struct call_row *row, enum kind kind, unsigned *count);

/* The answer to such a question about this process; NULL when it did not answer or was not asked. */
const void *answer_of(const struct question *questions, unsigned count, const struct call_row *row,
		      enum kind kind, unsigned node);

/* {who, actor, node, pid, uid, state, restarts, pss …}; pid and pss (KiB) are null where there is none. */
json_t *process_json(const struct process_row *process);

/* [ "memory", "pids" ] */
json_t *walls_json(uint32_t missing);

#endif
