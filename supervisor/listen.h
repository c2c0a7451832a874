/* The listeners that processes inherit: Unix sockets in ROOT/run, and each node's TCP port. The supervisor makes them, keeps
 * them open over every restart of a process, and never accepts: who connects meanwhile waits in the backlog. */
#ifndef WARREN_SUPERVISOR_LISTEN_H
#define WARREN_SUPERVISOR_LISTEN_H

#include "supervisor/machine.h"

enum { UNIX_BACKLOG = 512, TCP_BACKLOG = 1024 };

struct door { /* who may connect to a Unix socket: root, and this group */
	bool grouped;
	uint32_t group;
};

/* Makes ROOT/run/<name>. A socket file that is in the way is removed when nobody listens behind it, and anything else that
 * is in the way is a refusal. -1 and the sentence when it cannot be. */
int listen_unix(const struct machine *machine, const char *name, struct door door, struct why *why);

/* Whether it still listens: whoever inherited it could have shut it down, and the next one would inherit that. */
bool listener_lives(int fd);

/* Takes the name away again. */
void listen_unix_end(const struct machine *machine, const char *name);

/* `host` is numeric. -1 and the sentence when it cannot be; a port in use is reported with who has it, as far as we can see. */
int listen_tcp(const char *host, uint16_t port, struct why *why);

/* Could listen_tcp() have it? Takes it and gives it back. */
bool port_is_free(const char *host, uint16_t port, struct why *why);

#endif
