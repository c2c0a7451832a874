/* The scenarios of the runtime, with a wallet as the actor: it answers, asks nobody, and has no settings. */
#ifndef WARREN_TESTS_BASE_H
#define WARREN_TESTS_BASE_H

#include "tests/actor/fake.h"

enum {
	CALL_PING = 0x0001,
	CALL_LIMITS = 0x0002,
	CALL_LEVEL = 0x0003,
	CALL_OPEN = 0x0401, /* of a store */
	CALL_ADDRESS = 0x0501,
	CALL_NODE_KEY = 0x0502,
	CALL_BINDING = 0x0503,
};

extern const uint8_t base_nothing[1]; /* the request without fields */

/* A wallet of node 2 with its keys made, welcomed by a fake broker, ready. */
void base_begin(struct fake *fake);
struct birth base_birth(void);

/* base_start.c */
void start_order(void), start_refused(void), start_without_keys(void);
/* base_calls.c */
void calls_answered(void), calls_dropped(void), calls_denied(void), calls_malformed(void), calls_bombs(void);
void calls_frames(void), calls_flood(void);
/* base_life.c */
void life_reborn(void), life_drains(void), life_supervisor_gone(void), life_level(void), life_slow_broker(void);

#endif
