/* A reason record: who decided what about whom, with which inputs, and when it is tried again. A fixed struct in host order: it
 * travels from a dying process to the supervisor (FD_LIFE), from the broker to the supervisor (FD_ROSTER) and from there to the
 * steward (FD_CONTROL). On the bus the same facts are a row (proto/actor.h). */
#ifndef WARREN_PROTO_REASONS_H
#define WARREN_PROTO_REASONS_H

#include <stdbool.h>
#include <stdint.h>

enum reason_code {
#define REASON(SYMBOL, code, ...) REASON_##SYMBOL = code,
#include "proto/reasons.def"
#undef REASON
};

enum { REASON_THING = 64, REASON_INPUTS = 200 };

struct reason {
	uint16_t code; /* enum reason_code; 0: none */
	uint16_t node; /* whom it is about, with `kind`; kind 0: the machine (node 0), or the whole node */
	uint8_t kind;
	uint8_t over; /* no longer so */
	uint8_t padding[2];
	uint32_t count;    /* how often, in this record */
	int64_t first_ms;  /* since 1970; first and last time */
	int64_t last_ms;   /* or when it was over */
	int64_t next_ms;   /* since 1970: when it is tried again; 0: not by itself, or not known */
	char thing[REASON_THING + 1]; /* what it is about besides: a CID, a call, a wall, a uid; "" for nothing */
	char inputs[REASON_INPUTS + 1]; /* the fact with its inputs, as a sentence without its end */
};

struct reason_rule {
	enum reason_code code;
	const char *name, *rule, *can;
};

/* NULL for a code that this build does not know. */
const struct reason_rule *reason_rule(unsigned code);
const struct reason_rule *reason_rule_named(const char *name);
const struct reason_rule *reason_rule_at(unsigned index); /* 0, 1, … in the order of the rows; NULL past the last */

/* Makes what another process sent harmless: texts end, hold no control byte; the code is known. False: it is none. */
bool reason_sound(struct reason *reason);

/* As it travels on the bus (proto/actor.h); `row` is a view of `reason`. */
struct reason_row;
void reason_to_row(const struct reason *reason, struct reason_row *row);

#endif
