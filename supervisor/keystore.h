/* A wallet's key from elsewhere, and to elsewhere: what `warrend add --import` and `warrend export` do before and after
 * `warren-wallet --init`, which alone sees the key. */
#ifndef WARREN_SUPERVISOR_KEYSTORE_H
#define WARREN_SUPERVISOR_KEYSTORE_H

#include "supervisor/machine.h"

struct unlock;
struct config;
struct node_config;
struct init_said;

/* Runs `warren-wallet --init` for a node that is being added. `import` as in struct add_request; what it said is kept. */
bool keystore_make_wallet(const struct machine *machine, const struct unlock *unlock, const struct config *config,
			  const struct node_config *node, const char *import, struct init_said *said, struct why *why);

/* `warrend export N FILE`: the wallet key of a declared node as V3 keystore, in a new file of mode 0600, or "-" for stdout.
 * Returns the exit code. */
int keystore_export(const struct machine *machine, const char *node, const char *file);

#endif
