/* Adding a node: `warrend --root DIR add`. */
#ifndef WARREN_SUPERVISOR_ADD_H
#define WARREN_SUPERVISOR_ADD_H

#include "supervisor/machine.h"

struct add_request {
	const char *tier;
	uint32_t storage_mib; /* 0: the tier's */
	uint16_t port;        /* 0: the number's (FEATURES K29) */
	const char *import;   /* the wallet's key: a file, or "-" to be asked for it; NULL: a new one is made */
};

/* Prints what the operator should know, or on stderr why not. Either the node is whole when it returns, or, after a kill at
 * any step, the next call removes what there is of it. Returns the exit code. */
int node_add(struct machine *machine, const struct add_request *request);

/* The part of it that runs `warren-<kind> --init` in the node's jail, with the caller's terminal. */
struct config;
struct node_config;
struct unlock;
bool init_run(const struct machine *machine, const struct unlock *unlock, const struct config *config,
	      const struct node_config *node, enum kind kind, bool terminal, struct why *why);

/* The same with what proto/birth.h's BIRTH_IMPORT, BIRTH_EXPORT and BIRTH_FILE say. */
struct init_more {
	uint8_t flags;
	int file; /* -1: none */
};
bool init_run_more(const struct machine *machine, const struct unlock *unlock, const struct config *config,
		   const struct node_config *node, enum kind kind, bool terminal, const struct init_more *more, struct why *why);

#endif
