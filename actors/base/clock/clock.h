/* What time it is: on the clock that deadlines and timers go by, and on the one that people read. */
#ifndef WARREN_CLOCK_H
#define WARREN_CLOCK_H

#include <stdint.h>

uint64_t now_ns(void); /* CLOCK_MONOTONIC: never goes back, whatever is done to the time of day */
uint64_t now_ms(void);
int64_t wall_ms(void); /* CLOCK_REALTIME, since 1970: for what is shown and kept, never for a deadline */

#endif
