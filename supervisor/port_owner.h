/* Who listens on a TCP port of this host. Best effort: without root only our own user's processes show. */
#ifndef WARREN_SUPERVISOR_PORT_OWNER_H
#define WARREN_SUPERVISOR_PORT_OWNER_H

#include <stdint.h>

enum { PORT_OWNER_TEXT = 64 };

/* "nginx (pid 812)", "uid 33" or "somebody". */
const char *port_owner(uint16_t port, char text[PORT_OWNER_TEXT]);

#endif
