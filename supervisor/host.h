/* What this host is: memory, cores, and the id by which the chain knows the machine (FEATURES K18). */
#ifndef WARREN_SUPERVISOR_HOST_H
#define WARREN_SUPERVISOR_HOST_H

#include "proto/ids.h"
#include "supervisor/machine.h"

uint64_t host_memory(void); /* bytes */
unsigned host_cores(void);

/* machineIdHash = keccak256("machine" || HMAC-SHA-256(/etc/machine-id, our application id)): machine-id(5) itself is shown to
 * nobody. The value of the first run is kept in ROOT/machine/id. */
enum host_state {
	HOST_SAME,
	HOST_NEW,     /* none was kept yet */
	HOST_CHANGED, /* another machine, or another system on it; until `warrend reregister` */
	HOST_UNKNOWN, /* this host has no machine id: nothing can be compared */
};
struct host_id {
	enum host_state state;
	struct hash live, kept; /* zero where there is none */
};

enum { HOST_ID_TEXT = 67 };
const char *host_id_text(const struct hash *id, char text[HOST_ID_TEXT]); /* "0x1234…" */

/* `path` is /etc/machine-id; false when it holds none. */
#define HOST_ID_FILE "/etc/machine-id"
bool host_id_read(const char *path, struct hash *id);

/* Looks, and keeps the id when none is kept. */
struct host_id host_look(const struct machine *machine);

/* Keeps this one from now on. */
bool host_keep(const struct machine *machine, const struct hash *id);

/* The sentence that refuses what must not go on while it is HOST_CHANGED. */
bool host_refuse_changed(const struct host_id *id, struct why *why);

#endif
