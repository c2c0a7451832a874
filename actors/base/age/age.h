/* A clock for what expires: it follows the wall clock, and never runs ahead of the time that was lived through. README.md. */
#ifndef WARREN_AGE_H
#define WARREN_AGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	AGE_CATCH_UP = 8,  /* it may go faster than time by one part in so many */
	AGE_OFF_S = 86400, /* of the time that the machine was off this much is believed at once */
	AGE_VERSION = 1,
};
#define AGE_FILE "age"

struct age { /* begins zeroed */
	int64_t at;   /* seconds since 1970; 0: the first look at the clocks sets it */
	int64_t boot; /* seconds of the boot clock then */
};

/* What the time is, as far as is believed: never more than `wall`. */
int64_t age_step(struct age *age, int64_t wall, int64_t boot);
int64_t age_now(struct age *age); /* with the clocks of this machine */

/* When something begins to age: the same, but it does not go back with the wall clock. */
int64_t age_stamp(struct age *age);

/* The file is fixed in size and written in one piece; it is no loss. False: there is none, or it is none of ours; *age is then as
 * it was. */
bool age_load(struct age *age, int folder);
bool age_save(const struct age *age, int folder);

#endif
