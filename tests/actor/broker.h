/* The scenarios of the broker: each begins with a fresh one and ends with it alive. */
#ifndef WARREN_TESTS_BROKER_H
#define WARREN_TESTS_BROKER_H

#include "proto/call.h"
#include "tests/actor/harness.h"

/* Rows that the scenarios speak of; numbers are never reused. */
enum {
	CALL_PING = 0x0001,    /* reader, operator: of every process */
	CALL_OPEN = 0x0401,    /* gateway@N of store@N */
	CALL_DELETE = 0x0405,  /* operator of store@* */
	CALL_ADDRESS = 0x0501, /* store@N, reader, operator: of wallet@N */
	CALL_BINDING = 0x0503, /* reader, operator */
	EVENT_PUT_DONE = 0x0411,
	EVENT_GET_DONE = 0x0412,
};

enum { BUS, OPERATE, READ_DOOR }; /* the doors of a machine */

/* The next message within WAIT_MS is of this type; says so as a result of the test. */
bool hears(struct speaker *speaker, unsigned type, struct frame *frame, const char *what);

/* Nothing is waiting, after a round trip of `other` through the same broker. */
void hears_nothing(struct speaker *speaker, struct speaker *asker, struct speaker *asked, const char *what);

/* One ask from `asker` (a store or a person) to `asked` (a wallet), answered, as a result of the test. */
bool round_trip(struct speaker *asker, struct speaker *asked);

/* broker_asks.c */
void asks_hello(void), asks_answered(void), asks_refused(void), asks_told(void), asks_serials(void), asks_answers(void);
/* broker_ends.c */
void ends_gone(void), ends_late(void), ends_deadline_is_bounded(void);
/* broker_rights.c */
void rights_every_cell(void);
/* broker_strangers.c */
void strangers_unknown(void), strangers_live_id(void), strangers_dead_id(void), strangers_forged(void), strangers_process(void);
/* broker_bounds.c */
void bounds_per_caller(void), bounds_per_person(void), bounds_full_queue(void), bounds_slow_people(void), bounds_people(void);
/* broker_people.c */
void people_authority(void), people_events(void), people_heard(void), people_gone(void), people_taps(void), people_full_tap(void);
/* broker_hostile.c */
void hostile_frames(void), hostile_cut(void), hostile_bytes(void), hostile_flood(void);
/* broker_life.c */
void life_beats(void), life_ends(void), life_reborn(void), life_unread(void);

#endif
