/* Adding a node: `warrend --root DIR add`. */
#ifndef WARREN_SUPERVISOR_ADD_H
#define WARREN_SUPERVISOR_ADD_H

#include "supervisor/machine.h"

struct add_request {
	const char *tier;     /* NULL: a person is asked, where there is a terminal */
	uint32_t storage_mib; /* 0: the tier's */
	uint16_t port;        /* 0: the number's (FEATURES K29) */
	bool json;
	const char *import;   /* the wallet's key: a file, or "-" to be asked for it; NULL: a new one is made */
};

/* Prints what the operator should know, or on stderr why not. Either the node is whole when it returns, or, after a kill at
 * any step, the next call removes what there is of it. Returns the exit code. */
int node_add(struct machine *machine, const struct add_request *request);

/* The part of it that runs `warren-<kind> --init` in the node's jail, with the caller's terminal. */
struct config;
struct node_config;
struct unlock;
struct init_said { /* its lines "address …" and "peer …"; "" where it said none. quiet: nothing of it is shown */
	bool quiet;
	char address[44], peer[65];
	char store[33], blobs[24], bytes[24], listed[24], damaged[24]; /* of a store that was carried (BIRTH_BACKUP, _RESTORE) */
};
/* Speaks with it over `file` while it runs; closes our end of that first. Waits for it. False: the sentence. */
typedef bool init_talk_fn(void *context, struct why *why);
struct init_how {
	bool terminal; /* its standard input is ours */
	uint8_t flags; /* BIRTH_ beside BIRTH_INIT (proto/birth.h) */
	int file;      /* -1: none */
	struct init_said *said;
	init_talk_fn *talk; /* NULL: nothing is to be said */
	void *context;
};
bool init_run(const struct machine *machine, const struct unlock *unlock, const struct config *config,
	      const struct node_config *node, enum kind kind, const struct init_how *how, struct why *why);

#endif
