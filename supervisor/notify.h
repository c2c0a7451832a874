/* Telling the service manager how we are (sd_notify(3)): one datagram to $NOTIFY_SOCKET, nothing when there is none. */
#ifndef WARREN_SUPERVISOR_NOTIFY_H
#define WARREN_SUPERVISOR_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Assignments parted by newlines: "READY=1\nSTATUS=…". False when there is nobody to tell, or it could not be told. */
bool notify(const char *state);

/* How often WATCHDOG=1 is due: half of $WATCHDOG_USEC. 0: nobody waits for it. */
uint64_t notify_watchdog_ms(void);

#endif
