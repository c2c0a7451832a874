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
	struct target target; /* zero for what has none */
	uint32_t uid;
	enum kind authority;
	uint32_t amount; /* of CONTROL_DRAIN and CONTROL_ALLOCATE */
};

/* What came back with ERR_OK; what the verb does not ask for is NULL or 0. */
struct control_answer {
	const struct steward_status_reply *status;
	const struct steward_info_reply *info;
	bool may;                            /* CONTROL_ALLOCATE */
	const struct holding_row *holdings;  /* CONTROL_VERIFY */
	const struct drain_row *drains;      /* CONTROL_DRAINS */
	const struct reason_row *reasons;    /* CONTROL_REASONS */
	const struct owned_limit *limits;    /* CONTROL_LIMITS */
	uint32_t count;                      /* of these four, whichever it is */
};

/* One ask has ended, once. `answer` is set when err is ERR_OK; `why` is a sentence or "". Both are gone after the return. */
typedef void control_end_fn(void *context, enum control_verb verb, enum err err, const char *why,
			    const struct control_answer *answer);

struct control;

/* `fd` stays the caller's and is never waited for. `serial` is random: rows that an earlier birth of this
 * process was owed must not pass for ours. */
struct control *control_open(int fd, uint32_t serial);
void control_close(struct control **control); /* the asks under way end without a word */

/* ERR_KEPT: `end` will be called. Else it will not: BUSY (too many, or the supervisor is behind), UNAVAILABLE
 * (it is dead). */
enum err control_ask(struct control *control, const struct wish *wish, uint64_t deadline_ms,
		     control_end_fn *end, void *context);

/* The same for an alert that alert_command is to carry; ends when the program has. */
enum err control_carry(struct control *control, const struct alert_news *news, uint64_t deadline_ms,
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
