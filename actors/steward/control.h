/* What operators want, to the supervisor and back, over FD_CONTROL (proto/control.h): asks under way, each
 * with its serial and deadline, and the answers that are growing row by row, in whatever order they come. */
#ifndef WARREN_STEWARD_CONTROL_H
#define WARREN_STEWARD_CONTROL_H

#include "proto/control.h"
#include "proto/steward.h"

enum {
	CONTROL_ASKS = 16,         /* under way at once; one more is BUSY */
	CONTROL_ASKS_READERS = 12, /* of these for who may only look: a crowd of them keeps no operator out */
	CONTROL_NODES = 512,       /* rows of one status; the bounds of STEWARD_STATUS_REPLY */
	CONTROL_PROCESSES = 2600,
	CONTROL_REASON_ROWS = 256, /* of one CONTROL_REASONS; the bound of STEWARD_REASONS_REPLY */
	CONTROL_LIMIT_ROWS = 64,   /* of STEWARD_LIMITS_REPLY */
	CONTROL_TURN = 256, /* datagrams taken in one turn */
};

struct target {
	uint8_t kind; /* 0: the whole node */
	uint16_t node;
};

/* "wallet@2", "broker", or "2" for the whole of node 2; false for anything else. Whether it is declared, the
 * supervisor knows. */
bool target_parse(const char *text, struct target *target);

struct wish {
	enum control_verb verb;
	struct target target; /* zero for verbs without one */
	uint32_t uid;
	enum kind authority;
};

/* One ask has ended, once. When err is ERR_OK and the verb is answered by rows, `reply` is them: a struct
 * steward_status_reply, steward_reasons_reply or steward_limits_reply. `why` is a sentence or "". Both are
 * gone after the return. */
typedef void control_end_fn(void *context, enum control_verb verb, enum err err, const char *why,
			    const void *reply);

struct control;

/* `fd` stays the caller's and is never waited for. `serial` is random: rows that an earlier birth of this
 * process was owed must not pass for ours. */
struct control *control_open(int fd, uint32_t serial);
void control_close(struct control **control); /* the asks under way end without a word */

/* ERR_KEPT: `end` will be called. Else it will not: BUSY (too many, or the supervisor is behind), UNAVAILABLE
 * (it is dead). */
enum err control_ask(struct control *control, const struct wish *wish, uint64_t deadline_ms,
		     control_end_fn *end, void *context);

/* Takes what has come, at most CONTROL_TURN datagrams. False when the supervisor is dead. */
bool control_receive(struct control *control);

/* Ends with LATE what is past its deadline. */
void control_expire(struct control *control, uint64_t now_ms);

struct control_counts {
	uint64_t open, high, busy;
	uint64_t stray; /* rows that belong to nothing: late, out of bounds, or not as proto/control.h says */
};
const struct control_counts *control_counts(const struct control *control);

#endif
